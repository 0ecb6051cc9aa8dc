-- ops.gaps
-- The days from in_first_day to in_last_day, both included, that no published window of the transfer covers, as
-- windows of days in a row.
--
-- args:   in_transfer, in_first_day, in_last_day
-- reads:  ops.published_days
CREATE OR REPLACE TABLE FUNCTION ops.gaps(
  in_transfer STRING,
  in_first_day DATE,
  in_last_day DATE
) AS
WITH
-- Days in a row share the difference of their distance and their number.
missing_days AS (
  SELECT
    asked_day,
    DATE_DIFF(asked_day, in_first_day, DAY) - ROW_NUMBER() OVER (ORDER BY asked_day) AS island
  FROM UNNEST(GENERATE_DATE_ARRAY(in_first_day, in_last_day)) AS asked_day
  WHERE asked_day NOT IN (
    SELECT published_day FROM ops.published_days
    WHERE transfer = in_transfer
  )
)

SELECT
  in_transfer AS transfer,
  MIN(asked_day) AS first_day,
  MAX(asked_day) AS last_day,
  COUNT(*) AS days
FROM missing_days
GROUP BY island;
