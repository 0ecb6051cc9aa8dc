-- sid.wrong_condition_type
-- A condition is no BOOL.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.wrong_condition_type()
BEGIN
  IF (SELECT COUNT(*) FROM sid.agent) THEN
    SELECT 1;
  END IF;
END;
