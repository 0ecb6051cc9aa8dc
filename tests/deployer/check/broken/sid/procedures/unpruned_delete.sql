-- sid.unpruned_delete
-- DELETE without the partitioning column.
--
-- reads:  -
-- writes: sid.departure
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unpruned_delete()
BEGIN
  DELETE FROM sid.departure WHERE code = 'AA';
END;
