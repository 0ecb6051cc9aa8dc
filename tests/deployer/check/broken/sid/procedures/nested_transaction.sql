-- sid.nested_transaction
-- A transaction in a transaction.
--
-- reads:  -
-- writes: sid.agent
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.nested_transaction()
BEGIN
  BEGIN TRANSACTION;
  BEGIN TRANSACTION;
  DELETE FROM sid.agent WHERE TRUE;
  COMMIT TRANSACTION;
END;
