-- sid.syntax_comma
-- A comma too many.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.syntax_comma()
BEGIN
  SELECT code, name, , seats FROM sid.agent;
END;
