-- sid.dynamic_into_count
-- INTO takes as many variables as there are columns.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.dynamic_into_count()
BEGIN
  DECLARE counted INT64;
  EXECUTE IMMEDIATE 'SELECT 1, 2' INTO counted;
  SELECT counted;
END;
