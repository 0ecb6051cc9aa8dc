-- sid.unknown_column_of_alias
-- The aliased table has no such column.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unknown_column_of_alias()
BEGIN
  SELECT a.flight FROM sid.agent AS a;
END;
