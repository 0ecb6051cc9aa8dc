-- ops.record_published_window
-- Notes, inside the publish transaction of the caller, that a window is published.
--
-- args:   in_transfer, in_window_start, in_window_end, in_write_mode, in_run_id
-- reads:  -
-- writes: ops.published_windows
-- calls:  -
-- rerun:  safe: a window that is noted twice is published once
CREATE OR REPLACE PROCEDURE ops.record_published_window(
  IN in_transfer STRING,
  IN in_window_start DATE,
  IN in_window_end DATE,
  IN in_write_mode STRING,
  IN in_run_id STRING
)
BEGIN
  INSERT INTO ops.published_windows (transfer, window_start, window_end, write_mode, run_id, published_at)
  VALUES (in_transfer, in_window_start, in_window_end, in_write_mode, in_run_id, CURRENT_TIMESTAMP());
END;
