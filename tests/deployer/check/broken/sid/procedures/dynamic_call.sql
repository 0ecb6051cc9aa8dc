-- sid.dynamic_call
-- Dynamic SQL cannot hold CALL.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.dynamic_call()
BEGIN
  EXECUTE IMMEDIATE 'CALL ops.note_run("r", "x")';
END;
