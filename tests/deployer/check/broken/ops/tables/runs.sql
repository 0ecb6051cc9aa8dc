-- ops.runs
-- A row a run.
CREATE TABLE IF NOT EXISTS ops.runs (
  run_id STRING,
  status STRING,
  started_at TIMESTAMP
)
PARTITION BY DATE(started_at);
