-- sid.unpruned_timestamp
-- UPDATE without the time that cuts the table into days.
--
-- reads:  -
-- writes: ops.runs
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unpruned_timestamp(IN in_run STRING)
BEGIN
  UPDATE ops.runs SET status = 'failed' WHERE run_id = in_run;
END;
