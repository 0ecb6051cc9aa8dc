-- ops.finish_run
-- Closes the ledger's row of a run.
--
-- args:   in_run_id, in_status, in_rows_in, in_rows_published, in_rows_rejected, in_bytes_billed, in_error
-- reads:  -
-- writes: ops.runs
-- calls:  -
-- rerun:  safe: sets the same values
CREATE OR REPLACE PROCEDURE ops.finish_run(
  IN in_run_id STRING,
  IN in_status STRING,
  IN in_rows_in INT64,
  IN in_rows_published INT64,
  IN in_rows_rejected INT64,
  IN in_bytes_billed INT64,
  IN in_error STRING
)
BEGIN
  UPDATE ops.runs
  SET
    status = in_status,
    ended_at = CURRENT_TIMESTAMP(),
    rows_in = in_rows_in,
    rows_published = in_rows_published,
    rows_rejected = in_rows_rejected,
    bytes_billed = in_bytes_billed,
    error = in_error
  WHERE run_id = in_run_id;
END;
