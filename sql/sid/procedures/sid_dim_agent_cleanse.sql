-- sid.sid_dim_agent_cleanse
-- Stages what each agent was on each day of the window, from the 28 days that end on it, and again on the published
-- days after the window that look back on it: rows that came late or were corrected change those too.
--
-- args:   window_start, window_end DATE (inclusive); write_mode 'truncate' or 'delta'; run_id; OUT rows_affected
-- reads:  ops.published_days, raw.airlines, raw.flights
-- writes: staging.agent_daily_state
-- calls:  -
-- rerun:  safe: replaces what an earlier attempt staged
CREATE OR REPLACE PROCEDURE sid.sid_dim_agent_cleanse(
  IN window_start DATE,
  IN window_end DATE,
  IN write_mode STRING,
  IN run_id STRING,
  OUT rows_affected INT64
)
BEGIN
  DELETE FROM staging.agent_daily_state WHERE state_date IS NOT NULL;

  INSERT INTO staging.agent_daily_state (state_date, agent_code, agent_name, hub_airport, fleet_band)
  WITH
  state_days AS (
    SELECT state_day FROM UNNEST(GENERATE_DATE_ARRAY(window_start, window_end)) AS state_day
    UNION DISTINCT
    SELECT published_day AS state_day
    FROM ops.published_days
    WHERE
      transfer = 'sid_dim_agent'
      AND write_mode = 'delta'
      AND published_day BETWEEN DATE_ADD(window_end, INTERVAL 1 DAY) AND DATE_ADD(window_end, INTERVAL 27 DAY)
  ),

  recent_flights AS (
    SELECT
      f.flight_date,
      f.carrier,
      f.origin,
      f.tailnum
    FROM raw.flights AS f
    WHERE
      f.flight_date >= DATE_SUB(window_start, INTERVAL 27 DAY)
      AND f.flight_date <= IF(write_mode = 'delta', DATE_ADD(window_end, INTERVAL 27 DAY), window_end)
      AND f.carrier IS NOT NULL
  ),

  -- Counted by day first: each day is part of 28 states, so a day's rows are few before they multiply.
  daily_origins AS (
    SELECT
      flight_date,
      carrier,
      origin,
      COUNT(*) AS departures
    FROM recent_flights
    WHERE origin IS NOT NULL
    GROUP BY flight_date, carrier, origin
  ),

  hubs AS (
    SELECT
      d.state_day,
      o.carrier,
      o.origin AS hub_airport
    FROM state_days AS d
    INNER JOIN daily_origins AS o
      ON o.flight_date BETWEEN DATE_SUB(d.state_day, INTERVAL 27 DAY) AND d.state_day
    GROUP BY d.state_day, o.carrier, o.origin
    QUALIFY ROW_NUMBER() OVER (
      PARTITION BY d.state_day, o.carrier
      ORDER BY SUM(o.departures) DESC, o.origin ASC
    ) = 1
  ),

  daily_tails AS (
    SELECT DISTINCT
      flight_date,
      carrier,
      tailnum
    FROM recent_flights
  ),

  fleets AS (
    SELECT
      d.state_day,
      t.carrier,
      COUNT(DISTINCT t.tailnum) AS tail_numbers
    FROM state_days AS d
    INNER JOIN daily_tails AS t
      ON t.flight_date BETWEEN DATE_SUB(d.state_day, INTERVAL 27 DAY) AND d.state_day
    GROUP BY d.state_day, t.carrier
  ),

  -- One name a carrier, even if its row landed twice.
  names AS (
    SELECT
      carrier,
      MIN(name) AS agent_name
    FROM raw.airlines
    GROUP BY carrier
  )

  SELECT
    f.state_day AS state_date,
    f.carrier AS agent_code,
    n.agent_name,
    h.hub_airport,
    CASE
      WHEN f.tail_numbers < 50 THEN 'small'
      WHEN f.tail_numbers < 200 THEN 'medium'
      ELSE 'large'
    END AS fleet_band
  FROM fleets AS f
  LEFT JOIN hubs AS h ON f.state_day = h.state_day AND f.carrier = h.carrier
  LEFT JOIN names AS n ON f.carrier = n.carrier;
  SET rows_affected = @@row_count;
END;
