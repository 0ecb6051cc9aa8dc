from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery import ArrayQueryParameter, QueryJobConfig, ScalarQueryParameter, StructQueryParameter


def test_a_query_gives_rows_and_says_what_it_was(client: bigquery.Client) -> None:
    config = QueryJobConfig(labels={"team": "a"}, maximum_bytes_billed=10_000_000)
    job = client.query("SELECT 1 AS x, 'a' AS y", job_config=config)
    rows = job.result()
    assert [tuple(row) for row in rows] == [(1, "a")]
    assert rows.total_rows == 1
    assert (job.state, job.statement_type, job.cache_hit, job.labels) == ("DONE", "SELECT", False, {"team": "a"})
    assert job.created <= job.started <= job.ended
    again = client.get_job(job.job_id)
    assert [(field.name, field.field_type) for field in again.schema] == [("x", "INTEGER"), ("y", "STRING")]
    assert [tuple(row) for row in again.result()] == [(1, "a")]


def test_rows_come_in_pages_from_any_place(client: bigquery.Client) -> None:
    job = client.query("SELECT n FROM UNNEST(GENERATE_ARRAY(1, 10)) AS n ORDER BY n")
    assert [[row.n for row in page] for page in job.result(page_size=4).pages] == [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
        [9, 10],
    ]
    assert [row.n for row in client.get_job(job.job_id).result(start_index=7)] == [8, 9, 10]
    assert [row.n for row in client.get_job(job.job_id).result(max_results=2)] == [1, 2]
    found = client.query_and_wait("SELECT n FROM UNNEST(GENERATE_ARRAY(1, 10)) AS n ORDER BY n", page_size=6)
    assert [row.n for row in found] == list(range(1, 11))


def test_an_empty_result_has_its_schema(client: bigquery.Client) -> None:
    rows = client.query("SELECT 1 AS x FROM UNNEST([]) AS nothing").result()
    assert ([field.name for field in rows.schema], rows.total_rows, list(rows)) == (["x"], 0, [])


