-- sid.unpruned_merge
-- MERGE that reads the whole target.
--
-- reads:  raw.flights
-- writes: sid.departure
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unpruned_merge()
BEGIN
  MERGE sid.departure AS d
  USING (SELECT carrier, flight FROM raw.flights WHERE origin = 'JFK') AS f
    ON d.code = f.carrier AND d.flight = f.flight
  WHEN NOT MATCHED BY SOURCE THEN DELETE;
END;
