-- sid.after_raise
-- A statement after RAISE.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.after_raise()
BEGIN
  RAISE USING MESSAGE = 'no';
  SELECT 1;
END;
