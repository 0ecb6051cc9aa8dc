-- raw.airlines
-- Carriers and their names.
CREATE TABLE IF NOT EXISTS raw.airlines (
  carrier STRING,
  name STRING
);
