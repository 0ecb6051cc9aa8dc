-- ops.expect_reject_share
-- Adds to the results that no more than a share of the rows was rejected.
--
-- args:   in_rejected, in_rows (rejected ones included), in_most (the share), in_severity ('error' or 'warn'),
--         io_results
-- reads:  -
-- writes: -
-- calls:  -
-- rerun:  safe: changes nothing but io_results
CREATE OR REPLACE PROCEDURE ops.expect_reject_share(
  IN in_rejected INT64,
  IN in_rows INT64,
  IN in_most NUMERIC,
  IN in_severity STRING,
  INOUT io_results ARRAY<STRUCT<
    expectation STRING, severity STRING, has_passed BOOL, measured NUMERIC, bound NUMERIC
  >>
)
BEGIN
  DECLARE rejected_share NUMERIC DEFAULT CAST(COALESCE(SAFE_DIVIDE(in_rejected, in_rows), 0) AS NUMERIC);
  -- ops.conclude_expectations writes all of a run to ops.expectation_results at once.
  SET io_results = ARRAY_CONCAT(
    COALESCE(io_results, []),
    [STRUCT(
      'share of rejected rows' AS expectation,
      in_severity AS severity,
      rejected_share <= in_most AS has_passed,
      rejected_share AS measured,
      in_most AS bound
    )]
  );
END;
