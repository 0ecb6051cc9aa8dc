-- sid.unknown_system_variable
-- There is no such system variable.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unknown_system_variable()
BEGIN
  SELECT @@rows_affected;
END;
