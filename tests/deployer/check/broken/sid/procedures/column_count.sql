-- sid.column_count
-- INSERT gives fewer values than it names columns.
--
-- reads:  sid.agent
-- writes: sid.agent
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.column_count()
BEGIN
  INSERT INTO sid.agent (code, name, seats)
  SELECT code, name FROM sid.agent;
END;
