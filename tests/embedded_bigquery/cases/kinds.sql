-- case: a snapshot is frozen, and cannot be written to
CREATE TABLE d.t AS SELECT 1 AS a;
CREATE SNAPSHOT TABLE d.s CLONE d.t;
INSERT d.t VALUES (2);
SELECT (SELECT COUNT(*) FROM d.t), (SELECT COUNT(*) FROM d.s);
INSERT d.s VALUES (3);
-- error: p:d.s is not allowed for this operation because it is currently a SNAPSHOT.

-- case: a snapshot is restored by a clone of it
CREATE TABLE d.t AS SELECT 1 AS a;
CREATE SNAPSHOT TABLE d.s CLONE d.t OPTIONS (expiration_timestamp = TIMESTAMP '9999-01-01');
DROP TABLE d.t;
CREATE TABLE d.t CLONE d.s;
INSERT d.t VALUES (2);
SELECT a FROM d.t ORDER BY a;
-- rows: [[1], [2]]

-- case: DROP TABLE is not for views
CREATE VIEW d.v AS SELECT 1 AS x;
DROP TABLE d.v;
-- error: p:d.v is not allowed for this operation because it is currently a VIEW.

-- case: CREATE OR REPLACE keeps the kind
CREATE TABLE d.t (x INT64);
CREATE OR REPLACE VIEW d.t AS SELECT 1 AS x;
-- error: p:d.t is not allowed for this operation because it is currently a TABLE.

-- case: no copy of a view
CREATE VIEW d.v AS SELECT 1 AS x;
CREATE TABLE d.like_it LIKE d.v;
CREATE TABLE d.c COPY d.v;
-- error: p:d.v is not allowed for this operation because it is currently a VIEW.

-- case: a clone keeps the partition of each row
CREATE TABLE d.t (a INT64) PARTITION BY _PARTITIONDATE;
INSERT d.t (_PARTITIONTIME, a) VALUES (TIMESTAMP '2013-01-07', 1);
CREATE TABLE d.c CLONE d.t;
SELECT a, CAST(_PARTITIONDATE AS STRING) FROM d.c;
-- rows: [[1, "2013-01-07"]]

-- case: UNDROP brings back tables and routines, once
CREATE SCHEMA e;
CREATE TABLE e.t AS SELECT 1 AS a;
CREATE FUNCTION e.f(x INT64) AS (x + 1);
DROP SCHEMA e CASCADE;
UNDROP SCHEMA e;
UNDROP SCHEMA IF NOT EXISTS e;
SELECT e.f(a) FROM e.t;
UNDROP SCHEMA e;
-- error: Already Exists: Dataset p:e

-- case: what is made anew cannot be brought back
CREATE SCHEMA e;
CREATE TABLE e.t AS SELECT 1 AS a;
DROP SCHEMA e CASCADE;
CREATE SCHEMA e;
DROP SCHEMA e;
UNDROP SCHEMA e;
SELECT * FROM e.t;
-- error: Not found: Table p:e.t

-- case: UNDROP of what was never there
UNDROP SCHEMA e;
-- error: Not found: Dataset p:e was not found in location EU

-- case: a renamed table does not take the place of another
CREATE TABLE d.t (x INT64);
CREATE TABLE d.u (x INT64);
ALTER TABLE d.t RENAME TO u;
-- error: Already Exists: Table p:d.u

-- case: columns that the layout is made of stay
CREATE TABLE d.t (a DATE, b INT64) PARTITION BY a;
ALTER TABLE d.t RENAME COLUMN b TO c, DROP COLUMN IF EXISTS z, ALTER COLUMN IF EXISTS z DROP NOT NULL;
ALTER TABLE d.t RENAME COLUMN a TO z;
-- error: RENAME COLUMN is not supported for the partitioning column a

-- case: a table keeps one column
CREATE TABLE d.t (a DATE);
ALTER TABLE d.t DROP COLUMN a;
-- error: cannot drop all columns from a table

-- case: a column that is not there has its place
CREATE TABLE d.t (a DATE);
ALTER TABLE d.t ADD COLUMN b INT64,
  DROP COLUMN z;
-- error: Column not found: z at [3:15]

-- case: the default of a column has its type
CREATE TABLE d.t (a INT64 DEFAULT 'x');
-- error: Cannot coerce expression 'x' to type INT64

-- case: CREATE TABLE AS converts as INSERT does
CREATE TABLE d.t (a NUMERIC, b STRING(3)) AS SELECT 1, 'abc';
SELECT a / 2, b FROM d.t;
CREATE TABLE d.u (a INT64) AS SELECT 1.5;
-- error: Value has type FLOAT64 which cannot be inserted into column a, which has type INT64

-- case: an option that does not exist
CREATE TABLE d.t (a INT64) OPTIONS (descripton = 'x');
-- error: Unknown option: descripton

-- case: an option of another type
CREATE TABLE d.t (a INT64) OPTIONS (description = 3);
-- error: The value of option description must be of type STRING

-- case: an expiration of partitions that there are none of
CREATE TABLE d.t (a INT64) OPTIONS (partition_expiration_days = 3);
-- error: needs a table that is partitioned by time

-- case: a foreign key leads to a column that exists
CREATE TABLE d.t (a INT64 PRIMARY KEY NOT ENFORCED);
CREATE TABLE d.u (a INT64 REFERENCES d.t(b) NOT ENFORCED);
-- error: Column b of a key does not exist in table p:d.t

-- case: a view names the datasets of its tables
CREATE TABLE d.t (a INT64);
SET @@dataset_id = 'd';
CREATE VIEW d.v AS SELECT a FROM t;
-- error: Table "t" must be qualified with a dataset

-- case: a view has no variables
DECLARE x INT64 DEFAULT 1;
CREATE VIEW d.v AS SELECT x AS y;
-- error: Variables cannot be used in the query of a view

-- case: DROP PROCEDURE is not for functions
CREATE FUNCTION d.f() AS (1);
DROP PROCEDURE IF EXISTS d.f;
-- error: p:d.f is a SCALAR_FUNCTION, not a PROCEDURE

-- case: a function whose body is wrong is not made
CREATE FUNCTION d.f(x INT64) AS (
  x + y);
-- error: Unrecognized name: y at [2:7]

-- case: a function that does not return what it says
CREATE FUNCTION d.f(x INT64) RETURNS DATE AS (x);
-- error: Function declared to return DATE but the function body produces incompatible type INT64

-- case: collations are refused
CREATE TABLE d.t (a STRING COLLATE 'und:ci');
-- error: not supported: collation

-- case: temporary functions and a query are one query
CREATE TEMP FUNCTION f(x INT64) AS (x + 1);
SELECT f(1);
-- rows: [[2]]

-- case: a temporary function alone is of no use
CREATE TEMP FUNCTION f(x INT64) AS (x + 1);
-- error: CREATE TEMPORARY FUNCTION statements must be followed by an actual query.

-- case: a temporary table alone is of no use
CREATE TEMP TABLE t AS SELECT 1 AS x;
-- error: Use of CREATE TEMPORARY TABLE requires a script or session

-- case: a materialized view is refreshed at any time
CREATE TABLE d.t AS SELECT 1 AS a;
CREATE MATERIALIZED VIEW d.v OPTIONS (enable_refresh = FALSE, max_staleness = INTERVAL 1 HOUR) AS SELECT SUM(a) AS s FROM d.t;
INSERT d.t VALUES (2);
CALL BQ.REFRESH_MATERIALIZED_VIEW('p.d.v');
SELECT s FROM d.v;
-- rows: [[3]]
