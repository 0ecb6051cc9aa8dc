-- sid.merge_insert_row
-- INSERT ROW in a MERGE.
--
-- reads:  sid.agent
-- writes: sid.agent
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.merge_insert_row()
BEGIN
  MERGE sid.agent AS a
  USING (SELECT code, name, seats, since FROM sid.agent WHERE seats > 3) AS s ON a.code = s.code
  WHEN NOT MATCHED THEN INSERT ROW;
END;
