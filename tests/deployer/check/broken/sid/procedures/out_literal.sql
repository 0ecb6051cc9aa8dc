-- sid.out_literal
-- An OUT argument that is no variable.
--
-- reads:  -
-- writes: -
-- calls:  ops.count_agents
CREATE OR REPLACE PROCEDURE sid.out_literal()
BEGIN
  CALL ops.count_agents(3);
END;
