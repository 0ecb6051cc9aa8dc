-- sid.sid_fct_departure_publish
-- Replaces the window of sid.fct_departure by its staged rows, in one transaction.
--
-- args:   window_start, window_end DATE (inclusive); write_mode 'truncate' or 'delta'; run_id; OUT rows_affected
-- reads:  staging.fct_departure
-- writes: sid.fct_departure
-- calls:  ops.record_published_window, ops.require_lease
-- rerun:  safe: DELETE of the window and INSERT in one transaction
CREATE OR REPLACE PROCEDURE sid.sid_fct_departure_publish(
  IN window_start DATE,
  IN window_end DATE,
  IN write_mode STRING,
  IN run_id STRING,
  OUT rows_affected INT64
)
BEGIN
  BEGIN
    BEGIN TRANSACTION;
    CALL ops.require_lease('sid_fct_departure', run_id);
    ASSERT NOT EXISTS (
      SELECT 1 FROM staging.fct_departure GROUP BY departure_key HAVING COUNT(*) > 1
    ) AS 'staging.fct_departure: more than one row for one departure_key';
    ASSERT NOT EXISTS (
      SELECT 1 FROM staging.fct_departure WHERE flight_date NOT BETWEEN window_start AND window_end
    ) AS 'staging.fct_departure: rows outside the window';

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
