-- ops.count_agents
-- Counts the agents.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE ops.count_agents(OUT counted INT64)
BEGIN
  SET counted = (SELECT COUNT(*) FROM sid.agent);
END;
