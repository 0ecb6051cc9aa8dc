-- ops.published_windows
-- Written inside the publish transaction: the proof of what is published. Rows are only added, since of two
-- transactions that change or delete rows of one table BigQuery cancels one. ops.published_days says what holds.
CREATE TABLE IF NOT EXISTS ops.published_windows (
  transfer STRING,
  window_start DATE,
  window_end DATE,
  write_mode STRING,
  run_id STRING,
  published_at TIMESTAMP
)
CLUSTER BY transfer;
