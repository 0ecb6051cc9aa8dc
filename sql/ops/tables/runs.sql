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
  started_by STRING,
  slot_milliseconds INT64,
  attempts INT64 OPTIONS (description = 'the most tries that one of its steps took; 1 when nothing was repeated'),
  job_ids ARRAY<STRING> OPTIONS (description = 'of its steps, in their order, repeats included'),
  retried ARRAY<STRING> OPTIONS (description = 'what failed and was tried again, a sentence each'),
  backfill_start DATE OPTIONS (description = 'of the window that was asked for, when this run is one chunk of it'),
  backfill_end DATE
)
PARTITION BY DATE(started_at);
