-- sid.syntax_keyword
-- A keyword is misspelt.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.syntax_keyword()
BEGIN
  SELECT code FROM sid.agent WERE seats > 3;
END;
