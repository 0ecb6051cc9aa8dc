-- ops.published_days
-- A row a transfer and day that one of its published windows covers. A truncate rebuilds the whole target: what was
-- published before it, is not any more.
--
-- reads:  ops.published_windows
CREATE OR REPLACE VIEW ops.published_days AS
SELECT DISTINCT
  w.transfer,
  published_day
FROM (
  SELECT
    transfer,
    window_start,
    window_end,
    published_at,
    MAX(IF(write_mode = 'truncate', published_at, NULL)) OVER (PARTITION BY transfer) AS rebuilt_at
  FROM ops.published_windows
) AS w
CROSS JOIN UNNEST(GENERATE_DATE_ARRAY(w.window_start, w.window_end)) AS published_day
WHERE w.rebuilt_at IS NULL OR w.published_at >= w.rebuilt_at;
