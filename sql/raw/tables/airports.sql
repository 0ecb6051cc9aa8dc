-- raw.airports
-- Airports by FAA code.
CREATE TABLE IF NOT EXISTS raw.airports (
  faa STRING,
  name STRING,
  lat FLOAT64,
  lon FLOAT64,
  alt INT64,
  tz INT64,
  dst STRING,
  tzone STRING
);
