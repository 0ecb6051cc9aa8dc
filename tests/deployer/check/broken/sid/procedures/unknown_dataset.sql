-- sid.unknown_dataset
-- No such dataset is there.
--
-- reads:  -
-- writes: stage.departure
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unknown_dataset()
BEGIN
  DELETE FROM stage.departure WHERE TRUE;
END;
