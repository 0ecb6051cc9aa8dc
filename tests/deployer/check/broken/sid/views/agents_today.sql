-- sid.agents_today
-- The agents that flew today.
--
-- reads:  sid.agent, sid.departure
CREATE OR REPLACE VIEW sid.agents_today AS
SELECT
  a.code,
  a.name,
  COUNT(*) AS departures
FROM sid.agent AS a
INNER JOIN sid.departure AS d ON a.code = d.code
WHERE d.flight_date = CURRENT_DATE()
GROUP BY a.code, a.name;
