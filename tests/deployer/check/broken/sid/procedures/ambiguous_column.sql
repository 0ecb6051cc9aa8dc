-- sid.ambiguous_column
-- Both tables have the column.
--
-- reads:  sid.agent, sid.departure
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.ambiguous_column()
BEGIN
  SELECT code FROM sid.agent AS a INNER JOIN sid.departure AS d ON a.code = d.code WHERE d.flight_date = CURRENT_DATE();
END;
