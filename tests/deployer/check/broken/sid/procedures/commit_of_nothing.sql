-- sid.commit_of_nothing
-- COMMIT where no transaction is open.
--
-- reads:  -
-- writes: sid.agent
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.commit_of_nothing()
BEGIN
  DELETE FROM sid.agent WHERE TRUE;
  COMMIT TRANSACTION;
END;
