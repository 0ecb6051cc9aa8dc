"""Bytes processed: the columns that a statement refers to, in the partitions that its constant conditions leave."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.api_core.exceptions import GoogleAPICallError, InternalServerError
from google.cloud import bigquery
from google.cloud.bigquery.job.query import DmlStats

import embedded_bigquery

DAY = 5 * (8 + 8 + 4)  # bytes of one day: five rows of a DATE, an INT64 and a STRING of two characters


@pytest.fixture(scope="module")
def client() -> Iterator[bigquery.Client]:
    made = embedded_bigquery.connect()
    made.create_dataset("d")
    made.query_and_wait("""
        CREATE TABLE d.t (day DATE, n INT64, word STRING) PARTITION BY day AS
        SELECT DATE_ADD(DATE '2013-01-01', INTERVAL MOD(n, 10) DAY), n, 'ab' FROM UNNEST(GENERATE_ARRAY(0, 49)) AS n
    """)
    made.query_and_wait("""
        CREATE TABLE d.hours (moment TIMESTAMP, n INT64) PARTITION BY DATE(moment) AS
        SELECT TIMESTAMP_ADD(TIMESTAMP '2013-01-01', INTERVAL n HOUR), n FROM UNNEST(GENERATE_ARRAY(0, 47)) AS n
    """)
    yield made
    made.close()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("sql", "processed"),
    [
        ("SELECT 1", 0),
        ("SELECT * FROM d.t", 10 * DAY),
        ("SELECT COUNT(*) FROM d.t", 0),
        ("SELECT n FROM d.t", 50 * 8),
        ("SELECT n FROM d.t WHERE day = '2013-01-03'", 5 * 16),
        ("SELECT n FROM d.t AS x WHERE x.day BETWEEN '2013-01-03' AND DATE '2013-01-04' AND n > 0", 10 * 16),
        ("SELECT n FROM d.t WHERE day IN ('2013-01-03', '2013-01-05') OR day = '2013-01-09'", 15 * 16),
        ("SELECT n FROM d.t WHERE day = (SELECT MAX(day) FROM d.t)", 50 * 16),
        ("SELECT n FROM d.t WHERE DATE_ADD(day, INTERVAL 1 DAY) = '2013-01-03'", 50 * 16),
        (
            "SELECT a.n FROM d.t AS a JOIN d.t AS b USING (n) WHERE a.day = '2013-01-01' AND b.day = '2013-01-02'",
            10 * 16,
        ),
        ("SELECT n FROM d.hours WHERE moment >= '2013-01-02 12:00:00'", 24 * 16),
        ("SELECT n FROM d.hours WHERE DATE(moment) = '2013-01-01'", 24 * 16),
        ("DELETE FROM d.t WHERE day = '2013-01-03'", 0),
        ("DELETE FROM d.t WHERE day = '2013-01-03' AND n = 1", DAY),
        ("UPDATE d.t SET n = 0 WHERE day BETWEEN '2013-01-03' AND '2013-01-04'", 2 * DAY),
        ("INSERT INTO d.t (day, n) SELECT day, n FROM d.t WHERE day = '2013-01-01'", 5 * 16),
        ("CREATE TABLE d.new AS SELECT n FROM d.t WHERE day = '2013-01-01'", 5 * 16),
        ("CREATE VIEW d.new AS SELECT n FROM d.t", 0),
        ("CREATE TEMP FUNCTION f(x INT64) AS (x); SELECT f(n) FROM d.t", 50 * 8),
    ],
)
def test_dry_run_counts_referenced_columns_in_the_partitions_left(
    client: bigquery.Client, sql: str, processed: int
) -> None:
    job = client.query(sql, bigquery.QueryJobConfig(dry_run=True))
    assert job.total_bytes_processed == processed


def test_a_parameter_prunes_as_a_constant_does(client: bigquery.Client) -> None:
    config = bigquery.QueryJobConfig(query_parameters=[bigquery.ScalarQueryParameter("day", "DATE", "2013-01-03")])
    assert client.query("SELECT n FROM d.t WHERE day = @day", config).result().total_rows == 5
    config.dry_run = True
    assert client.query("SELECT n FROM d.t WHERE day = @day", config).total_bytes_processed == 5 * 16


def test_a_script_processes_what_its_statements_do(client: bigquery.Client) -> None:
    job = client.query("DECLARE d DATE DEFAULT '2013-01-03'; SELECT n FROM d.t WHERE day = d; SELECT n FROM d.t")
    job.result()
    assert job.total_bytes_processed == 5 * 16 + 50 * 8
    assert job.total_bytes_billed == 2 * 10 * 2**20


@pytest.mark.parametrize(
    ("sql", "processed"),
    [
        # What the variable will be is not known: no partition is left out.
        ("DECLARE d DATE DEFAULT '2013-01-03'; SELECT n FROM d.t WHERE day = d; SELECT n FROM d.t", 50 * 16 + 50 * 8),
        ("BEGIN SELECT n FROM d.t; UPDATE d.t SET n = 0 WHERE day = '2013-01-03'; END; SELECT n FROM d.t", DAY + 800),
        ("SELECT n FROM d.t; IF TRUE THEN SELECT z FROM d.none; END IF; SELECT z", 50 * 8),
        ("SELECT n FROM d.t; CREATE TABLE d.new AS SELECT n FROM d.t; SELECT n FROM d.new", 2 * 50 * 8),
        ("BEGIN TRANSACTION; DELETE FROM d.t WHERE n = 1; COMMIT TRANSACTION", 10 * DAY),
        ("CALL d.p(1); SELECT z", 0),
        ("EXECUTE IMMEDIATE 'SELECT z'; SELECT z", 0),
    ],
)
def test_a_dry_run_of_a_script_goes_on_to_where_it_branches(client: bigquery.Client, sql: str, processed: int) -> None:
    client.query_and_wait("CREATE PROCEDURE IF NOT EXISTS d.p(x INT64) BEGIN SELECT x; END")
    job = client.query(sql, bigquery.QueryJobConfig(dry_run=True))
    assert (job.total_bytes_processed, job.statement_type) == (processed, "SCRIPT")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT n FROM d.t; SELECT z FROM d.t", r"Unrecognized name: z at \[1:27\]"),
        ("CALL d.none()", "d.none"),
        ("DECLARE x INT64 DEFAULT 'a'", "Cannot coerce"),
        ("DROP TABLE d.none", "Not found: Table local:d.none"),
        ("ALTER TABLE d.t DROP COLUMN z", r"Column not found: z at \[1:29\]"),
        ("CREATE TABLE d.new (x INT64) CLUSTER BY y", "clustering cannot be found in the schema: y"),
    ],
)
def test_a_dry_run_finds_what_is_wrong_and_changes_nothing(client: bigquery.Client, sql: str, message: str) -> None:
    with pytest.raises(GoogleAPICallError, match=message):
        client.query(sql, bigquery.QueryJobConfig(dry_run=True))
    assert client.get_table("d.t").num_rows == 50


def test_a_merge_tells_what_it_did_to_rows(client: bigquery.Client) -> None:
    job = client.query("""
        CREATE TABLE d.m AS SELECT n FROM UNNEST([1, 2, 3]) AS n;
        MERGE d.m AS t USING UNNEST([2, 4, 5]) AS s ON t.n = s
        WHEN MATCHED THEN UPDATE SET n = 20 WHEN NOT MATCHED THEN INSERT VALUES (s)
        WHEN NOT MATCHED BY SOURCE AND n = 1 THEN DELETE
    """)
    job.result()
    [merge, _] = client.list_jobs(parent_job=job)
    assert (merge.num_dml_affected_rows, merge.dml_stats) == (4, DmlStats(2, 1, 1))


def test_more_than_maximum_bytes_billed_is_refused_before_anything_runs(client: bigquery.Client) -> None:
    # The client knows no class for the reason and shows it as a server error.
    with pytest.raises(InternalServerError, match=r"limit for bytes billed: 1000000\. 10485760 or higher required"):
        client.query("SELECT n FROM d.t", bigquery.QueryJobConfig(maximum_bytes_billed=1_000_000)).result()
    client.query("SELECT n FROM d.t", bigquery.QueryJobConfig(maximum_bytes_billed=10_485_760)).result()
