-- One row a day and agent, of the tables departures and agents. The share is rounded half up in whole numbers.
SELECT
  flight_date,
  agent_code,
  (
    SELECT agents.agent_name
    FROM agents
    WHERE agents.agent_code = departures.agent_code
      AND departures.flight_date >= agents.valid_from
      AND (agents.valid_to IS NULL OR departures.flight_date <= agents.valid_to)
  ) AS agent_name,
  count(*) AS departures,
  count(*) FILTER (is_cancelled) AS cancelled,
  count(*) FILTER (departure_delay_minutes >= 15) AS delayed_15,
  sum(departure_delay_minutes)::BIGINT AS departure_delay_minutes_total,
  sum(distance_miles)::BIGINT AS distance_miles_total,
  CAST(
    (20000 * count(*) FILTER (NOT is_cancelled AND departure_delay_minutes < 15) + count(*))
    // (2 * count(*)) / 10000 AS DECIMAL(9, 4)
  ) AS on_time_share
FROM departures
GROUP BY ALL
