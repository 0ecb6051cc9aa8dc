-- sid.temp_before_create
-- A temporary table is read before it exists.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.temp_before_create()
BEGIN
  SELECT code FROM busy;
  CREATE TEMP TABLE busy AS SELECT code FROM sid.agent;
END;
