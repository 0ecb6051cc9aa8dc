-- case: TABLES tells tables from views
CREATE TABLE d.t (a INT64);
CREATE VIEW d.v AS SELECT a FROM d.t;
SELECT table_name, table_type, is_insertable_into FROM d.INFORMATION_SCHEMA.TABLES ORDER BY table_name;
-- rows: [["t", "BASE TABLE", "YES"], ["v", "VIEW", "NO"]]

-- case: COLUMNS gives types with sizes, partitioning and clustering
CREATE TABLE d.t (a NUMERIC(10, 2) NOT NULL, day DATE, b STRING(5)) PARTITION BY day CLUSTER BY b;
SELECT column_name, data_type, is_nullable, is_partitioning_column, clustering_ordinal_position
FROM `p.d.INFORMATION_SCHEMA.COLUMNS` ORDER BY ordinal_position;
-- rows: [["a", "NUMERIC(10, 2)", "NO", "NO", null], ["day", "DATE", "YES", "YES", null], ["b", "STRING(5)", "YES", "NO", 1]]

-- case: PARTITIONS counts the rows of each
CREATE TABLE d.t (day DATE) PARTITION BY day;
INSERT INTO d.t (day) VALUES ('2013-01-01'), ('2013-01-01'), (NULL);
SELECT partition_id, total_rows FROM d.INFORMATION_SCHEMA.PARTITIONS ORDER BY partition_id;
-- rows: [["20130101", 2], ["__NULL__", 1]]

-- case: ROUTINES and PARAMETERS
CREATE PROCEDURE d.p(day DATE, OUT n INT64) BEGIN SET n = 1; END;
SELECT r.routine_type, r.routine_definition, STRING_AGG(CONCAT(p.parameter_mode, ' ', p.parameter_name, ' ', p.data_type), ', ' ORDER BY p.ordinal_position)
FROM d.INFORMATION_SCHEMA.ROUTINES AS r
INNER JOIN d.INFORMATION_SCHEMA.PARAMETERS AS p ON r.specific_name = p.specific_name
GROUP BY r.routine_type, r.routine_definition;
-- rows: [["PROCEDURE", "BEGIN SET n = 1; END", "IN day DATE, OUT n INT64"]]

-- case: the ddl of a table makes the same table again
DECLARE ddl STRING;
CREATE TABLE d.t (a INT64 NOT NULL OPTIONS (description = 'the "a"'), s STRUCT<x STRING, y ARRAY<INT64>>, `at` TIMESTAMP)
PARTITION BY TIMESTAMP_TRUNC(`at`, HOUR)
CLUSTER BY a
OPTIONS (description = 'one\ntwo', labels = [('team', 'data')]);
SET ddl = (SELECT ddl FROM d.INFORMATION_SCHEMA.TABLES WHERE table_name = 't');
DROP TABLE d.t;
EXECUTE IMMEDIATE ddl;
SELECT ddl = (SELECT ddl FROM d.INFORMATION_SCHEMA.TABLES WHERE table_name = 't');
-- rows: [[true]]

-- case: a view that does not exist
SELECT * FROM d.INFORMATION_SCHEMA.NOTHING;
-- error: Not found: Table d.INFORMATION_SCHEMA.NOTHING

-- case: PARTITIONS and __TABLES__ tell logical bytes
CREATE TABLE d.t (day DATE, x INT64) PARTITION BY day;
INSERT INTO d.t (day, x) VALUES ('2013-01-01', 1), ('2013-01-01', 2), ('2013-01-02', 3);
CREATE VIEW d.v AS SELECT 1 AS x;
SELECT ARRAY(SELECT total_logical_bytes FROM d.INFORMATION_SCHEMA.PARTITIONS ORDER BY partition_id),
  ARRAY(SELECT CONCAT(table_id, row_count, ' ', size_bytes) FROM d.__TABLES__ ORDER BY table_id);
-- rows: [[[32, 16], ["t3 48", "v0 0"]]]

-- case: TABLES tells clones and snapshots from their base
CREATE TABLE d.t (a INT64);
CREATE TABLE d.c CLONE d.t;
CREATE SNAPSHOT TABLE d.s CLONE d.t;
CREATE MATERIALIZED VIEW d.m AS SELECT a FROM d.t;
SELECT table_name, table_type, managed_table_type, base_table_name, snapshot_time_ms IS NOT NULL
FROM d.INFORMATION_SCHEMA.TABLES ORDER BY table_name;
-- rows: [["c", "CLONE", "NATIVE", "t", true], ["m", "MATERIALIZED VIEW", null, null, false], ["s", "SNAPSHOT", null, "t", true], ["t", "BASE TABLE", "NATIVE", null, false]]

-- case: COLUMNS has pseudo-columns, and sizes inside of types
CREATE TABLE d.t (a ARRAY<STRUCT<x STRING(3), y NUMERIC(5, 2)>> OPTIONS (description = 'many')) PARTITION BY _PARTITIONDATE;
SELECT column_name, ordinal_position, data_type, is_nullable, is_hidden, is_partitioning_column, ARRAY_LENGTH(policy_tags)
FROM d.INFORMATION_SCHEMA.COLUMNS ORDER BY ordinal_position, column_name DESC;
-- rows: [["_PARTITIONTIME", null, "TIMESTAMP", "YES", "YES", "YES", 0], ["_PARTITIONDATE", null, "DATE", "YES", "YES", "YES", 0], ["a", 1, "ARRAY<STRUCT<x STRING(3), y NUMERIC(5, 2)>>", "NO", "NO", "NO", 0]]

