-- sid.odd_cleanse
-- A transfer's procedure with a signature of its own.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.odd_cleanse(OUT rows_affected INT64)
BEGIN
  SET rows_affected = 0;
END;
