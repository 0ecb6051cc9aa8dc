-- sid.sid_agg_agent_daily_publish
-- Replaces the window of sid.agg_agent_daily by its staged rows, in one transaction.
--
-- args:   window_start, window_end DATE (inclusive); write_mode 'truncate' or 'delta'; run_id; OUT rows_affected
-- reads:  staging.agg_agent_daily, sid.fct_departure
-- writes: sid.agg_agent_daily
-- calls:  ops.expect_unique_key, ops.expect_not_null, ops.expect_none, ops.expect_row_count,
--         ops.conclude_expectations, ops.record_published_window, ops.require_lease
-- rerun:  safe: DELETE of the window and INSERT in one transaction
CREATE OR REPLACE PROCEDURE sid.sid_agg_agent_daily_publish(
  IN window_start DATE,
  IN window_end DATE,
  IN write_mode STRING,
  IN run_id STRING,
  OUT rows_affected INT64
)
BEGIN
  DECLARE staged_rows, staged_keys, rows_with_null, strays, counted, departed INT64;
  DECLARE results ARRAY<STRUCT<expectation STRING, severity STRING, has_passed BOOL, measured NUMERIC, bound NUMERIC>>;

  SET (staged_rows, staged_keys, rows_with_null, strays, counted) = (
    SELECT AS STRUCT
      COUNT(*) AS staged_rows,
      COUNT(DISTINCT FORMAT('%t %s', flight_date, agent_code)) AS staged_keys,
      COUNTIF(flight_date IS NULL OR agent_code IS NULL OR departures IS NULL) AS rows_with_null,
      COUNTIF(flight_date NOT BETWEEN window_start AND window_end) AS strays,
      COALESCE(SUM(departures), 0) AS counted
    FROM staging.agg_agent_daily
  );
  SET departed = (
    SELECT COUNT(*) FROM sid.fct_departure
    WHERE flight_date BETWEEN window_start AND window_end
  );
  CALL ops.expect_unique_key('flight_date, agent_code', staged_rows, staged_keys, 'error', results);
  CALL ops.expect_not_null('flight_date, agent_code, departures', rows_with_null, 'error', results);
  CALL ops.expect_none('rows outside the window', strays, 'error', results);
  CALL ops.expect_row_count('sid.fct_departure', counted, departed, 0, 'error', results);
  CALL ops.conclude_expectations('sid_agg_agent_daily', run_id, window_start, window_end, results);

  BEGIN
    BEGIN TRANSACTION;
    CALL ops.require_lease('sid_agg_agent_daily', run_id);

    IF write_mode = 'truncate' THEN
      DELETE FROM sid.agg_agent_daily WHERE flight_date IS NOT NULL;
    ELSE
      DELETE FROM sid.agg_agent_daily WHERE flight_date BETWEEN window_start AND window_end;
    END IF;
    INSERT INTO sid.agg_agent_daily (
      flight_date,
      agent_code,
      agent_name,
      departures,
      cancelled,
      delayed_15,
      departure_delay_minutes_total,
      distance_miles_total,
      on_time_share
    )
    SELECT
      flight_date,
      agent_code,
      agent_name,
      departures,
      cancelled,
      delayed_15,
      departure_delay_minutes_total,
      distance_miles_total,
      on_time_share
    FROM staging.agg_agent_daily
    WHERE flight_date BETWEEN window_start AND window_end;
    SET rows_affected = @@row_count;
    CALL ops.record_published_window('sid_agg_agent_daily', window_start, window_end, write_mode, run_id);
    COMMIT TRANSACTION;
  EXCEPTION WHEN ERROR THEN
    ROLLBACK TRANSACTION;
    RAISE;
  END;
END;
