-- case: a handler learns what failed
BEGIN
  SELECT 1 / 0;
EXCEPTION WHEN ERROR THEN
  SELECT @@error.message, @@error.statement_text;
END;
-- rows: [["division by zero: 1 / 0", "SELECT 1 / 0"]]

-- case: RAISE with a message, caught
BEGIN
  RAISE USING MESSAGE = CONCAT('no', 'pe');
EXCEPTION WHEN ERROR THEN
  SELECT @@error.message;
END;
-- rows: [["nope"]]

-- case: RAISE that nobody catches
RAISE USING MESSAGE = 'nope';
-- error: nope at [1:1]

-- case: a handler raises again, and the outer one sees the first error
BEGIN
  BEGIN
    SELECT ERROR('first');
  EXCEPTION WHEN ERROR THEN
    RAISE;
  END;
EXCEPTION WHEN ERROR THEN
  SELECT @@error.message;
END;
-- rows: [["first"]]

-- case: an error inside a handler replaces the one that it handles
BEGIN
  BEGIN
    SELECT ERROR('first');
  EXCEPTION WHEN ERROR THEN
    SELECT ERROR('second');
  END;
EXCEPTION WHEN ERROR THEN
  SELECT @@error.message;
END;
-- rows: [["second"]]

-- case: RAISE without a message needs a handler around it
RAISE;
-- error: Cannot re-raise an existing exception outside of an exception handler

-- case: after the handler @@error is NULL again
BEGIN
  SELECT ERROR('x');
EXCEPTION WHEN ERROR THEN
  SELECT 1;
END;
SELECT @@error.message;
-- rows: [[null]]

-- case: variables keep what they had when the statement failed
DECLARE n INT64 DEFAULT 1;
BEGIN
  SET n = 2;
  SET n = CAST('x' AS INT64);
EXCEPTION WHEN ERROR THEN
  SELECT n;
END;
-- rows: [[2]]

-- case: an error in a script names its place
SELECT 1;
SELECT
  nothing;
-- error: Query error: Unrecognized name: nothing at [3:3]
