-- The raw rows of the days $days that no departure can be made of.
SELECT *
FROM raw.flights
WHERE flight_date IN (SELECT unnest($days))
  AND (
    carrier IS NULL OR flight IS NULL OR origin IS NULL OR dest IS NULL
    OR sched_dep_time IS NULL OR sched_dep_time NOT BETWEEN 0 AND 2359 OR sched_dep_time % 100 > 59
  )
