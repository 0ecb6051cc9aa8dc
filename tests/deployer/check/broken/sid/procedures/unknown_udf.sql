-- sid.unknown_udf
-- No file makes this function.
--
-- reads:  sid.agent
-- writes: -
-- calls:  sid.clean_kode
CREATE OR REPLACE PROCEDURE sid.unknown_udf()
BEGIN
  SELECT sid.clean_kode(name) FROM sid.agent;
END;
