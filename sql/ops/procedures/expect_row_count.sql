-- ops.expect_row_count
-- Adds to the results that the rows of a source are accounted for, but for a share of them.
--
-- args:   in_source (its name), in_rows (accounted for), in_source_rows, in_most (the share that may be missing),
--         in_severity ('error' or 'warn'), io_results
-- reads:  -
-- writes: -
-- calls:  -
-- rerun:  safe: changes nothing but io_results
CREATE OR REPLACE PROCEDURE ops.expect_row_count(
  IN in_source STRING,
  IN in_rows INT64,
  IN in_source_rows INT64,
  IN in_most NUMERIC,
  IN in_severity STRING,
  INOUT io_results ARRAY<STRUCT<
    expectation STRING, severity STRING, has_passed BOOL, measured NUMERIC, bound NUMERIC
  >>
)
BEGIN
  DECLARE missing_share NUMERIC DEFAULT CAST(
    COALESCE(SAFE_DIVIDE(in_source_rows - in_rows, in_source_rows), 0) AS NUMERIC
  );
  -- ops.conclude_expectations writes all of a run to ops.expectation_results at once.
  SET io_results = ARRAY_CONCAT(
    COALESCE(io_results, []),
    [STRUCT(
      FORMAT('%s: share of rows not accounted for', in_source) AS expectation,
      in_severity AS severity,
      in_rows <= in_source_rows AND missing_share <= in_most AS has_passed,
      missing_share AS measured,
      in_most AS bound
    )]
  );
END;
