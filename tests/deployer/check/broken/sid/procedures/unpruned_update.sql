-- sid.unpruned_update
-- UPDATE filters partitions by a subquery.
--
-- reads:  sid.agent
-- writes: sid.departure
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.unpruned_update()
BEGIN
  UPDATE sid.departure SET delay = 0
  WHERE flight_date = (SELECT MAX(since) FROM sid.agent);
END;
