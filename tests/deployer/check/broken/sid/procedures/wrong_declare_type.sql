-- sid.wrong_declare_type
-- The default does not fit the variable.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.wrong_declare_type()
BEGIN
  DECLARE since DATE DEFAULT 3;
  SELECT since;
END;
