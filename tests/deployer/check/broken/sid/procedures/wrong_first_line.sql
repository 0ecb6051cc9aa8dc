-- sid.another
-- The first line names another object.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.wrong_first_line()
BEGIN
  SELECT 1;
END;
