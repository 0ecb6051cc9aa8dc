-- What each agent is on each of the days $days, from all raw flights of the 28 days that end on the day.
WITH scheduled AS (
  SELECT published.day AS state_date, flights.*
  FROM (SELECT unnest($days) AS day) AS published
  JOIN raw.flights ON flights.flight_date BETWEEN published.day - 27 AND published.day
  WHERE flights.carrier IS NOT NULL
), fleets AS (
  SELECT state_date, carrier, count(DISTINCT tailnum) AS tails FROM scheduled GROUP BY ALL
), origins AS (
  SELECT state_date, carrier, origin, count(*) AS departures FROM scheduled WHERE origin IS NOT NULL GROUP BY ALL
), hubs AS (
  SELECT state_date, carrier, first(origin ORDER BY departures DESC, origin) AS hub FROM origins GROUP BY ALL
)
SELECT
  state_date,
  carrier AS agent_code,
  (SELECT any_value(name) FROM raw.airlines WHERE airlines.carrier = fleets.carrier) AS agent_name,
  hub AS hub_airport,
  CASE WHEN tails < 50 THEN 'small' WHEN tails < 200 THEN 'medium' ELSE 'large' END AS fleet_band
FROM fleets
LEFT JOIN hubs USING (state_date, carrier)
