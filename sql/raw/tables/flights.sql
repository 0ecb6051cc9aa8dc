-- raw.flights
-- Flights as they landed: times are local HHMM numbers, delays are minutes.
CREATE TABLE IF NOT EXISTS raw.flights (
  year INT64,
  month INT64,
  day INT64,
  dep_time INT64,
  sched_dep_time INT64,
  dep_delay INT64,
  arr_time INT64,
  sched_arr_time INT64,
  arr_delay INT64,
  carrier STRING,
  flight INT64,
  tailnum STRING,
  origin STRING,
  dest STRING,
  air_time INT64,
  distance INT64,
  hour INT64,
  minute INT64,
  time_hour TIMESTAMP OPTIONS (description = 'scheduled hour, UTC'),
  flight_date DATE OPTIONS (description = 'the day of year, month and day')
)
PARTITION BY flight_date;
