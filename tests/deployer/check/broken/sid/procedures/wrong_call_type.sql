-- sid.wrong_call_type
-- The argument of the CALL does not fit.
--
-- reads:  -
-- writes: -
-- calls:  ops.note_run
CREATE OR REPLACE PROCEDURE sid.wrong_call_type()
BEGIN
  CALL ops.note_run('r', DATE '2013-01-01');
END;
