-- sid.sid_fct_departure_cleanup
-- Empties staging, whatever became of the run.
--
-- args:   window_start, window_end DATE (inclusive); write_mode 'truncate' or 'delta'; run_id; OUT rows_affected
-- reads:  -
-- writes: staging.fct_departure
-- calls:  -
-- rerun:  safe: an empty table stays empty
CREATE OR REPLACE PROCEDURE sid.sid_fct_departure_cleanup(
  IN window_start DATE,
  IN window_end DATE,
  IN write_mode STRING,
  IN run_id STRING,
  OUT rows_affected INT64
)
BEGIN
  DELETE FROM staging.fct_departure WHERE flight_date IS NOT NULL;
  SET rows_affected = @@row_count;
END;
