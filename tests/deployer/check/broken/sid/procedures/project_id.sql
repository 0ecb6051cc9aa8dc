-- sid.project_id
-- SQL that names a project.
--
-- reads:  -
-- writes: -
-- calls:  ops.note_run
CREATE OR REPLACE PROCEDURE sid.project_id()
BEGIN
  EXECUTE IMMEDIATE 'SELECT 1';
  CALL house.ops.note_run('r', 'x');
END;
