-- sid.unused_parameter
-- A parameter that nobody reads.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unused_parameter(IN day DATE)
BEGIN
  SELECT 1;
END;
