-- sid.undeclared_set
-- SET of what is no variable.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.undeclared_set()
BEGIN
  DECLARE counted INT64;
  SET count_ = 3;
  SELECT counted;
END;