def test_dml_says_how_many_rows_it_changed(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE TABLE d.t AS SELECT n FROM UNNEST([1, 2, 3]) AS n")
    job = client.query("DELETE FROM d.t WHERE n > 1")
    assert list(job.result()) == []
    assert (job.statement_type, job.num_dml_affected_rows, job.dml_stats.deleted_row_count) == ("DELETE", 2, 2)
    assert client.query_and_wait("INSERT INTO d.t (n) VALUES (4)").num_dml_affected_rows == 1


def test_ddl_says_what_it_did_to_what(client: bigquery.Client) -> None:
    job = client.query("CREATE TABLE d.t (n INT64)")
    job.result()
    assert (job.statement_type, job.ddl_operation_performed, job.ddl_target_table.table_id) == (
        "CREATE_TABLE",
        "CREATE",
        "t",
    )
    job = client.query("CREATE PROCEDURE d.p() BEGIN SELECT 1; END")
    job.result()
    assert (job.statement_type, job.ddl_target_routine.routine_id) == ("CREATE_PROCEDURE", "p")


PARAMETERS = [
    (ScalarQueryParameter("p", "INT64", 7), 7),
    (ScalarQueryParameter("p", "INT64", None), None),
    (ScalarQueryParameter("p", "FLOAT64", float("inf")), float("inf")),
    (ScalarQueryParameter("p", "NUMERIC", Decimal("1.5")), Decimal("1.5")),
    (ScalarQueryParameter("p", "BOOL", False), False),
    (ScalarQueryParameter("p", "STRING", "it's"), "it's"),
    (ScalarQueryParameter("p", "BYTES", b"\x00\xff"), b"\x00\xff"),
    (ScalarQueryParameter("p", "DATE", date(2013, 1, 7)), date(2013, 1, 7)),
    (ScalarQueryParameter("p", "DATETIME", datetime(2013, 1, 7, 1, 2, 3)), datetime(2013, 1, 7, 1, 2, 3)),
    (ScalarQueryParameter("p", "TIMESTAMP", datetime(2013, 1, 7, tzinfo=UTC)), datetime(2013, 1, 7, tzinfo=UTC)),
    (ScalarQueryParameter("p", "JSON", {"a": [1]}), {"a": [1]}),
    (ArrayQueryParameter("p", "STRING", ["a", "b"]), ["a", "b"]),
    (ArrayQueryParameter("p", "DATE", []), []),
    (
        StructQueryParameter("p", ScalarQueryParameter("a", "INT64", 1), ArrayQueryParameter("b", "STRING", ["x"])),
        {"a": 1, "b": ["x"]},
    ),
]


@pytest.mark.parametrize(("parameter", "value"), PARAMETERS)
def test_a_parameter_of_every_type_arrives_as_it_was_sent(
    client: bigquery.Client, parameter: ScalarQueryParameter, value: object
) -> None:
    config = QueryJobConfig(query_parameters=[parameter])
    [row] = client.query_and_wait("SELECT @p AS p", job_config=config)
    assert row.p == value


def test_parameters_can_be_positional(client: bigquery.Client) -> None:
    given = [ScalarQueryParameter(None, "INT64", 1), ScalarQueryParameter(None, "STRING", "x")]
    [row] = client.query_and_wait("SELECT ? AS a, ? AS b", job_config=QueryJobConfig(query_parameters=given))
    assert tuple(row) == (1, "x")


def test_a_parameter_whose_value_does_not_fit_is_named(client: bigquery.Client) -> None:
    config = QueryJobConfig(query_parameters=[ScalarQueryParameter("day", "DATE", "2013-13-01")])
    with pytest.raises(exceptions.BadRequest, match="Query parameter 'day': Bad date value: 2013-13-01"):
        client.query_and_wait("SELECT @day", job_config=config)


def test_the_default_dataset_completes_names(client: bigquery.Client) -> None:
    config = QueryJobConfig(default_dataset="local.d")
    client.query_and_wait("CREATE TABLE t AS SELECT 1 AS x", job_config=config)
    assert [row.x for row in client.query_and_wait("SELECT x FROM t", job_config=config)] == [1]
    assert client.get_table("d.t").num_rows == 1


@pytest.mark.parametrize(
    ("text", "error", "reason", "message"),
    [
        ("SELECT x", exceptions.BadRequest, "invalidQuery", r"Unrecognized name: x at \[1:8\]"),
        ("SELECT * FROM d.none", exceptions.NotFound, "notFound", r"Not found: Table local:d\.none"),
        ("SELECT [1, NULL] AS a", exceptions.BadRequest, "invalidQuery", "null element; error in writing field a"),
        ("", exceptions.BadRequest, "invalid", "Required parameter is missing: query"),
    ],
)
def test_a_failed_query_raises_its_error_whichever_way_it_is_sent(
    client: bigquery.Client, text: str, error: type[exceptions.GoogleAPICallError], reason: str, message: str
) -> None:
    for run in (lambda: client.query_and_wait(text), lambda: client.query(text).result()):
        with pytest.raises(error, match=message) as raised:
            run()
        assert raised.value.errors[0]["reason"] == reason


def test_legacy_sql_is_refused(client: bigquery.Client) -> None:
    with pytest.raises(exceptions.BadRequest, match="not supported: legacy SQL"):
        client.query_and_wait("SELECT 1", job_config=QueryJobConfig(use_legacy_sql=True))


def test_a_dry_run_answers_without_running(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE TABLE d.t AS SELECT 1 AS x")
    config = QueryJobConfig(dry_run=True)
    job = client.query("SELECT x FROM d.t", job_config=config)
    assert (job.state, job.statement_type, job.total_bytes_processed) == ("DONE", "SELECT", 8)
    assert [field.name for field in job.schema] == ["x"]
    assert client.query("DELETE FROM d.t WHERE TRUE", job_config=config).statement_type == "DELETE"
    assert client.get_table("d.t").num_rows == 1
    with pytest.raises(exceptions.BadRequest, match="Unrecognized name: y"):
        client.query("SELECT y FROM d.t", job_config=config)
    with pytest.raises(exceptions.NotFound, match="Not found: Job"):
        client.get_job(job.job_id)


# ---- destination


def written(client: bigquery.Client) -> list[tuple[object, ...]]:
    return sorted((tuple(row) for row in client.query_and_wait("SELECT * FROM d.t")), key=str)


def test_a_result_is_written_to_the_table_that_the_job_names(client: bigquery.Client) -> None:
    config = QueryJobConfig(
        destination="local.d.t",
        time_partitioning=bigquery.TimePartitioning(field="day"),
        clustering_fields=["x"],
    )
    job = client.query("SELECT 1 AS x, DATE '2013-01-07' AS day", job_config=config)
    assert [row.x for row in job.result()] == [1]
    assert (job.statement_type, job.destination.table_id) == ("SELECT", "t")
    table = client.get_table("d.t")
    assert (table.time_partitioning.field, table.clustering_fields, table.num_rows) == ("day", ["x"], 1)


def test_write_dispositions(client: bigquery.Client) -> None:
    def write(value: int, disposition: str | None) -> None:
        config = QueryJobConfig(destination="local.d.t")
        if disposition:
            config.write_disposition = disposition
        client.query_and_wait(f"SELECT {value} AS x", job_config=config)

    write(1, None)
    write(2, "WRITE_APPEND")
    assert written(client) == [(1,), (2,)]
    with pytest.raises(exceptions.Conflict, match=r"Already Exists: Table local:d\.t"):
        write(3, None)
    write(4, "WRITE_TRUNCATE")
    assert written(client) == [(4,)]


def test_a_query_that_fails_half_way_leaves_its_destination_as_it_was(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE TABLE d.t AS SELECT 1 AS x")
    config = QueryJobConfig(destination="local.d.t", write_disposition="WRITE_TRUNCATE")
    with pytest.raises(exceptions.BadRequest):
        client.query_and_wait(
            "SELECT CAST(1 / (n - 500) AS INT64) AS x\nFROM UNNEST(GENERATE_ARRAY(1, 999)) AS n", job_config=config
        )
    assert written(client) == [(1,)]


def test_an_append_may_add_and_relax_columns_only_with_leave(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE TABLE d.t (x INT64 NOT NULL)")
    client.query_and_wait("INSERT INTO d.t (x) VALUES (1)")
    config = QueryJobConfig(destination="local.d.t", write_disposition="WRITE_APPEND")
    with pytest.raises(exceptions.BadRequest, match=r"Cannot add fields \(field: y\)"):
        client.query_and_wait("SELECT 2 AS x, 'b' AS y", job_config=config)
    config.schema_update_options = ["ALLOW_FIELD_ADDITION", "ALLOW_FIELD_RELAXATION"]
    client.query_and_wait("SELECT 'b' AS y", job_config=config)
    assert written(client) == [(1, None), (None, "b")]
    assert [field.mode for field in client.get_table("d.t").schema] == ["NULLABLE", "NULLABLE"]


def test_a_missing_destination_is_not_made_when_that_is_forbidden(client: bigquery.Client) -> None:
    config = QueryJobConfig(destination="local.d.t", create_disposition="CREATE_NEVER")
    with pytest.raises(exceptions.NotFound, match=r"Not found: Table local:d\.t"):
        client.query_and_wait("SELECT 1 AS x", job_config=config)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("DELETE FROM d.u WHERE TRUE", "Cannot set {} in jobs with DML statements"),
        ("CREATE TABLE d.v (x INT64)", "Cannot set {} in jobs with DDL statements"),
        ("SELECT 1; SELECT 2", r"configuration\.query\.\w+ cannot be set for scripts"),
    ],
)
def test_only_a_query_has_a_destination(client: bigquery.Client, text: str, message: str) -> None:
    client.query_and_wait("CREATE TABLE d.u (x INT64)")
    for config, what in (
        (QueryJobConfig(destination="local.d.t"), "destination table"),
        (QueryJobConfig(write_disposition="WRITE_TRUNCATE"), "write disposition"),
        (QueryJobConfig(clustering_fields=["x"]), "clustering"),
    ):
        with pytest.raises(exceptions.BadRequest, match=message.format(what)):
            client.query_and_wait(text, job_config=config)
    client.query_and_wait(text, job_config=QueryJobConfig(write_disposition="WRITE_EMPTY"))


def test_a_place_in_a_query_with_a_destination_is_the_place_in_its_own_text(client: bigquery.Client) -> None:
    with pytest.raises(exceptions.BadRequest, match=r"Unrecognized name: z at \[2:3\]"):
        client.query_and_wait("SELECT\n  z", job_config=QueryJobConfig(destination="local.d.t"))
