-- sid.syntax_end_if
-- END IF is missing.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.syntax_end_if()
BEGIN
  IF TRUE THEN
    SELECT 1;
END;
