-- sid.sid_agg_agent_daily_publish
-- Replaces the window of sid.agg_agent_daily by its staged rows, in one transaction.
--
-- args:   window_start, window_end DATE (inclusive); write_mode 'truncate' or 'delta'; run_id; OUT rows_affected
-- reads:  staging.agg_agent_daily
-- writes: sid.agg_agent_daily
-- calls:  ops.record_published_window, ops.require_lease
-- rerun:  safe: DELETE of the window and INSERT in one transaction
CREATE OR REPLACE PROCEDURE sid.sid_agg_agent_daily_publish(
  IN window_start DATE,
  IN window_end DATE,
  IN write_mode STRING,
  IN run_id STRING,
  OUT rows_affected INT64
)
BEGIN
  BEGIN
    BEGIN TRANSACTION;
    CALL ops.require_lease('sid_agg_agent_daily', run_id);
    ASSERT NOT EXISTS (
      SELECT 1 FROM staging.agg_agent_daily GROUP BY flight_date, agent_code HAVING COUNT(*) > 1
    ) AS 'staging.agg_agent_daily: more than one row for one flight_date and agent_code';
    ASSERT NOT EXISTS (
      SELECT 1 FROM staging.agg_agent_daily WHERE flight_date NOT BETWEEN window_start AND window_end
    ) AS 'staging.agg_agent_daily: rows outside the window';

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
