-- sid.twice_publish
-- A publish in two transactions.
--
-- reads:  -
-- writes: sid.departure
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.twice_publish(
  IN window_start DATE,
  IN window_end DATE,
  IN write_mode STRING,
  IN run_id STRING,
  OUT rows_affected INT64
)
BEGIN
  BEGIN TRANSACTION;
  DELETE FROM sid.departure WHERE flight_date BETWEEN window_start AND window_end;
  COMMIT TRANSACTION;
  BEGIN TRANSACTION;
  INSERT INTO sid.departure (flight_date, code) VALUES (window_start, 'AA');
  SET rows_affected = @@row_count;
  COMMIT TRANSACTION;
END;
