-- sid.table_in_other_case
-- Names of tables have one case alone.
--
-- reads:  sid.Agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.table_in_other_case()
BEGIN
  SELECT a.code FROM sid.Agent AS a;
END;
