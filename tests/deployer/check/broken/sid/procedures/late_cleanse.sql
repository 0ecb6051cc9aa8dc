-- sid.late_cleanse
-- Completes a transfer.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.late_cleanse(
  IN window_start DATE,
  IN window_end DATE,
  IN write_mode STRING,
  IN run_id STRING,
  OUT rows_affected INT64
)
BEGIN
  SET rows_affected = 0;
END;
