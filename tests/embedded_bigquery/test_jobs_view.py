"""INFORMATION_SCHEMA.JOBS: what ran, with its text, its cost and its error."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from embedded_bigquery import connect


@pytest.fixture
def client() -> Iterator[bigquery.Client]:
    with connect() as client:
        client.create_dataset("d")
        client.query_and_wait("CREATE TABLE d.t AS SELECT 1 AS x")
        yield client


def rows(client: bigquery.Client, text: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in client.query_and_wait(text)]


@pytest.mark.parametrize(
    "view",
    [
        "`region-eu`.INFORMATION_SCHEMA.JOBS",
        "`local.region-eu.INFORMATION_SCHEMA.JOBS_BY_PROJECT`",
        "local.`region-eu`.INFORMATION_SCHEMA.JOBS_BY_USER",
        "d.INFORMATION_SCHEMA.JOBS",
        "INFORMATION_SCHEMA.JOBS",
    ],
)
def test_a_query_is_a_row(client: bigquery.Client, view: str) -> None:
    config = bigquery.QueryJobConfig(labels={"team": "data"})
    client.query("SELECT x FROM d.t WHERE x = 1 -- it's", config, job_id="mine", job_retry=None).result()
    [found] = client.query_and_wait(f"SELECT * FROM {view} WHERE job_id = 'mine'")
    assert (found.job_type, found.statement_type, found.state, found.priority) == (
        "QUERY",
        "SELECT",
        "DONE",
        "INTERACTIVE",
    )
    assert found.query == "SELECT x FROM d.t WHERE x = 1 -- it's"
    assert found.creation_time <= found.start_time <= found.end_time
    assert found.referenced_tables == [{"project_id": "local", "dataset_id": "d", "table_id": "t"}]
    assert found.labels == [{"key": "team", "value": "data"}]
    assert (found.total_bytes_processed, found.cache_hit) == (8, False)
    assert (found.error_result, found.parent_job_id, found.session_info) == (None, None, None)


def test_a_failure_has_its_error_and_a_script_its_children(client: bigquery.Client) -> None:
    with pytest.raises(exceptions.BadRequest):
        client.query_and_wait("SELECT nothing FROM d.t")
    client.query("INSERT d.t VALUES (2), (3); DELETE FROM d.t WHERE x = 2;", job_id="script", job_retry=None).result()
    view = "`region-eu`.INFORMATION_SCHEMA.JOBS"
    failed = f"SELECT error_result.reason, error_result.message FROM {view} WHERE error_result.reason IS NOT NULL"
    [(reason, message)] = rows(client, failed)
    assert reason == "invalidQuery"
    assert str(message).startswith("Unrecognized name: nothing")
    children = rows(
        client,
        "SELECT statement_type, destination_table.table_id, dml_statistics.inserted_row_count, "
        f"dml_statistics.deleted_row_count FROM {view} WHERE parent_job_id = 'script' ORDER BY creation_time, job_id",
    )
    assert {child[0] for child in children} == {"INSERT", "DELETE"}
    assert {child[2:] for child in children} == {(2, None), (None, 1)}
    assert rows(client, f"SELECT statement_type FROM {view} WHERE job_id = 'script'") == [("SCRIPT",)]


def test_a_script_sees_the_jobs_of_the_moment(client: bigquery.Client) -> None:
    found = rows(
        client,
        """
        DECLARE seen ARRAY<INT64> DEFAULT [];
        FOR turn IN (SELECT i FROM UNNEST([1, 2]) AS i) DO
          SET seen = ARRAY_CONCAT(seen, [(
            SELECT COUNT(*) FROM `region-eu`.INFORMATION_SCHEMA.JOBS WHERE statement_type = 'INSERT')]);
          INSERT d.t VALUES (turn.i);
        END FOR;
        SELECT seen""",
    )
    assert found == [([0, 1],)]


def test_the_running_job_sees_itself(client: bigquery.Client) -> None:
    view = "`region-eu`.INFORMATION_SCHEMA"
    assert rows(client, f"SELECT query, end_time FROM {view}.JOBS WHERE state = 'RUNNING'") == [
        (f"SELECT query, end_time FROM {view}.JOBS WHERE state = 'RUNNING'", None)
    ]
    periods = rows(client, f"SELECT period_start <= job_end_time, state FROM {view}.JOBS_TIMELINE WHERE state = 'DONE'")
    assert periods
    assert set(periods) == {(True, "DONE")}


def test_other_projects_jobs_are_not_there(client: bigquery.Client) -> None:
    assert rows(client, "SELECT job_id FROM other.`region-eu`.INFORMATION_SCHEMA.JOBS") == []
