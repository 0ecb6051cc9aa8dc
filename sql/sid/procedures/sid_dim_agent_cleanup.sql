-- sid.sid_dim_agent_cleanup
-- Empties staging, whatever became of the run.
--
-- args:   window_start, window_end DATE (inclusive); write_mode 'truncate' or 'delta'; run_id; OUT rows_affected
-- reads:  -
-- writes: staging.agent_daily_state
-- calls:  -
-- rerun:  safe: an empty table stays empty
CREATE OR REPLACE PROCEDURE sid.sid_dim_agent_cleanup(
  IN window_start DATE,
  IN window_end DATE,
  IN write_mode STRING,
  IN run_id STRING,
  OUT rows_affected INT64
)
BEGIN
  DELETE FROM staging.agent_daily_state WHERE state_date IS NOT NULL;
  SET rows_affected = @@row_count;
END;
