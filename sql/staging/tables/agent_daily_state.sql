-- staging.agent_daily_state
-- Daily states of the window that is being published; empty between runs.
CREATE TABLE IF NOT EXISTS staging.agent_daily_state (
  state_date DATE,
  agent_code STRING,
  agent_name STRING,
  hub_airport STRING,
  fleet_band STRING
)
PARTITION BY state_date;
