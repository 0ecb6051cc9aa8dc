-- sid.wrong_comparison
-- The two sides have no common type.
--
-- reads:  sid.agent, sid.departure
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.wrong_comparison()
BEGIN
  SELECT a.code FROM sid.agent AS a INNER JOIN sid.departure AS d ON a.code = d.flight WHERE d.flight_date = CURRENT_DATE();
END;
