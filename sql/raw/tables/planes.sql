-- raw.planes
-- Planes by tail number.
CREATE TABLE IF NOT EXISTS raw.planes (
  tailnum STRING,
  year INT64,
  type STRING,
  manufacturer STRING,
  model STRING,
  engines INT64,
  seats INT64,
  speed INT64,
  engine STRING
);
