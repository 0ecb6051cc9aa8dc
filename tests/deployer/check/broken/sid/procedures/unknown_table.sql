-- sid.unknown_table
-- No file makes this table.
--
-- reads:  sid.agents
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unknown_table()
BEGIN
  SELECT code FROM sid.agents;
END;
