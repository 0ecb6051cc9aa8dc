-- ops.begin_run
-- Takes the lease of a transfer and opens the ledger's row of the run; also says which runs ended without a word.
--
-- args:   in_run_id, in_transfer, in_window_start, in_window_end, in_write_mode, in_backfill_start, in_backfill_end,
--         in_code_version, in_seconds (of the lease), out_acquired, out_holder, out_since, out_until,
--         out_left: the transfer's runs that are not closed; without the lease it is NULL, and no row is opened
-- reads:  ops.runs
-- writes: ops.runs
-- calls:  ops.acquire_lease
-- rerun:  safe: a run has one row
CREATE OR REPLACE PROCEDURE ops.begin_run(
  IN in_run_id STRING,
  IN in_transfer STRING,
  IN in_window_start DATE,
  IN in_window_end DATE,
  IN in_write_mode STRING,
  IN in_backfill_start DATE,
  IN in_backfill_end DATE,
  IN in_code_version STRING,
  IN in_seconds INT64,
  OUT out_acquired BOOL,
  OUT out_holder STRING,
  OUT out_since TIMESTAMP,
  OUT out_until TIMESTAMP,
  OUT out_left ARRAY<STRUCT<left_run STRING, left_start DATE, left_end DATE, left_mode STRING>>
)
BEGIN
  CALL ops.acquire_lease(in_transfer, in_run_id, in_seconds, out_acquired, out_holder, out_since, out_until);
  IF out_acquired THEN
    -- BigQuery ends every job within a day; a month leaves room for whoever has to look at it.
    SET out_left = ARRAY(
      SELECT AS STRUCT
        run_id AS left_run,
        window_start AS left_start,
        window_end AS left_end,
        write_mode AS left_mode
      FROM ops.runs
      WHERE
        started_at > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 30 DAY)
        AND transfer = in_transfer
        AND status = 'running'
        AND run_id != in_run_id
      ORDER BY started_at
    );
    IF NOT EXISTS (
      SELECT 1 FROM ops.runs
      WHERE started_at > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 30 DAY) AND run_id = in_run_id
    ) THEN
      INSERT INTO ops.runs (
        run_id, transfer, window_start, window_end, write_mode, status, started_at, code_version, started_by,
        backfill_start, backfill_end
      ) VALUES (
        in_run_id, in_transfer, in_window_start, in_window_end, in_write_mode, 'running', CURRENT_TIMESTAMP(),
        in_code_version, SESSION_USER(), in_backfill_start, in_backfill_end
      );
    END IF;
  END IF;
END;
