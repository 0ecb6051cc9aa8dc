-- sid.unbound_value
-- A value becomes text of SQL.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unbound_value(IN in_code STRING)
BEGIN
  EXECUTE IMMEDIATE CONCAT('SELECT name FROM sid.agent WHERE code = "', in_code, '"');
END;
