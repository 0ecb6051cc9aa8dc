-- sid.wrong_parameter_type
-- BigQuery has no such type.
--
-- reads:  -
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.wrong_parameter_type(IN many INTEGER32)
BEGIN
  SELECT many;
END;
