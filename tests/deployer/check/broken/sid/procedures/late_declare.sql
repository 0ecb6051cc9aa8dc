-- sid.late_declare
-- DECLARE after another statement.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.late_declare()
BEGIN
  SELECT 1;
  DECLARE counted INT64;
  SELECT counted;
END;
