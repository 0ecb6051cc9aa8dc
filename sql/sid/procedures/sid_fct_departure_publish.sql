-- sid.sid_fct_departure_publish
-- Replaces the window of sid.fct_departure by its staged rows, in one transaction.
--
-- args:   window_start, window_end DATE (inclusive); write_mode 'truncate' or 'delta'; run_id; OUT rows_affected
-- reads:  staging.fct_departure, raw.flights, ops.rejected_rows, sid.fct_departure
-- writes: sid.fct_departure
-- calls:  ops.expect_unique_key, ops.expect_not_null, ops.expect_none, ops.expect_row_count, ops.expect_reject_share,
--         ops.expect_no_fall, ops.conclude_expectations, ops.record_published_window, ops.require_lease
-- rerun:  safe: DELETE of the window and INSERT in one transaction
CREATE OR REPLACE PROCEDURE sid.sid_fct_departure_publish(
  IN window_start DATE,
  IN window_end DATE,
  IN write_mode STRING,
  IN run_id STRING,
  OUT rows_affected INT64
)
BEGIN
  DECLARE staged_rows, staged_keys, rows_with_null, strays INT64;
  DECLARE source_rows, rejected, former_rows, former_days INT64;
  DECLARE results ARRAY<STRUCT<expectation STRING, severity STRING, has_passed BOOL, measured NUMERIC, bound NUMERIC>>;

  SET (staged_rows, staged_keys, rows_with_null, strays) = (
    SELECT AS STRUCT
      COUNT(*) AS staged_rows,
      COUNT(DISTINCT departure_key) AS staged_keys,
      COUNTIF(departure_key IS NULL OR flight_date IS NULL OR agent_code IS NULL) AS rows_with_null,
      COUNTIF(flight_date NOT BETWEEN window_start AND window_end) AS strays
    FROM staging.fct_departure
  );
  SET source_rows = (
    SELECT COUNT(*) FROM raw.flights
    WHERE flight_date BETWEEN window_start AND window_end
  );
  SET rejected = (
    SELECT COUNT(*) FROM ops.rejected_rows
    WHERE business_date BETWEEN window_start AND window_end AND transfer = 'sid_fct_departure'
  );
  SET (former_rows, former_days) = (
    SELECT AS STRUCT
      COUNT(*) AS former_rows,
      COUNT(DISTINCT flight_date) AS former_days
    FROM sid.fct_departure
    WHERE flight_date BETWEEN DATE_SUB(window_start, INTERVAL 7 DAY) AND DATE_SUB(window_start, INTERVAL 1 DAY)
  );
  CALL ops.expect_unique_key('departure_key', staged_rows, staged_keys, 'error', results);
  CALL ops.expect_not_null('departure_key, flight_date, agent_code', rows_with_null, 'error', results);
  CALL ops.expect_none('rows outside the window', strays, 'error', results);
  -- Raw rows that landed twice are staged once; with three of each, something else is wrong.
  CALL ops.expect_row_count('raw.flights', staged_rows + rejected, source_rows, 0.6, 'error', results);
  CALL ops.expect_reject_share(rejected, staged_rows + rejected, 0.5, 'error', results);
  CALL ops.expect_reject_share(rejected, staged_rows + rejected, 0.01, 'warn', results);
  -- No error: days on which nothing flew are published as they are.
  CALL ops.expect_no_fall(
    staged_rows, DATE_DIFF(window_end, window_start, DAY) + 1, former_rows, former_days, 0.5, 'warn', results
  );
  CALL ops.conclude_expectations('sid_fct_departure', run_id, window_start, window_end, results);

  BEGIN
    BEGIN TRANSACTION;
    CALL ops.require_lease('sid_fct_departure', run_id);

    IF write_mode = 'truncate' THEN
      DELETE FROM sid.fct_departure WHERE flight_date IS NOT NULL;
    ELSE
      DELETE FROM sid.fct_departure WHERE flight_date BETWEEN window_start AND window_end;
    END IF;
    INSERT INTO sid.fct_departure (
      departure_key,
      flight_date,
      agent_code,
      flight_number,
      tail_number,
      origin,
      destination,
      scheduled_departure,
      departure_delay_minutes,
      arrival_delay_minutes,
      is_cancelled,
      air_time_minutes,
      distance_miles,
      seats
    )
    SELECT
      departure_key,
      flight_date,
      agent_code,
      flight_number,
      tail_number,
      origin,
      destination,
      scheduled_departure,
      departure_delay_minutes,
      arrival_delay_minutes,
      is_cancelled,
      air_time_minutes,
      distance_miles,
      seats
    FROM staging.fct_departure
    WHERE flight_date BETWEEN window_start AND window_end;
    SET rows_affected = @@row_count;
    CALL ops.record_published_window('sid_fct_departure', window_start, window_end, write_mode, run_id);
    COMMIT TRANSACTION;
  EXCEPTION WHEN ERROR THEN
    ROLLBACK TRANSACTION;
    RAISE;
  END;
END;
