-- sid.header_calls
-- The header names what the body does not call.
--
-- reads:  -
-- writes: -
-- calls:  ops.note_run
CREATE OR REPLACE PROCEDURE sid.header_calls()
BEGIN
  SELECT 1;
END;
