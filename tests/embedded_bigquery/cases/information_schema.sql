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
