-- sid.temp_after_drop
-- A temporary table is read after its DROP.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.temp_after_drop()
BEGIN
  CREATE TEMP TABLE busy AS SELECT code FROM sid.agent;
  DROP TABLE busy;
  SELECT code FROM busy;
END;
