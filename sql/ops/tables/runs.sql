-- ops.runs
-- A row a run of a transfer.
CREATE TABLE IF NOT EXISTS ops.runs (
  run_id STRING,
  transfer STRING,
  window_start DATE,
  window_end DATE,
  write_mode STRING,
  status STRING OPTIONS (description = 'running, published, failed, cancelled or skipped'),
  started_at TIMESTAMP,
  ended_at TIMESTAMP,
  rows_in INT64,
  rows_published INT64,
  rows_rejected INT64,
  bytes_billed INT64,
  error STRING,
  code_version STRING,
  started_by STRING
)
PARTITION BY DATE(started_at);
