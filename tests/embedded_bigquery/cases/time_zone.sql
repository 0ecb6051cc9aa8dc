-- case: functions that name no zone follow @@time_zone
SET @@time_zone = 'America/Los_Angeles';
SELECT
  @@time_zone,
  STRING(TIMESTAMP '2008-12-20 15:30:00+00'),
  CAST(TIMESTAMP '2008-12-20 15:30:00+00' AS STRING),
  EXTRACT(HOUR FROM TIMESTAMP '2008-12-20 15:30:00+00'),
  DATE(TIMESTAMP '2008-12-20 01:30:00+00'),
  DATETIME(TIMESTAMP '2008-12-20 15:30:00+00'),
  FORMAT_TIMESTAMP('%F %R %Z', TIMESTAMP '2008-12-20 15:30:00+00'),
  FORMAT_DATE('%F', TIMESTAMP '2008-12-20 01:30:00+00'),
  FORMAT('%t', TIMESTAMP '2008-12-20 15:30:00+00'),
  TO_JSON_STRING(TIMESTAMP '2008-12-20 15:30:00+00'),
  CURRENT_DATE() = CURRENT_DATE('America/Los_Angeles');
-- rows: [["America/Los_Angeles", "2008-12-20 07:30:00-08", "2008-12-20 07:30:00-08", 7, "2008-12-19", "2008-12-20 07:30:00", "2008-12-20 07:30 UTC-8", "2008-12-19", "2008-12-20 07:30:00-08", "\"2008-12-20T15:30:00Z\"", true]]

-- case: literals, casts and conversions read local times in @@time_zone
DECLARE d DATE DEFAULT '2020-01-01';
DECLARE of_variable TIMESTAMP;
SET @@time_zone = 'Asia/Kolkata';
SET of_variable = d;
SELECT
  LOGICAL_AND(t = TIMESTAMP '2019-12-31 18:30:00+00') FROM UNNEST([
    TIMESTAMP '2020-01-01', TIMESTAMP('2020-01-01'), TIMESTAMP(DATE '2020-01-01'), CAST('2020-01-01' AS TIMESTAMP),
    CAST(d AS TIMESTAMP), PARSE_TIMESTAMP('%F', '2020-01-01'), TIMESTAMP_TRUNC(TIMESTAMP '2020-01-01 09:00:00', DAY),
    CAST('2020-01-01' AS TIMESTAMP FORMAT 'YYYY-MM-DD'), RANGE_START(RANGE<TIMESTAMP> '[2020-01-01, UNBOUNDED)'),
    of_variable]) AS t;
-- rows: [[true]]

-- case: a zone that is given beats @@time_zone
SET @@time_zone = 'Asia/Tokyo';
SELECT EXTRACT(HOUR FROM TIMESTAMP_SECONDS(0) AT TIME ZONE 'UTC'), STRING(TIMESTAMP_SECONDS(0), '+05:30'), DATE '1970-01-01';
-- rows: [[0, "1970-01-01 05:30:00+05:30", "1970-01-01"]]

-- case: every turn of a loop has the zone that is set then, and a procedure its caller's
CREATE PROCEDURE d.p(t TIMESTAMP, OUT shown STRING) BEGIN SET shown = STRING(t); END;
BEGIN
  DECLARE found STRING;
  DECLARE all_found ARRAY<STRING>;
  FOR zone IN (SELECT z FROM UNNEST(['UTC', 'Asia/Tokyo']) AS z WITH OFFSET AS n ORDER BY n) DO
    SET @@time_zone = zone.z;
    CALL d.p(TIMESTAMP_SECONDS(0), found);
    SET all_found = ARRAY_CONCAT(IFNULL(all_found, []), [found, STRING(TIMESTAMP_SECONDS(0))]);
  END FOR;
  SELECT all_found;
END;
-- rows: [[["1970-01-01 00:00:00+00", "1970-01-01 00:00:00+00", "1970-01-01 09:00:00+09", "1970-01-01 09:00:00+09"]]]

-- case: a default of a column keeps UTC, whatever the zone of the script that made it
SET @@time_zone = 'Asia/Tokyo';
CREATE TABLE d.t (a INT64, ts TIMESTAMP DEFAULT TIMESTAMP '2020-01-01 00:00:00');
INSERT INTO d.t (a) VALUES (1);
SELECT UNIX_SECONDS(ts) FROM d.t;
-- rows: [[1577836800]]

-- case: OPTIONS have a zone of their own until @@time_zone is set
CREATE TABLE d.t (a INT64) OPTIONS (expiration_timestamp = TIMESTAMP '2100-01-01');
SET @@time_zone = 'UTC';
CREATE TABLE d.u (a INT64) OPTIONS (expiration_timestamp = TIMESTAMP '2100-01-01');
SELECT table_name, option_value FROM d.INFORMATION_SCHEMA.TABLE_OPTIONS ORDER BY table_name;
-- rows: [["t", "TIMESTAMP \"2100-01-01T08:00:00.000Z\""], ["u", "TIMESTAMP \"2100-01-01T00:00:00.000Z\""]]

-- case: a zone that does not exist
SELECT 1;
SET @@time_zone = 'Nowhere/Else';
-- error: Invalid timezone: Nowhere/Else at [2:19]
