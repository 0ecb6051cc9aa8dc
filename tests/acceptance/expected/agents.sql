-- Runs of equal agent_states over the published days $days. A run ends the day before the next published day on
-- which the agent is something else, or nothing; the run that lasts to the last published day is current.
WITH published AS (
  SELECT unnest($days) AS day
), agents AS (
  SELECT DISTINCT agent_code FROM agent_states
), described AS (
  SELECT
    agents.agent_code,
    published.day,
    CASE WHEN states.agent_code IS NOT NULL THEN row(states.agent_name, states.hub_airport, states.fleet_band) END AS state
  FROM agents
  CROSS JOIN published
  LEFT JOIN agent_states AS states ON states.agent_code = agents.agent_code AND states.state_date = published.day
), changes AS (
  SELECT * FROM described
  QUALIFY state IS DISTINCT FROM lag(state) OVER (PARTITION BY agent_code ORDER BY day)
), runs AS (
  SELECT *, CAST(lead(day) OVER (PARTITION BY agent_code ORDER BY day) - 1 AS DATE) AS valid_to FROM changes
)
SELECT
  agent_code,
  state[1] AS agent_name,
  state[2] AS hub_airport,
  state[3] AS fleet_band,
  day AS valid_from,
  valid_to,
  valid_to IS NULL AS is_current
FROM runs
WHERE state IS NOT NULL
