import logging

import pytest
from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery import ConnectionProperty, QueryJobConfig


def endless(client: bigquery.Client) -> bigquery.QueryJob:
    return client.query("LOOP SELECT 1; END LOOP", job_retry=None)


def test_a_used_job_id_is_a_conflict(client: bigquery.Client) -> None:
    client.query("SELECT 1", job_id="mine", job_retry=None).result()
    with pytest.raises(exceptions.Conflict, match=r"Already Exists: Job local:EU\.mine") as refused:
        client.query("SELECT 2", job_id="mine", job_retry=None)
    assert refused.value.errors[0]["reason"] == "duplicate"


def test_an_unknown_job_and_an_impossible_id_are_refused(client: bigquery.Client) -> None:
    with pytest.raises(exceptions.NotFound, match=r"Not found: Job local:EU\.none"):
        client.get_job("none")
    with pytest.raises(exceptions.BadRequest, match="Invalid job ID"):
        client.query("SELECT 1", job_id="a b", job_retry=None)


def test_a_long_job_is_running_until_it_is_cancelled(client: bigquery.Client) -> None:
    job = endless(client)
    assert job.state == "RUNNING" and client.get_job(job.job_id).state == "RUNNING"
    assert [item.job_id for item in client.list_jobs(state_filter="running")] == [job.job_id]
    job.cancel()
    with pytest.raises(exceptions.GoogleAPICallError, match="cancelled") as stopped:
        job.result(retry=None)
    assert stopped.value.errors[0]["reason"] == "stopped"
    job.reload()
    assert (job.state, job.error_result["reason"]) == ("DONE", "stopped")


def test_a_job_ends_at_its_own_timeout(client: bigquery.Client) -> None:
    job = client.query("LOOP SELECT 1; END LOOP", job_config=QueryJobConfig(job_timeout_ms=30), job_retry=None)
    with pytest.raises(exceptions.GoogleAPICallError, match="Job timed out after 30 ms"):
        job.result(retry=None)


def test_cancelling_a_job_that_is_done_changes_nothing(client: bigquery.Client) -> None:
    job = client.query("SELECT 1 AS x")
    job.result()
    assert job.cancel()
    assert [row.x for row in job.result()] == [1]


def test_a_wait_ends_at_its_timeout(client: bigquery.Client) -> None:
    job = endless(client)
    answer = client._connection.api_request("GET", f"/projects/local/queries/{job.job_id}", {"timeoutMs": 1})
    assert answer["jobComplete"] is False and "rows" not in answer
    job.cancel()


