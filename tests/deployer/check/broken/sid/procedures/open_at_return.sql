-- sid.open_at_return
-- A RETURN leaves the transaction open.
--
-- reads:  -
-- writes: sid.agent
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.open_at_return()
BEGIN
  BEGIN TRANSACTION;
  DELETE FROM sid.agent WHERE TRUE;
  IF @@row_count = 0 THEN
    RETURN;
  END IF;
  COMMIT TRANSACTION;
END;
