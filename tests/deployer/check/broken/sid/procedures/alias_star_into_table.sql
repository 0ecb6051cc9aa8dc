-- sid.alias_star_into_table
-- alias.* into a permanent table.
--
-- reads:  sid.agent
-- writes: sid.agent
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.alias_star_into_table()
BEGIN
  CREATE OR REPLACE TABLE sid.agent AS SELECT a.* FROM sid.agent AS a;
END;
