-- sid.open_in_handler
-- The handler leaves the transaction open.
--
-- reads:  -
-- writes: sid.agent
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.open_in_handler()
BEGIN
  BEGIN
    BEGIN TRANSACTION;
    DELETE FROM sid.agent WHERE TRUE;
    COMMIT TRANSACTION;
  EXCEPTION WHEN ERROR THEN
    SELECT @@error.message;
  END;
END;
