-- sid.wrong_udf_argument
-- The function of the house takes no such type.
--
-- reads:  sid.agent
-- writes: -
-- calls:  sid.clean_code
CREATE OR REPLACE PROCEDURE sid.wrong_udf_argument()
BEGIN
  SELECT sid.clean_code(seats) FROM sid.agent;
END;
