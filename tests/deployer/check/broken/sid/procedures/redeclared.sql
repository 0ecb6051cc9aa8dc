-- sid.redeclared
-- A nested block declares the name again.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.redeclared()
BEGIN
  DECLARE counted INT64 DEFAULT 1;
  SELECT counted;
  BEGIN
    DECLARE counted INT64 DEFAULT 2;
    SELECT counted;
  END;
END;
