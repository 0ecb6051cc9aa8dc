-- sid.fct_departure
-- One row a departure; business columns alone, so that a re-run is equal row for row.
CREATE TABLE IF NOT EXISTS sid.fct_departure (
  departure_key STRING OPTIONS (description = 'hex SHA-256 of day, carrier, flight, origin, scheduled time'),
  flight_date DATE,
  agent_code STRING,
  flight_number INT64,
  tail_number STRING,
  origin STRING,
  destination STRING,
  scheduled_departure DATETIME OPTIONS (description = 'local time of the origin'),
  departure_delay_minutes INT64,
  arrival_delay_minutes INT64,
  is_cancelled BOOL,
  air_time_minutes INT64,
  distance_miles INT64,
  seats INT64
)
PARTITION BY flight_date
CLUSTER BY agent_code, origin;
