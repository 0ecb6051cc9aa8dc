-- sid.wrong_name
-- The CREATE makes another object.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.right_name()
BEGIN
  SELECT 1;
END;
