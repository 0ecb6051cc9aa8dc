-- sid.agent_daily_state
-- What each agent was on each published day: sid.dim_agent is derived from it.
CREATE TABLE IF NOT EXISTS sid.agent_daily_state (
  state_date DATE,
  agent_code STRING,
  agent_name STRING,
  hub_airport STRING,
  fleet_band STRING
)
PARTITION BY state_date
CLUSTER BY agent_code;
