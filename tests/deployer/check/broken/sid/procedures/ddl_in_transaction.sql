-- sid.ddl_in_transaction
-- A permanent table is dropped in a transaction.
--
-- reads:  -
-- writes: sid.agent
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.ddl_in_transaction()
BEGIN
  BEGIN TRANSACTION;
  DROP TABLE sid.agent;
  COMMIT TRANSACTION;
END;
