-- sid.header_reads
-- The header misses what the body reads.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.header_reads()
BEGIN
  SELECT code FROM sid.agent;
END;
