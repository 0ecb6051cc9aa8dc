-- case: IN, OUT and INOUT
CREATE PROCEDURE d.p(IN a INT64, OUT double INT64, INOUT words STRING)
BEGIN
  SET double = a * 2;
  SET words = CONCAT(words, '!');
END;
BEGIN
  DECLARE n INT64;
  DECLARE w STRING DEFAULT 'hi';
  CALL d.p(21, n, w);
  SELECT n, w;
END;
-- rows: [[42, "hi!"]]

-- case: an OUT argument needs a variable
CREATE PROCEDURE d.p(OUT n INT64) BEGIN SET n = 1; END;
CALL d.p(3);
-- error: Procedure OUT/INOUT argument must be a variable at [2:10]

-- case: the number of arguments
CREATE PROCEDURE d.p(a INT64) BEGIN SELECT a; END;
CALL d.p(1, 2);
-- error: Procedure d.p expects 1 argument(s), 2 provided at [2:6]

-- case: a procedure sees no variable of its caller
CREATE PROCEDURE d.p() OPTIONS (strict_mode = FALSE) BEGIN SELECT hidden; END;
BEGIN
  DECLARE hidden INT64 DEFAULT 1;
  CALL d.p();
END;
-- error: Unrecognized name: hidden at [p.d.p:1:14]

-- case: RETURN leaves the procedure alone
CREATE PROCEDURE d.p(OUT n INT64) BEGIN SET n = 1; RETURN; SET n = 2; END;
BEGIN
  DECLARE n INT64;
  CALL d.p(n);
  SELECT n;
END;
-- rows: [[1]]

-- case: recursion
CREATE PROCEDURE d.factorial(n INT64, OUT result INT64)
OPTIONS (strict_mode = FALSE)
BEGIN
  IF n <= 1 THEN
    SET result = 1;
  ELSE
    CALL d.factorial(n - 1, result);
    SET result = result * n;
  END IF;
END;
BEGIN
  DECLARE r INT64;
  CALL d.factorial(10, r);
  SELECT r;
END;
-- rows: [[3628800]]

-- case: recursion without end
CREATE PROCEDURE d.p() OPTIONS (strict_mode = FALSE) BEGIN CALL d.p(); END;
CALL d.p();
-- error: Out of stack space due to deeply-nested procedure call to d.p at [p.d.p:1:

-- case: what a procedure selects is the result of the CALL
CREATE PROCEDURE d.p() BEGIN SELECT 7 AS seven; END;
CALL d.p();
-- rows: [[7]]

-- case: a handler sees where a called procedure failed
CREATE PROCEDURE d.inner_one() BEGIN SELECT 1 / 0; END;
CREATE PROCEDURE d.outer_one() BEGIN CALL d.inner_one(); END;
BEGIN
  CALL d.outer_one();
EXCEPTION WHEN ERROR THEN
  SELECT @@error.message, (SELECT STRING_AGG(f.location, '<' ORDER BY n) FROM UNNEST(@@error.stack_trace) AS f WITH OFFSET AS n);
END;
-- rows: [["division by zero: 1 / 0", "p.d.inner_one<p.d.outer_one"]]

-- case: a temporary table outlives the procedure that made it
CREATE PROCEDURE d.p() BEGIN CREATE TEMP TABLE t AS SELECT 5 AS a; END;
CALL d.p();
SELECT a FROM t;
-- rows: [[5]]

-- case: a procedure that does not exist
CALL d.nothing();
-- error: Procedure is not found: d.nothing at [1:6]

-- case: EXECUTE IMMEDIATE with INTO and USING
DECLARE total INT64;
EXECUTE IMMEDIATE 'SELECT ? + @n' USING 1;
-- error: Query parameter 'n' not found

-- case: EXECUTE IMMEDIATE by name into variables
DECLARE a INT64;
DECLARE b STRING;
EXECUTE IMMEDIATE 'SELECT @x * 2, @y' INTO a, b USING 4 AS x, 'q' AS y;
SELECT a, b;
-- rows: [[8, "q"]]

-- case: EXECUTE IMMEDIATE INTO of no rows sets NULL
DECLARE a INT64 DEFAULT 1;
EXECUTE IMMEDIATE 'SELECT 1 FROM UNNEST([1]) WHERE FALSE' INTO a;
SELECT a;
-- rows: [[null]]

-- case: EXECUTE IMMEDIATE sees no variable of the script
DECLARE hidden INT64 DEFAULT 1;
EXECUTE IMMEDIATE 'SELECT hidden';
-- error: Unrecognized name: hidden

-- case: EXECUTE IMMEDIATE takes no procedural statement
EXECUTE IMMEDIATE 'BEGIN SELECT 1; END';
-- error: unsupported statement type: BeginEndBlock at [1:19]

-- case: strict mode finds a column that does not exist, at its place
CREATE TABLE d.t (a INT64);
CREATE PROCEDURE d.p()
BEGIN
  SELECT a FROM d.t;
  SELECT b FROM d.t;
END;
-- error: Unrecognized name: b at [5:10]

-- case: strict mode finds a table that does not exist
CREATE PROCEDURE d.p()
BEGIN
  DELETE FROM d.missing WHERE TRUE;
END;
-- error: Not found: Table p:d.missing

-- case: strict mode knows arguments, variables and temporary tables
CREATE PROCEDURE d.p(day DATE, OUT n INT64)
BEGIN
  DECLARE next_day DATE DEFAULT DATE_ADD(day, INTERVAL 1 DAY);
  CREATE TEMP TABLE t AS SELECT day AS d1, next_day AS d2;
  FOR r IN (SELECT d1, d2 FROM t) DO
    SET n = DATE_DIFF(r.d2, r.d1, DAY);
  END FOR;
END;
BEGIN
  DECLARE n INT64;
  CALL d.p('2013-01-07', n);
  SELECT n;
END;
-- rows: [[1]]

-- case: strict mode wants the procedures that it calls
CREATE PROCEDURE d.p() BEGIN CALL d.later(); END;
-- error: Procedure not found: d.later

-- case: without strict mode the body is read, not checked
CREATE PROCEDURE d.p() OPTIONS (strict_mode = FALSE) BEGIN SELECT b FROM d.missing; END;
SELECT 1;
-- rows: [[1]]
