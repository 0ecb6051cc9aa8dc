-- sid.break_outside
-- BREAK outside of a loop.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.break_outside()
BEGIN
  IF TRUE THEN
    BREAK;
  END IF;
END;
