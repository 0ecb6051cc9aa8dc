-- sid.departure
-- One row a departure.
CREATE TABLE IF NOT EXISTS sid.departure (
  flight_date DATE,
  code STRING,
  flight INT64,
  delay INT64
)
PARTITION BY flight_date
CLUSTER BY code;
