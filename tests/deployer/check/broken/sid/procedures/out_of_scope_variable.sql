-- sid.out_of_scope_variable
-- The variable belongs to a block that has ended.
--
-- reads:  sid.agent
-- writes: -
-- calls:  -
CREATE OR REPLACE PROCEDURE sid.out_of_scope_variable()
BEGIN
  BEGIN
    DECLARE inner_code STRING DEFAULT 'AA';
    SELECT inner_code;
  END;
  SELECT code FROM sid.agent WHERE code = inner_code;
END;
