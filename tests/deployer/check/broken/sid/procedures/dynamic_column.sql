-- sid.dynamic_column
-- Dynamic SQL names a column that is not there.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.dynamic_column()
BEGIN
  EXECUTE IMMEDIATE 'SELECT code FROM sid.agent WHERE nam = ?' USING 'x';
END;
