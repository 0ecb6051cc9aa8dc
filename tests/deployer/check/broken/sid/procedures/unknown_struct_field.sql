-- sid.unknown_struct_field
-- The elements of the array have no such field.
--
-- reads:  raw.flights
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unknown_struct_field()
BEGIN
  SELECT tag.label FROM raw.flights AS f CROSS JOIN UNNEST(f.tags) AS tag WHERE f.flight_date = CURRENT_DATE();
END;
