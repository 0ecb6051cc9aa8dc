-- ops.expect_none
-- Adds to the results that there is none of something: strays, orphans, impossible values.
--
-- args:   in_what (of which none is expected), in_found, in_severity ('error' or 'warn'), io_results
-- reads:  -
-- writes: -
-- calls:  -
-- rerun:  safe: changes nothing but io_results
CREATE OR REPLACE PROCEDURE ops.expect_none(
  IN in_what STRING,
  IN in_found INT64,
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
      FORMAT('no %s', in_what) AS expectation,
      in_severity AS severity,
      in_found = 0 AS has_passed,
      CAST(in_found AS NUMERIC) AS measured,
      NUMERIC '0' AS bound
    )]
  );
END;
