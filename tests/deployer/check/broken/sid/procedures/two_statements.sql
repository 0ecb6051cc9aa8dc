-- sid.two_statements
-- A file that creates two objects.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.two_statements()
BEGIN
  SELECT 1;
END;
SELECT 2;
