-- sid.unknown_function
-- BigQuery has no such function.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unknown_function()
BEGIN
  SELECT LENGHT(name) FROM sid.agent;
END;
