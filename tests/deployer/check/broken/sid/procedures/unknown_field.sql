-- sid.unknown_field
-- The record of a loop has no such field.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unknown_field()
BEGIN
  FOR agent IN (SELECT code, name FROM sid.agent) DO
    SELECT agent.seats;
  END FOR;
END;
