-- sid.wrong_update_type
-- The value does not fit the column.
--
-- reads:  -
-- writes: sid.agent
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.wrong_update_type()
BEGIN
  UPDATE sid.agent SET seats = 'many' WHERE code = 'AA';
END;
