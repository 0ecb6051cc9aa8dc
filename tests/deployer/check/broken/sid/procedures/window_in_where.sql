-- sid.window_in_where
-- A window function cannot stand in WHERE.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.window_in_where()
BEGIN
  SELECT code FROM sid.agent WHERE ROW_NUMBER() OVER (ORDER BY code) = 1;
END;
