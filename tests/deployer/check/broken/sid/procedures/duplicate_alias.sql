-- sid.duplicate_alias
-- Two tables of one FROM have one name.
--
-- reads:  sid.agent, sid.departure
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.duplicate_alias()
BEGIN
  SELECT 1 FROM sid.agent AS a CROSS JOIN sid.departure AS a WHERE TRUE;
END;
