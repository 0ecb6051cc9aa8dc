-- ops.settle_runs
-- Closes the ledger's rows of a transfer's runs that ended without a word; for the holder of the lease, once it has
-- ended their jobs.
--
-- args:   in_transfer, in_run_id (of the holder)
-- reads:  ops.published_windows
-- writes: ops.runs
-- calls:  ops.require_lease
-- rerun:  safe: what is settled stays so
CREATE OR REPLACE PROCEDURE ops.settle_runs(
  IN in_transfer STRING,
  IN in_run_id STRING
)
BEGIN
  DECLARE published_runs ARRAY<STRING>;
  CALL ops.require_lease(in_transfer, in_run_id);
  SET published_runs = ARRAY(
    SELECT w.run_id FROM ops.published_windows AS w
    WHERE w.transfer = in_transfer AND w.published_at > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 30 DAY)
  );
  UPDATE ops.runs
  SET
    status = IF(run_id IN UNNEST(published_runs), 'published', 'failed'),
    ended_at = CURRENT_TIMESTAMP(),
    error = FORMAT('Its process ended without a word; run %s settled what it left.', in_run_id)
  WHERE
    started_at > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 30 DAY)
    AND transfer = in_transfer
    AND status = 'running'
    AND run_id != in_run_id;
END;
