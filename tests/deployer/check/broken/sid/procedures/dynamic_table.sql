-- sid.dynamic_table
-- Dynamic SQL of fixed pieces names a table that is not there.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.dynamic_table()
BEGIN
  DECLARE wanted STRING DEFAULT 'agents';
  EXECUTE IMMEDIATE FORMAT('SELECT code FROM sid.`%s`', wanted);
END;
