-- sid.undeclared_into
-- INTO what is no variable.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.undeclared_into()
BEGIN
  EXECUTE IMMEDIATE 'SELECT COUNT(*) FROM sid.agent' INTO counted;
END;
