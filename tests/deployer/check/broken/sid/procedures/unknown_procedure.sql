-- sid.unknown_procedure
-- No file makes this procedure.
--
-- reads:  -
-- writes: -
-- calls:  ops.note_runs
CREATE OR REPLACE PROCEDURE sid.unknown_procedure()
BEGIN
  CALL ops.note_runs('r', 'x');
END;
