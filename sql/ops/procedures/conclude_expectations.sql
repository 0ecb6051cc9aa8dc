-- ops.conclude_expectations
-- Records what the expectations of a run found, and fails if one of severity error did not pass; for the time between
-- staging and the publish's transaction, so that what is recorded stays and what is wrong is never published.
--
-- args:   in_transfer, in_run_id, in_window_start, in_window_end, in_results
-- reads:  -
-- writes: ops.expectation_results
-- calls:  -
-- rerun:  safe: each time adds what was found then
CREATE OR REPLACE PROCEDURE ops.conclude_expectations(
  IN in_transfer STRING,
  IN in_run_id STRING,
  IN in_window_start DATE,
  IN in_window_end DATE,
  IN in_results ARRAY<STRUCT<
    expectation STRING, severity STRING, has_passed BOOL, measured NUMERIC, bound NUMERIC
  >>
)
BEGIN
  DECLARE failures STRING DEFAULT (
    SELECT STRING_AGG(FORMAT('%s: %t, bound %t', r.expectation, r.measured, r.bound), '; ')
    FROM UNNEST(in_results) AS r
    WHERE NOT r.has_passed AND r.severity != 'warn'
  );
  INSERT INTO ops.expectation_results (
    run_id, transfer, window_start, window_end, expectation, severity, has_passed, measured, bound, checked_at
  )
  SELECT
    in_run_id AS run_id,
    in_transfer AS transfer,
    in_window_start AS window_start,
    in_window_end AS window_end,
    r.expectation,
    r.severity,
    r.has_passed,
    r.measured,
    r.bound,
    CURRENT_TIMESTAMP() AS checked_at
  FROM UNNEST(in_results) AS r;
  IF failures IS NOT NULL THEN
    RAISE USING MESSAGE = FORMAT(
      'Nothing was published, since %s does not meet its expectations: %s. ops.expectation_results has them all.',
      in_transfer, failures
    );
  END IF;
END;
