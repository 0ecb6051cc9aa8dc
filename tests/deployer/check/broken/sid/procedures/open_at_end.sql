-- sid.open_at_end
-- A transaction without an end.
--
-- reads:  -
-- writes: sid.agent
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.open_at_end()
BEGIN
  BEGIN TRANSACTION;
  DELETE FROM sid.agent WHERE TRUE;
END;
