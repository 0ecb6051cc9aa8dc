-- sid.wrong_set_type
-- What is assigned does not fit the variable.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.wrong_set_type()
BEGIN
  DECLARE counted INT64;
  SET counted = (SELECT MAX(name) FROM sid.agent);
  SELECT counted;
END;
