-- sid.variable_hidden
-- A variable has a column's name.
--
-- reads:  sid.departure
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.variable_hidden()
BEGIN
  DECLARE delay INT64 DEFAULT 15;
  SELECT COUNT(*) FROM sid.departure AS d WHERE d.flight_date = CURRENT_DATE() AND d.delay > delay;
END;
