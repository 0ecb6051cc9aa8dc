-- ops.start_run
-- Opens the ledger's row of a run.
--
-- args:   in_run_id, in_transfer, in_window_start, in_window_end, in_write_mode, in_code_version
-- reads:  ops.runs
-- writes: ops.runs
-- calls:  -
-- rerun:  safe: a run has one row
CREATE OR REPLACE PROCEDURE ops.start_run(
  IN in_run_id STRING,
  IN in_transfer STRING,
  IN in_window_start DATE,
  IN in_window_end DATE,
  IN in_write_mode STRING,
  IN in_code_version STRING
)
BEGIN
  MERGE ops.runs AS r
  USING (SELECT in_run_id AS this_run) AS n
    ON r.run_id = n.this_run
  WHEN NOT MATCHED THEN INSERT (
    run_id, transfer, window_start, window_end, write_mode, status, started_at, code_version, started_by
  ) VALUES (
    in_run_id, in_transfer, in_window_start, in_window_end, in_write_mode, 'running', CURRENT_TIMESTAMP(),
    in_code_version, SESSION_USER()
  );
END;
