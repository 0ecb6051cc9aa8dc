-- sid.unbound_format
-- FORMAT writes a value into SQL.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unbound_format(IN in_seats INT64)
BEGIN
  EXECUTE IMMEDIATE FORMAT('SELECT name FROM sid.agent WHERE seats > %d', in_seats);
END;
