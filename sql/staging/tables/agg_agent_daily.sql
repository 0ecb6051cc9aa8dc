-- staging.agg_agent_daily
-- Daily figures of the window that is being published; empty between runs.
CREATE TABLE IF NOT EXISTS staging.agg_agent_daily (
  flight_date DATE,
  agent_code STRING,
  agent_name STRING OPTIONS (description = 'as valid on that day'),
  departures INT64,
  cancelled INT64,
  delayed_15 INT64 OPTIONS (description = 'departed 15 minutes late or more'),
  departure_delay_minutes_total INT64,
  distance_miles_total INT64,
  on_time_share NUMERIC OPTIONS (description = 'departed under 15 minutes late / departures')
)
PARTITION BY flight_date;
