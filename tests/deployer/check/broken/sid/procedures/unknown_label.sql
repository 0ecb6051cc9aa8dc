-- sid.unknown_label
-- LEAVE of a label that nothing has.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unknown_label()
BEGIN
  SELECT 1;
  scan: LOOP
    LEAVE scam;
  END LOOP scan;
END;
