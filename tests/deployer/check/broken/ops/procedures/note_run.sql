-- ops.note_run
-- Notes how a run ended.
--
-- reads:  -
-- writes: ops.runs
-- calls:  -
CREATE OR REPLACE PROCEDURE ops.note_run(
  IN in_run STRING,
  IN in_status STRING
)
BEGIN
  UPDATE ops.runs SET status = in_status
  WHERE started_at >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 7 DAY) AND run_id = in_run;
END;
