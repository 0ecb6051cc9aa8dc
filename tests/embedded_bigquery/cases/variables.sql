-- case: a variable without a default is NULL
DECLARE n INT64;
DECLARE a ARRAY<STRING>;
SELECT n, ARRAY_LENGTH(a), a IS NULL;
-- rows: [[null, null, true]]

-- case: the default gives the type
DECLARE x DEFAULT DATE '2013-01-07';
SELECT x;
-- rows: [["2013-01-07"]]

-- case: several variables of one declaration
DECLARE x, y INT64 DEFAULT 4;
SET y = x + 1;
SELECT x, y;
-- rows: [[4, 5]]

-- case: SET of several variables takes all values before it changes one
DECLARE a INT64 DEFAULT 1;
DECLARE b INT64 DEFAULT 2;
SET (a, b) = (b, a);
SELECT a, b;
-- rows: [[2, 1]]

-- case: SET of several variables from a struct
DECLARE low, high INT64;
SET (low, high) = (SELECT AS STRUCT MIN(v), MAX(v) FROM UNNEST([3, 1, 2]) AS v);
SELECT low, high;
-- rows: [[1, 3]]

-- case: SET converts as an assignment does
DECLARE f FLOAT64;
DECLARE d DATE;
SET f = 3;
SET d = '2013-01-07';
SELECT f, d;
-- rows: [[3.0, "2013-01-07"]]

-- case: SET refuses what cannot be converted
DECLARE n INT64;
SET n = 2.5;
-- error: Cannot coerce expression 2.5 to type INT64

-- case: SET of a name that nothing declares
SET nothing = 1;
-- error: Undeclared variable: nothing at [1:5]

-- case: a declared size holds
DECLARE s STRING(3);
SET s = 'abcd';
-- error: too long for STRING(3)

-- case: a column beats a variable of its name
DECLARE a INT64 DEFAULT 100;
CREATE TEMP TABLE t AS SELECT 1 AS a;
SELECT COUNT(*) FROM t WHERE a = 100;
-- rows: [[0]]

-- case: a variable ends with its block
BEGIN
  DECLARE x INT64 DEFAULT 1;
END;
SELECT x;
-- error: Unrecognized name: x at [4:8]

-- case: a block cannot declare a name of the block around it
DECLARE x INT64;
BEGIN
  DECLARE x INT64;
END;
-- error: Variable 'x' redeclaration

-- case: @@row_count counts what the last DML statement changed
CREATE TABLE d.t (a INT64);
INSERT INTO d.t (a) VALUES (1), (2), (3);
DELETE FROM d.t WHERE a > 1;
SELECT @@row_count;
-- rows: [[2]]
