-- sid.wrong_insert_type
-- The value does not fit the column.
--
-- reads:  raw.flights
-- writes: sid.agent
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.wrong_insert_type()
BEGIN
  INSERT INTO sid.agent (code, seats)
  SELECT carrier, origin FROM raw.flights WHERE flight_date = CURRENT_DATE();
END;
