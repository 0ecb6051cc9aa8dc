-- sid.unknown_insert_column
-- INSERT lists a column that is not there.
--
-- reads:  -
-- writes: sid.agent
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unknown_insert_column()
BEGIN
  INSERT INTO sid.agent (code, title) VALUES ('AA', 'American');
END;
