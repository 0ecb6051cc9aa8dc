-- sid.sid_dim_agent_cleanse
-- Stages what each agent was on each day of the window, from the 28 days that end on it.
--
-- args:   window_start, window_end DATE (inclusive); write_mode 'truncate' or 'delta'; run_id; OUT rows_affected
-- reads:  raw.airlines, raw.flights
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
  ),

  recent_flights AS (
    SELECT
      f.flight_date,
      f.carrier,
      f.origin,
      f.tailnum
    FROM raw.flights AS f
    WHERE
      f.flight_date BETWEEN DATE_SUB(window_start, INTERVAL 27 DAY) AND window_end
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
  )

  SELECT
    f.state_day AS state_date,
    f.carrier AS agent_code,
    a.name AS agent_name,
    h.hub_airport,
    CASE
      WHEN f.tail_numbers < 50 THEN 'small'
      WHEN f.tail_numbers < 200 THEN 'medium'
      ELSE 'large'
    END AS fleet_band
  FROM fleets AS f
  LEFT JOIN hubs AS h ON f.state_day = h.state_day AND f.carrier = h.carrier
  LEFT JOIN raw.airlines AS a ON f.carrier = a.carrier;
  SET rows_affected = @@row_count;
END;
