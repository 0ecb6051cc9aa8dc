-- sid.dropped_name
-- The temporary table has another name.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.dropped_name()
BEGIN
  CREATE TEMP TABLE busy AS SELECT code FROM sid.agent;
  SELECT code FROM bussy;
  DROP TABLE busy;
END;
