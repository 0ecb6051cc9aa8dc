-- raw.flights
-- Flights as they landed.
CREATE TABLE IF NOT EXISTS raw.flights (
  flight_date DATE,
  carrier STRING,
  flight INT64,
  origin STRING,
  delay INT64,
  tags ARRAY<STRUCT<name STRING, weight FLOAT64>>
)
PARTITION BY flight_date;