def test_the_same_request_sent_twice_runs_once(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE TABLE d.t (x INT64)")
    body = {"query": "INSERT INTO d.t (x) VALUES (1)", "useLegacySql": False, "requestId": "r1"}
    first, second = (client._connection.api_request("POST", "/projects/local/queries", data=body) for _ in range(2))
    assert first == second
    assert client.get_table("d.t").num_rows == 1


def test_each_statement_of_a_script_is_a_child_job(client: bigquery.Client) -> None:
    job = client.query("DECLARE n INT64 DEFAULT 2;\nCREATE TEMP TABLE t AS SELECT n;\n  SELECT *\n  FROM t;")
    assert [tuple(row) for row in job.result()] == [(2,)]
    assert (job.statement_type, job.num_child_jobs) == ("SCRIPT", 2)
    query, create = client.list_jobs(parent_job=job.job_id)
    assert [child.statement_type for child in (create, query)] == ["CREATE_TABLE_AS_SELECT", "SELECT"]
    assert query.parent_job_id == job.job_id
    assert [tuple(row) for row in query.result()] == [(2,)]
    statistics = query.script_statistics
    [frame] = statistics.stack_frames
    assert (statistics.evaluation_kind, frame.text) == ("STATEMENT", "SELECT *\n  FROM t")
    assert (frame.start_line, frame.start_column, frame.end_line, frame.end_column) == (3, 3, 4, 9)
    assert [item.job_id for item in client.list_jobs()] == [job.job_id]


def test_a_failed_statement_is_a_failed_child_of_a_failed_job(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE PROCEDURE d.p() BEGIN SELECT 1; SELECT ERROR('no'); END")
    job = client.query("CALL d.p()")
    with pytest.raises(exceptions.BadRequest, match="no"):
        job.result()
    children = list(client.list_jobs(parent_job=job))
    failed = [child for child in children if child.error_result]
    assert len(failed) == 1 and "no" in failed[0].error_result["message"]
    assert failed[0].script_statistics.stack_frames[0].procedure_id == "local.d.p"


def test_the_list_is_newest_first_in_pages(client: bigquery.Client) -> None:
    jobs = [client.query(f"SELECT {n}", job_id=f"j{n}", job_retry=None) for n in range(5)]
    assert [job.job_id for job in client.list_jobs(max_results=2)] == ["j4", "j3"]
    assert [[job.job_id for job in page] for page in client.list_jobs(page_size=3).pages] == [
        ["j4", "j3", "j2"],
        ["j1", "j0"],
    ]
    client.delete_job_metadata(jobs[0])
    with pytest.raises(exceptions.NotFound):
        client.get_job("j0")


def test_a_session_keeps_temporary_tables_and_transactions_from_job_to_job(client: bigquery.Client) -> None:
    job = client.query("CREATE TEMP TABLE t AS SELECT 1 AS x", job_config=QueryJobConfig(create_session=True))
    job.result()
    config = QueryJobConfig(connection_properties=[ConnectionProperty("session_id", job.session_info.session_id)])
    assert [row.x for row in client.query("SELECT x FROM t", job_config=config).result()] == [1]
    for text in ("CREATE TABLE d.t (x INT64)", "BEGIN TRANSACTION", "INSERT INTO d.t (x) VALUES (1)"):
        client.query(text, job_config=config).result()
    assert client.get_table("d.t").num_rows == 0
    client.query("COMMIT TRANSACTION", job_config=config).result()
    assert client.get_table("d.t").num_rows == 1
    for key, error, message in (
        ("session_id", exceptions.NotFound, "Session none"),
        ("color", exceptions.BadRequest, "Unknown connection property: color; known: session_id, time_zone"),
    ):
        config = QueryJobConfig(connection_properties=[ConnectionProperty(key, "none")])
        with pytest.raises(error, match=message):
            client.query("SELECT 1", job_config=config).result()


def test_temporary_tables_of_a_job_go_with_it(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE TEMP TABLE t AS SELECT 1 AS x; SELECT x FROM t")
    with pytest.raises(exceptions.GoogleAPICallError):
        client.query_and_wait("SELECT x FROM t")


def test_a_defect_of_the_engine_is_called_one_and_logged(
    client: bigquery.Client, caplog: pytest.LogCaptureFixture
) -> None:
    # A value that no client sends, and that nothing looks for.
    parameter = {
        "parameterType": {"type": "ARRAY", "arrayType": {"type": "INT64"}},
        "parameterValue": {"arrayValues": 1},
    }
    body = {"jobReference": {}, "configuration": {"query": {"query": "SELECT 1", "queryParameters": [parameter]}}}
    with caplog.at_level(logging.ERROR, "embedded_bigquery.jobs"):
        answer = client._connection.api_request("POST", "/projects/local/jobs", data=body)
    assert "Internal error of the embedded engine: TypeError" in answer["status"]["errorResult"]["message"]
    assert caplog.records[0].exc_info is not None
    assert [row.x for row in client.query_and_wait("SELECT 1 AS x")] == [1]


# ---- copies


def test_a_table_is_copied_with_its_layout(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE TABLE d.a PARTITION BY day AS SELECT DATE '2013-01-07' AS day, 1 AS x")
    client.copy_table("d.a", "d.b").result()
    copied = client.get_table("d.b")
    assert (copied.num_rows, copied.time_partitioning.field) == (1, "day")
    with pytest.raises(exceptions.Conflict):
        client.copy_table("d.a", "d.b").result()
    config = bigquery.CopyJobConfig(write_disposition="WRITE_APPEND")
    client.copy_table(["d.a", "d.b"], "d.b", job_config=config).result()
    assert client.get_table("d.b").num_rows == 3
    with pytest.raises(exceptions.NotFound, match=r"Table local:d\.none"):
        client.copy_table("d.none", "d.c").result()


# ---- what a job tells of itself


def test_a_query_has_a_table_of_its_rows(client: bigquery.Client) -> None:
    job = client.query(
        "SELECT n, [n] AS many, STRUCT(n AS k) AS one, TIMESTAMP '2013-01-07' AS ts FROM UNNEST([1, 2]) AS n"
    )
    job.result()
    assert job.destination is not None
    assert [row.many for row in client.list_rows(job.destination)] == [[1], [2]]
    assert client.get_table(job.destination).expires is not None
    name = ".".join((job.destination.project, job.destination.dataset_id, job.destination.table_id))
    assert [row.s for row in client.query_and_wait(f"SELECT SUM(one.k) AS s FROM `{name}`")] == [3]
    client.copy_table(job.destination, "local.d.kept").result()
    assert client.get_table("d.kept").num_rows == 2
    assert [dataset.dataset_id for dataset in client.list_datasets()] == ["d"]


def test_a_job_tells_what_it_changed_and_in_which_transaction(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE TABLE d.t AS SELECT 1 AS x")
    job = client.query("BEGIN TRANSACTION; INSERT d.t VALUES (2); COMMIT TRANSACTION; SELECT x FROM d.t")
    job.result()
    assert (job.destination, job.num_child_jobs) == (None, 4)
    children = {child.statement_type: child for child in client.list_jobs(parent_job=job)}
    assert children["INSERT"].destination == bigquery.TableReference.from_string("local.d.t")
    ids = [children[kind].transaction_info for kind in ("BEGIN_TRANSACTION", "INSERT", "COMMIT_TRANSACTION", "SELECT")]
    assert ids[0] is not None and ids == [ids[0]] * 3 + [None]
    assert children["SELECT"].estimated_bytes_processed == 16
    assert children["SELECT"].slot_millis is not None


def test_a_script_that_fails_tells_of_its_children(client: bigquery.Client) -> None:
    job = client.query("SELECT 1; SELECT 1 / 0; SELECT 2")
    with pytest.raises(exceptions.BadRequest):
        job.result()
    job.reload()
    assert job.num_child_jobs == 2


@pytest.mark.parametrize(
    ("operation", "shown"), [("SNAPSHOT", ("SNAPSHOT", "snapshotDefinition")), ("CLONE", ("TABLE", "cloneDefinition"))]
)
def test_a_copy_job_makes_snapshots_and_clones(client: bigquery.Client, operation: str, shown: tuple[str, str]) -> None:
    client.query_and_wait("CREATE TABLE d.t AS SELECT 1 AS x")
    config = bigquery.CopyJobConfig(operation_type=operation)
    config.destination_expiration_time = "9000-01-01T00:00:00Z"
    job = client.copy_table("d.t", "local.d.copy", job_config=config)
    job.result()
    made = client.get_table("d.copy")
    assert (made.table_type, made.num_rows) == (shown[0], 1)
    assert shown[1] in made.to_api_repr() and made.expires is not None
    assert job._job_statistics() == {"copiedRows": "1"}
    with pytest.raises(exceptions.Conflict):
        client.copy_table("d.t", "local.d.copy", job_config=config).result()


def test_a_copy_of_a_partition_goes_into_a_partition(client: bigquery.Client) -> None:
    client.query_and_wait("""
        CREATE TABLE d.t (x INT64) PARTITION BY _PARTITIONDATE;
        INSERT d.t (_PARTITIONTIME, x) VALUES (TIMESTAMP '2013-01-07', 1), (TIMESTAMP '2013-01-08', 2)""")
    client.copy_table("d.t$20130107", "local.d.u$20130101").result()
    client.copy_table("d.t", "local.d.u", job_config=bigquery.CopyJobConfig(write_disposition="WRITE_APPEND")).result()
    found = client.query_and_wait("SELECT CAST(_PARTITIONDATE AS STRING) AS day, x FROM d.u ORDER BY day, x")
    assert [tuple(row) for row in found] == [("2013-01-01", 1), ("2013-01-07", 1), ("2013-01-08", 2)]


def test_write_truncate_data_keeps_the_table(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE TABLE d.t (x INT64, y STRING) CLUSTER BY y; INSERT d.t VALUES (1, 'a')")
    config = bigquery.QueryJobConfig(destination="local.d.t", write_disposition="WRITE_TRUNCATE_DATA")
    client.query_and_wait("CREATE TEMP FUNCTION f(x INT64) AS (x + 1); SELECT f(2) AS x", job_config=config)
    assert [tuple(row) for row in client.list_rows("d.t")] == [(3, None)]
    assert client.get_table("d.t").clustering_fields == ["y"]
