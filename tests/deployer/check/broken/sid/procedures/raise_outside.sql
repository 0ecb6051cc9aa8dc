-- sid.raise_outside
-- RAISE where no error is handled.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.raise_outside()
BEGIN
  IF (SELECT COUNT(*) FROM sid.agent) = 0 THEN
    RAISE;
  END IF;
END;
