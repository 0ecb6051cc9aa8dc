-- case: CREATE TABLE refuses a name that exists, IF NOT EXISTS does not
CREATE TABLE d.t (a INT64);
CREATE TABLE IF NOT EXISTS d.t (b STRING);
SELECT a FROM d.t;
CREATE TABLE d.t (a INT64);
-- error: Already Exists: Table p:d.t

-- case: OR REPLACE empties the table
CREATE TABLE d.t AS SELECT 1 AS a;
CREATE OR REPLACE TABLE d.t (a INT64, b STRING);
SELECT COUNT(*), COUNT(b) FROM d.t;
-- rows: [[0, 0]]

-- case: OR REPLACE may read the table that it replaces
CREATE TABLE d.t AS SELECT 1 AS a, 'x' AS b;
CREATE OR REPLACE TABLE d.t AS SELECT b, a + 1 AS a FROM d.t;
SELECT b, a FROM d.t;
-- rows: [["x", 2]]

-- case: OR REPLACE keeps partitioning and clustering
CREATE TABLE d.t (a DATE, b INT64) PARTITION BY a;
CREATE OR REPLACE TABLE d.t (a DATE, b INT64) PARTITION BY DATE_TRUNC(a, MONTH) CLUSTER BY b;
-- error: Cannot replace a table with a different partitioning spec. Instead, DROP the table, and then recreate it. New partitioning spec is interval(type:month,field:a) clustering(b) and existing spec is interval(type:day,field:a)

-- case: a column gets its default
CREATE TABLE d.t (a INT64, b STRING DEFAULT 'x', c INT64 DEFAULT 1 + 1);
INSERT INTO d.t (a) VALUES (1);
SELECT * FROM d.t;
-- rows: [[1, "x", 2]]

-- case: CREATE TABLE AS needs names, each once
CREATE TABLE d.t AS SELECT 1, 2 AS b;
-- error: columns must be named

-- case: CREATE TABLE AS with a name twice
CREATE TABLE d.t AS SELECT 1 AS a, 2 AS a;
-- error: duplicate name a

-- case: a view is its query
CREATE TABLE d.t AS SELECT a FROM UNNEST([1, 2, 3]) AS a;
CREATE VIEW d.v AS SELECT SUM(a) AS total FROM d.t;
INSERT INTO d.t (a) VALUES (4);
SELECT total FROM d.v;
-- rows: [[10]]

-- case: LIKE copies columns, CLONE rows too
CREATE TABLE d.t AS SELECT 1 AS a;
CREATE TABLE d.empty LIKE d.t;
CREATE TABLE d.full CLONE d.t;
SELECT (SELECT COUNT(a) FROM d.empty), (SELECT COUNT(a) FROM d.full);
-- rows: [[0, 1]]

-- case: ALTER TABLE adds, renames and drops columns
CREATE TABLE d.t AS SELECT 1 AS a, 2 AS b;
ALTER TABLE d.t ADD COLUMN c STRING;
ALTER TABLE d.t RENAME COLUMN a TO first;
ALTER TABLE d.t DROP COLUMN b;
SELECT * FROM d.t;
-- rows: [[1, null]]

-- case: ALTER COLUMN widens, and refuses to narrow
CREATE TABLE d.t AS SELECT 1 AS a;
ALTER TABLE d.t ALTER COLUMN a SET DATA TYPE NUMERIC;
ALTER TABLE d.t ALTER COLUMN a SET DATA TYPE INT64;
-- error: existing column type (NUMERIC) is assignable to the new type (INT64)

-- case: DROP of what is not there
DROP TABLE IF EXISTS d.t;
DROP TABLE d.t;
-- error: Not found: Table p:d.t

-- case: DROP SCHEMA wants CASCADE when something is in it
CREATE SCHEMA other;
CREATE TABLE other.t (a INT64);
DROP SCHEMA other;
-- error: still in use

-- case: a key is recorded, never enforced
CREATE TABLE d.t (a INT64, PRIMARY KEY (a) NOT ENFORCED);
INSERT INTO d.t (a) VALUES (1), (1);
SELECT COUNT(*) FROM d.t;
-- rows: [[2]]

-- case: a key that would be enforced is refused
CREATE TABLE d.t (a INT64 PRIMARY KEY);
-- error: Enforcement of primary keys is not supported

-- case: PARTITION BY takes only what BigQuery takes
CREATE TABLE d.t (a STRING) PARTITION BY a;
-- error: which this expression cannot partition

-- case: an option that does not exist
CREATE TABLE d.t (a INT64) OPTIONS (colour = 'red');
-- error: Unknown option: colour

-- case: an error in a view's query has its place in the statement
CREATE TABLE d.t (a INT64);
CREATE VIEW d.v AS
SELECT
  b
FROM d.t;
-- error: Unrecognized name: b at [4:3]
