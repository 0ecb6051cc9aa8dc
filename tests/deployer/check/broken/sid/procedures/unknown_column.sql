-- sid.unknown_column
-- The table has no such column.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unknown_column()
BEGIN
  SELECT a.code FROM sid.agent AS a WHERE nam = 'x';
END;
