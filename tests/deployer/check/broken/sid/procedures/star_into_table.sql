-- sid.star_into_table
-- * into a table.
--
-- reads:  sid.agent
-- writes: sid.agent
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.star_into_table()
BEGIN
  INSERT INTO sid.agent (code, name, seats, since) SELECT * FROM sid.agent;
END;
