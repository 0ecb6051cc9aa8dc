-- ops.expect_no_fall
-- Adds to the results that a day has not suddenly fewer rows than the last published days had; where there are none
-- it passes.
--
-- args:   in_rows, in_days, in_former_rows, in_former_days, in_least (a day's rows / a former day's), in_severity
--         ('error' or 'warn'), io_results
-- reads:  -
-- writes: -
-- calls:  -
-- rerun:  safe: changes nothing but io_results
CREATE OR REPLACE PROCEDURE ops.expect_no_fall(
  IN in_rows INT64,
  IN in_days INT64,
  IN in_former_rows INT64,
  IN in_former_days INT64,
  IN in_least NUMERIC,
  IN in_severity STRING,
  INOUT io_results ARRAY<STRUCT<
    expectation STRING, severity STRING, has_passed BOOL, measured NUMERIC, bound NUMERIC
  >>
)
BEGIN
  DECLARE ratio NUMERIC DEFAULT CAST(
    SAFE_DIVIDE(SAFE_DIVIDE(in_rows, in_days), SAFE_DIVIDE(in_former_rows, in_former_days)) AS NUMERIC
  );
  -- ops.conclude_expectations writes all of a run to ops.expectation_results at once.
  SET io_results = ARRAY_CONCAT(
    COALESCE(io_results, []),
    [STRUCT(
      'rows a day / rows a day of the last published days' AS expectation,
      in_severity AS severity,
      COALESCE(ratio >= in_least, TRUE) AS has_passed,
      ratio AS measured,
      in_least AS bound
    )]
  );
END;
