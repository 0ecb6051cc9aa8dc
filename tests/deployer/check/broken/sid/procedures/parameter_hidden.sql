-- sid.parameter_hidden
-- A parameter has a column's name.
--
-- reads:  -
-- writes: sid.agent
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.parameter_hidden(IN code STRING)
BEGIN
  UPDATE sid.agent SET seats = 0 WHERE code = code;
END;
