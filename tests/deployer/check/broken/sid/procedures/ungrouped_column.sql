-- sid.ungrouped_column
-- A column is neither grouped nor aggregated.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.ungrouped_column()
BEGIN
  SELECT a.name, COUNT(*) FROM sid.agent AS a GROUP BY a.code;
END;
