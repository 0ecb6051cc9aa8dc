-- sid.after_return
-- A statement after RETURN.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.after_return()
BEGIN
  IF TRUE THEN
    RETURN;
    SELECT 1;
  END IF;
END;
