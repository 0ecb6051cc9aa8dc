-- ops.expect_not_null
-- Adds to the results that columns are never NULL.
--
-- args:   in_columns (their names), in_nulls (rows in which one of them is NULL), in_severity ('error' or 'warn'),
--         io_results
-- reads:  -
-- writes: -
-- calls:  -
-- rerun:  safe: changes nothing but io_results
CREATE OR REPLACE PROCEDURE ops.expect_not_null(
  IN in_columns STRING,
  IN in_nulls INT64,
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
      FORMAT('%s: rows with NULL', in_columns) AS expectation,
      in_severity AS severity,
      in_nulls = 0 AS has_passed,
      CAST(in_nulls AS NUMERIC) AS measured,
      NUMERIC '0' AS bound
    )]
  );
END;
