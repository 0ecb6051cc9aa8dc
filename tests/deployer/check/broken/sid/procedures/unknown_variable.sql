-- sid.unknown_variable
-- The variable is not declared.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unknown_variable()
BEGIN
  DECLARE lowest INT64 DEFAULT 3;
  SELECT code FROM sid.agent WHERE seats > lowes AND seats < lowest;
END;
