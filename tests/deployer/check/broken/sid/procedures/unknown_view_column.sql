-- sid.unknown_view_column
-- The view has no such column.
--
-- reads:  sid.agents_today
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unknown_view_column()
BEGIN
  SELECT v.code, v.seats FROM sid.agents_today AS v;
END;
