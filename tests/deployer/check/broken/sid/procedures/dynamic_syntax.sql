-- sid.dynamic_syntax
-- Dynamic SQL is not SQL.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.dynamic_syntax()
BEGIN
  EXECUTE IMMEDIATE 'SELECT code FORM sid.agent';
END;
