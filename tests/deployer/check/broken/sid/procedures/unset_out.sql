-- sid.unset_out
-- An OUT parameter that is never set.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unset_out(OUT counted INT64)
BEGIN
  SELECT 1;
END;
