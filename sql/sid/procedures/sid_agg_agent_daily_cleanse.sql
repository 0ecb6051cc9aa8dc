-- sid.sid_agg_agent_daily_cleanse
-- Stages the daily figures of the window from the published facts and dimension.
--
-- args:   window_start, window_end DATE (inclusive); write_mode 'truncate' or 'delta'; run_id; OUT rows_affected
-- reads:  sid.dim_agent, sid.fct_departure
-- writes: staging.agg_agent_daily
-- calls:  -
-- rerun:  safe: replaces what an earlier attempt staged
CREATE OR REPLACE PROCEDURE sid.sid_agg_agent_daily_cleanse(
  IN window_start DATE,
  IN window_end DATE,
  IN write_mode STRING,
  IN run_id STRING,
  OUT rows_affected INT64
)
BEGIN
  DELETE FROM staging.agg_agent_daily WHERE flight_date IS NOT NULL;

  INSERT INTO staging.agg_agent_daily (
    flight_date,
    agent_code,
    agent_name,
    departures,
    cancelled,
    delayed_15,
    departure_delay_minutes_total,
    distance_miles_total,
    on_time_share
  )
  SELECT
    f.flight_date,
    f.agent_code,
    d.agent_name,
    COUNT(*) AS departures,
    COUNTIF(f.is_cancelled) AS cancelled,
    COUNTIF(f.departure_delay_minutes >= 15) AS delayed_15,
    COALESCE(SUM(f.departure_delay_minutes), 0) AS departure_delay_minutes_total,
    COALESCE(SUM(f.distance_miles), 0) AS distance_miles_total,
    ROUND(CAST(COUNTIF(f.departure_delay_minutes < 15) AS NUMERIC) / COUNT(*), 4) AS on_time_share
  FROM sid.fct_departure AS f
  LEFT JOIN sid.dim_agent AS d
    ON
      f.agent_code = d.agent_code
      AND f.flight_date >= d.valid_from
      AND (d.valid_to IS NULL OR f.flight_date <= d.valid_to)
  WHERE f.flight_date BETWEEN window_start AND window_end
  GROUP BY f.flight_date, f.agent_code, d.agent_name;
  SET rows_affected = @@row_count;
END;
