-- sid.variable_only_set
-- A variable that is set, but never read.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.variable_only_set()
BEGIN
  DECLARE counted INT64;
  SET counted = (SELECT COUNT(*) FROM sid.agent);
END;
