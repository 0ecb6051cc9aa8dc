-- sid.after_endless_loop
-- A statement after a loop that never ends.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.after_endless_loop()
BEGIN
  LOOP
    SELECT 1;
  END LOOP;
  SELECT 2;
END;
