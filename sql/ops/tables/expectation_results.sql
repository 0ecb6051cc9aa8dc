-- ops.expectation_results
-- What each run's expectations found before its publish, whether or not they let it go on.
CREATE TABLE IF NOT EXISTS ops.expectation_results (
  run_id STRING,
  transfer STRING,
  window_start DATE,
  window_end DATE,
  expectation STRING,
  severity STRING OPTIONS (description = 'error: a failure stops the publish; warn: it is recorded'),
  has_passed BOOL,
  measured NUMERIC,
  bound NUMERIC OPTIONS (description = 'the least or the most that passes, as the expectation says'),
  checked_at TIMESTAMP
)
PARTITION BY DATE(checked_at)
CLUSTER BY transfer;
