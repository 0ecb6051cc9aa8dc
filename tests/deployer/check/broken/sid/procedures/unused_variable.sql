-- sid.unused_variable
-- A variable that nobody reads.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unused_variable()
BEGIN
  DECLARE counted INT64 DEFAULT 0;
  SELECT 1;
END;
