-- sid.unknown_merge_column
-- MERGE inserts a column that its source does not give.
--
-- reads:  raw.flights
-- writes: sid.agent
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unknown_merge_column()
BEGIN
  MERGE sid.agent AS a
  USING (SELECT DISTINCT carrier FROM raw.flights WHERE flight_date = CURRENT_DATE()) AS f
    ON a.code = f.carrier
  WHEN NOT MATCHED THEN INSERT (code, name) VALUES (f.carrier, f.title);
END;
