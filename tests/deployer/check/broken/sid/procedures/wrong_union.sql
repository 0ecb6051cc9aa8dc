-- sid.wrong_union
-- The branches have no common type.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.wrong_union()
BEGIN
  SELECT code FROM sid.agent UNION ALL SELECT seats FROM sid.agent;
END;
