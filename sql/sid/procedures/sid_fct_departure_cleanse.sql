-- sid.sid_fct_departure_cleanse
-- Stages the window's departures: one row a natural key, with impossible rows set aside.
--
-- args:   window_start, window_end DATE (inclusive); write_mode 'truncate' or 'delta'; run_id; OUT rows_affected
-- reads:  raw.flights, raw.planes
-- writes: staging.fct_departure, ops.rejected_rows
-- calls:  -
-- rerun:  safe: replaces what an earlier attempt staged and rejected
CREATE OR REPLACE PROCEDURE sid.sid_fct_departure_cleanse(
  IN window_start DATE,
  IN window_end DATE,
  IN write_mode STRING,
  IN run_id STRING,
  OUT rows_affected INT64
)
BEGIN
  DELETE FROM staging.fct_departure WHERE flight_date IS NOT NULL;
  DELETE FROM ops.rejected_rows
  WHERE
    business_date BETWEEN window_start AND window_end
    AND transfer = 'sid_fct_departure';

  CREATE TEMP TABLE checked_flight AS
  SELECT
    f.*,
    CASE
      WHEN f.carrier IS NULL THEN 'missing carrier'
      WHEN f.flight IS NULL THEN 'missing flight'
      WHEN f.origin IS NULL THEN 'missing origin'
      WHEN f.dest IS NULL THEN 'missing destination'
      WHEN f.sched_dep_time IS NULL THEN 'missing scheduled time'
      WHEN f.sched_dep_time NOT BETWEEN 0 AND 2359 OR MOD(f.sched_dep_time, 100) > 59 THEN 'impossible scheduled time'
    END AS reject_reason,
    TO_JSON_STRING(f) AS row_json
  FROM raw.flights AS f
  WHERE f.flight_date BETWEEN window_start AND window_end;

  INSERT INTO ops.rejected_rows (transfer, business_date, reason, row_json, source_run, rejected_at)
  SELECT
    'sid_fct_departure' AS transfer,
    c.flight_date AS business_date,
    c.reject_reason AS reason,
    c.row_json,
    run_id AS source_run,
    CURRENT_TIMESTAMP() AS rejected_at
  FROM checked_flight AS c
  WHERE c.reject_reason IS NOT NULL;

  INSERT INTO staging.fct_departure (
    departure_key,
    flight_date,
    agent_code,
    flight_number,
    tail_number,
    origin,
    destination,
    scheduled_departure,
    departure_delay_minutes,
    arrival_delay_minutes,
    is_cancelled,
    air_time_minutes,
    distance_miles,
    seats
  )
  SELECT
    TO_HEX(SHA256(CONCAT(
      CAST(c.flight_date AS STRING), '|', c.carrier, '|', CAST(c.flight AS STRING), '|',
      c.origin, '|', CAST(c.sched_dep_time AS STRING)
    ))) AS departure_key,
    c.flight_date,
    c.carrier AS agent_code,
    c.flight AS flight_number,
    c.tailnum AS tail_number,
    c.origin,
    c.dest AS destination,
    DATETIME(c.flight_date, TIME(DIV(c.sched_dep_time, 100), MOD(c.sched_dep_time, 100), 0)) AS scheduled_departure,
    c.dep_delay AS departure_delay_minutes,
    c.arr_delay AS arrival_delay_minutes,
    c.dep_time IS NULL AS is_cancelled,
    c.air_time AS air_time_minutes,
    c.distance AS distance_miles,
    p.seats
  FROM checked_flight AS c
  LEFT JOIN raw.planes AS p ON c.tailnum = p.tailnum
  WHERE c.reject_reason IS NULL
  -- The whole row as text makes the order total: which duplicate stays never depends on the plan.
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY c.flight_date, c.carrier, c.flight, c.origin, c.sched_dep_time
    ORDER BY c.time_hour DESC, c.row_json ASC, p.seats ASC
  ) = 1;
  SET rows_affected = @@row_count;
  DROP TABLE checked_flight;
END;
