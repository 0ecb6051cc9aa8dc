-- sid.unknown_update_column
-- UPDATE sets a column that is not there.
--
-- reads:  -
-- writes: sid.agent
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unknown_update_column()
BEGIN
  UPDATE sid.agent SET seat = 3 WHERE code = 'AA';
END;
