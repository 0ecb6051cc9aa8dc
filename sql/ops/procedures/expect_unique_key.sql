-- ops.expect_unique_key
-- Adds to the results that a key tells all rows apart.
--
-- args:   in_key (its columns), in_rows, in_keys (distinct ones), in_severity ('error' or 'warn'), io_results
-- reads:  -
-- writes: -
-- calls:  -
-- rerun:  safe: changes nothing but io_results
CREATE OR REPLACE PROCEDURE ops.expect_unique_key(
  IN in_key STRING,
  IN in_rows INT64,
  IN in_keys INT64,
  IN in_severity STRING,
  INOUT io_results ARRAY<STRUCT<
    expectation STRING, severity STRING, has_passed BOOL, measured NUMERIC, bound NUMERIC
  >>
)
BEGIN
  -- ops.conclude_expectations writes all of a run to ops.expectation_results at once.
  SET io_results = ARRAY_CONCAT(
    COALESCE(io_results, []),
    [STRUCT(
      FORMAT('%s: rows beyond one a key', in_key) AS expectation,
      in_severity AS severity,
      in_rows = in_keys AS has_passed,
      CAST(in_rows - in_keys AS NUMERIC) AS measured,
      NUMERIC '0' AS bound
    )]
  );
END;
