-- sid.unknown_temp_column
-- The temporary table has no such column.
--
-- reads:  sid.departure
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unknown_temp_column()
BEGIN
  CREATE TEMP TABLE busy AS
  SELECT code, COUNT(*) AS departures FROM sid.departure WHERE flight_date = CURRENT_DATE() GROUP BY code;
  SELECT b.code FROM busy AS b WHERE b.flights > 3;
END;
