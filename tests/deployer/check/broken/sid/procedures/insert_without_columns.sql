-- sid.insert_without_columns
-- INSERT by position.
--
-- reads:  -
-- writes: sid.agent
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.insert_without_columns()
BEGIN
  INSERT INTO sid.agent VALUES ('AA', 'American', 3, CURRENT_DATE());
END;
