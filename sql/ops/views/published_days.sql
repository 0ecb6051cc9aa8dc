-- ops.published_days
-- A row a transfer and day that one of its published windows covers.
--
-- reads:  ops.published_windows
CREATE OR REPLACE VIEW ops.published_days AS
SELECT DISTINCT
  w.transfer,
  published_day
FROM ops.published_windows AS w
CROSS JOIN UNNEST(GENERATE_DATE_ARRAY(w.window_start, w.window_end)) AS published_day;
