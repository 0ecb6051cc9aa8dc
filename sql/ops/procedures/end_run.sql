-- ops.end_run
-- Closes the ledger's row of a run and frees its lease. What ops.published_windows says beats what the run knows.
--
-- args:   in_run_id, in_transfer, in_status, in_rows_in, in_rows_published, in_rows_rejected, in_bytes_billed,
--         in_slot_milliseconds, in_attempts, in_job_ids, in_retried, in_error, out_status: the one that holds
-- reads:  ops.published_windows
-- writes: ops.runs
-- calls:  ops.release_lease
-- rerun:  safe: sets the same values
CREATE OR REPLACE PROCEDURE ops.end_run(
  IN in_run_id STRING,
  IN in_transfer STRING,
  IN in_status STRING,
  IN in_rows_in INT64,
  IN in_rows_published INT64,
  IN in_rows_rejected INT64,
  IN in_bytes_billed INT64,
  IN in_slot_milliseconds INT64,
  IN in_attempts INT64,
  IN in_job_ids ARRAY<STRING>,
  IN in_retried ARRAY<STRING>,
  IN in_error STRING,
  OUT out_status STRING
)
BEGIN
  SET out_status = IF(
    EXISTS (SELECT 1 FROM ops.published_windows WHERE transfer = in_transfer AND run_id = in_run_id),
    'published',
    in_status
  );
  UPDATE ops.runs
  SET
    status = out_status,
    ended_at = CURRENT_TIMESTAMP(),
    rows_in = in_rows_in,
    rows_published = in_rows_published,
    rows_rejected = in_rows_rejected,
    bytes_billed = in_bytes_billed,
    slot_milliseconds = in_slot_milliseconds,
    attempts = in_attempts,
    job_ids = in_job_ids,
    retried = in_retried,
    error = in_error
  WHERE
    started_at > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 30 DAY)
    AND run_id = in_run_id;
  CALL ops.release_lease(in_transfer, in_run_id);
END;
