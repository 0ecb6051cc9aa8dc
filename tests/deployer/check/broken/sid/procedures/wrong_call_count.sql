-- sid.wrong_call_count
-- The CALL has too few arguments.
--
-- reads:  -
-- writes: -
-- calls:  ops.note_run
CREATE OR REPLACE PROCEDURE sid.wrong_call_count()
BEGIN
  CALL ops.note_run('r');
END;
