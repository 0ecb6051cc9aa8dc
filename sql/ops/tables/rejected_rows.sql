-- ops.rejected_rows
-- Rows that a cleanse refused, with the reason. No column is named as a procedure's
-- argument is: in a body the column would win.
CREATE TABLE IF NOT EXISTS ops.rejected_rows (
  transfer STRING,
  business_date DATE,
  reason STRING,
  row_json STRING,
  source_run STRING,
  rejected_at TIMESTAMP
)
PARTITION BY business_date
CLUSTER BY transfer;
