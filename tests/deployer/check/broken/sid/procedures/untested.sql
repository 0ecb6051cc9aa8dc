-- sid.untested
-- No test calls it.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.untested()
BEGIN
  SELECT 1;
END;
