-- The departures of the days $days: one row a natural key, of duplicates the one with the latest time_hour.
-- departure_key is left out: only that it is one hash a natural key is fixed, not which text is hashed.
WITH sound AS (
  SELECT *
  FROM raw.flights
  WHERE flight_date IN (SELECT unnest($days))
    AND carrier IS NOT NULL AND flight IS NOT NULL AND origin IS NOT NULL AND dest IS NOT NULL
    AND sched_dep_time BETWEEN 0 AND 2359 AND sched_dep_time % 100 < 60
), kept AS (
  SELECT DISTINCT *
  FROM sound
  QUALIFY 1 = rank() OVER (
    PARTITION BY flight_date, carrier, flight, origin, sched_dep_time ORDER BY time_hour DESC NULLS LAST
  )
)
SELECT
  flight_date,
  carrier AS agent_code,
  flight AS flight_number,
  tailnum AS tail_number,
  origin,
  dest AS destination,
  make_timestamp(year, month, day, sched_dep_time // 100, sched_dep_time % 100, 0) AS scheduled_departure,
  dep_delay AS departure_delay_minutes,
  arr_delay AS arrival_delay_minutes,
  dep_time IS NULL AS is_cancelled,
  air_time AS air_time_minutes,
  distance AS distance_miles,
  (SELECT any_value(seats) FROM raw.planes WHERE planes.tailnum = kept.tailnum) AS seats
FROM kept
