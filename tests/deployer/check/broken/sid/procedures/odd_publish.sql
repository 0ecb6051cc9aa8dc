-- sid.odd_publish
-- Completes a transfer.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.odd_publish(
  IN window_start DATE,
  IN window_end DATE,
  IN write_mode STRING,
  IN run_id STRING,
  OUT rows_affected INT64
)
BEGIN
  BEGIN TRANSACTION;
  SET rows_affected = 0;
  COMMIT TRANSACTION;
END;
