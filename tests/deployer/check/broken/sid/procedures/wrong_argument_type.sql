-- sid.wrong_argument_type
-- The function takes no such type.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.wrong_argument_type()
BEGIN
  SELECT DATE_ADD(a.name, INTERVAL 1 DAY) FROM sid.agent AS a;
END;
