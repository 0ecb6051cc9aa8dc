-- sid.out_unknown
-- An OUT argument that nobody declared.
--
-- reads:  -
-- writes: -
-- calls:  ops.count_agents
CREATE OR REPLACE PROCEDURE sid.out_unknown()
BEGIN
  DECLARE counted INT64;
  CALL ops.count_agents(counted);
  SELECT counted;
  CALL ops.count_agents(count_2);
END;