-- case: what one ddl makes is what it tells
DECLARE ddls ARRAY<STRING>;
CREATE TABLE d.one (a INT64 NOT NULL, b STRUCT<x STRING(3) NOT NULL, y INT64 OPTIONS (description = 'y')>, PRIMARY KEY (a) NOT ENFORCED);
CREATE TABLE d.two (a INT64 DEFAULT 3, CONSTRAINT k FOREIGN KEY (a) REFERENCES d.one(a) NOT ENFORCED) OPTIONS (expiration_timestamp = TIMESTAMP '9000-01-01');
CREATE VIEW d.view (z OPTIONS (description = 'the z')) OPTIONS (friendly_name = 'V') AS SELECT a FROM d.one;
CREATE FUNCTION d.f(x INT64) RETURNS INT64 AS (x + 1) OPTIONS (description = 'adds');
CREATE FUNCTION d.j(x FLOAT64) RETURNS FLOAT64 NOT DETERMINISTIC LANGUAGE js AS '''return "'" + x;''';
CREATE PROCEDURE d.p(OUT n INT64) OPTIONS (strict_mode = FALSE) BEGIN SET n = 1; END;
CREATE TABLE FUNCTION d.tf(x INT64) RETURNS TABLE<y INT64> AS (SELECT x AS y);
SET ddls = ARRAY_CONCAT(ARRAY(SELECT ddl FROM d.INFORMATION_SCHEMA.TABLES ORDER BY table_name), ARRAY(SELECT ddl FROM d.INFORMATION_SCHEMA.ROUTINES ORDER BY routine_name));
DROP SCHEMA d CASCADE;
CREATE SCHEMA d;
FOR made IN (SELECT text FROM UNNEST(ddls) AS text WITH OFFSET AS n ORDER BY n) DO
  EXECUTE IMMEDIATE made.text;
END FOR;
SELECT TO_JSON_STRING(ddls) = TO_JSON_STRING(ARRAY_CONCAT(ARRAY(SELECT ddl FROM d.INFORMATION_SCHEMA.TABLES ORDER BY table_name), ARRAY(SELECT ddl FROM d.INFORMATION_SCHEMA.ROUTINES ORDER BY routine_name)));
-- rows: [[true]]

-- case: SCHEMATA and its options
ALTER SCHEMA d SET OPTIONS (description = 'all', default_table_expiration_days = 3.5, max_time_travel_hours = 48);
SELECT ddl, ARRAY(SELECT CONCAT(option_name, ' ', option_type, ' ', option_value) FROM INFORMATION_SCHEMA.SCHEMATA_OPTIONS ORDER BY 1)
FROM `region-eu`.INFORMATION_SCHEMA.SCHEMATA;
-- rows: [["CREATE SCHEMA `p.d`\nOPTIONS(\n  default_table_expiration_days=3.5,\n  description=\"all\",\n  location=\"eu\",\n  max_time_travel_hours=48\n);", ["default_table_expiration_days FLOAT64 3.5", "description STRING \"all\"", "max_time_travel_hours INT64 48"]]]

-- case: a region has the datasets that are there
SELECT (SELECT COUNT(*) FROM `region-us`.INFORMATION_SCHEMA.SCHEMATA), (SELECT COUNT(*) FROM `p.region-eu.INFORMATION_SCHEMA.SCHEMATA`);
-- rows: [[0, 1]]

-- case: a default dataset completes the name of a view
SET @@dataset_id = 'd';
CREATE TABLE t (a INT64);
SELECT table_name FROM INFORMATION_SCHEMA.TABLES;
-- rows: [["t"]]

-- case: without one the name says too little
SELECT table_name FROM INFORMATION_SCHEMA.TABLES;
-- error: Table "INFORMATION_SCHEMA.TABLES" must be qualified with a dataset (e.g. dataset.table).

-- case: the names of views are case-sensitive
SELECT table_name FROM d.INFORMATION_SCHEMA.tables;
-- error: Not found: Table d.INFORMATION_SCHEMA.tables

-- case: a view of what the engine does not have
SELECT * FROM d.INFORMATION_SCHEMA.SEARCH_INDEXES;
-- error: not supported: INFORMATION_SCHEMA.SEARCH_INDEXES

-- case: CONSTRAINT_COLUMN_USAGE tells the columns that a key needs
CREATE TABLE d.t (a INT64 PRIMARY KEY NOT ENFORCED);
CREATE TABLE d.u (b INT64, CONSTRAINT k FOREIGN KEY (b) REFERENCES d.t(a) NOT ENFORCED);
SELECT c.constraint_name, c.table_name, c.column_name, k.column_name, k.position_in_unique_constraint
FROM d.INFORMATION_SCHEMA.CONSTRAINT_COLUMN_USAGE AS c
JOIN d.INFORMATION_SCHEMA.KEY_COLUMN_USAGE AS k USING (constraint_name) ORDER BY 1;
-- rows: [["t.pk$", "t", "a", "a", null], ["u.k", "t", "a", "b", 1]]

-- case: TABLE_STORAGE counts rows, partitions and logical bytes
CREATE TABLE d.t (day DATE) PARTITION BY day;
INSERT d.t VALUES ('2013-01-01'), ('2013-01-01'), ('2013-01-02');
SELECT table_name, total_rows, total_partitions, total_logical_bytes, deleted FROM `region-eu`.INFORMATION_SCHEMA.TABLE_STORAGE;
-- rows: [["t", 3, 2, 24, false]]
