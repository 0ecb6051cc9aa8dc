-- sid.dim_agent
-- Operating agents, slowly changing dimension of type 2.
CREATE TABLE IF NOT EXISTS sid.dim_agent (
  agent_code STRING,
  agent_name STRING,
  hub_airport STRING OPTIONS (description = 'origin with most scheduled departures in 28 days'),
  fleet_band STRING OPTIONS (description = 'small < 50, medium < 200, else large: tail numbers in 28 days'),
  valid_from DATE,
  valid_to DATE OPTIONS (description = 'last valid day, inclusive; NULL while current'),
  is_current BOOL
)
CLUSTER BY agent_code;
