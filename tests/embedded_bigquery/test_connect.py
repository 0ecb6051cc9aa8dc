import subprocess
import sys
from pathlib import Path

import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from embedded_bigquery import connect
from embedded_bigquery.duck import DatabaseLocked


def test_what_was_made_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    with connect(tmp_path / "warehouse.duckdb", project="p") as client:
        client.create_dataset("d")
        client.query_and_wait("CREATE TABLE d.t PARTITION BY day AS SELECT DATE '2013-01-07' AS day, 1 AS x")
        client.query_and_wait("CREATE PROCEDURE d.p() BEGIN SELECT x FROM d.t; END")
    with connect(tmp_path / "warehouse.duckdb", project="p") as client:
        assert [row.x for row in client.query_and_wait("CALL d.p()")] == [1]
        assert client.get_table("d.t").time_partitioning.field == "day"


def test_a_closed_client_says_so_and_frees_the_file(tmp_path: Path) -> None:
    client = connect(tmp_path / "warehouse.duckdb")
    client.create_dataset("d")
    client.close()
    client.close()
    for call in (lambda: client.create_dataset("e"), lambda: client.query_and_wait("SELECT 1")):
        with pytest.raises(exceptions.BadRequest, match="The client is closed"):
            call()
    code = "import sys, embedded_bigquery as e; print([d.dataset_id for d in e.connect(sys.argv[1]).list_datasets()])"
    path = str(tmp_path / "warehouse.duckdb")
    found = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "['d']"


def test_a_file_that_another_process_has_open_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "warehouse.duckdb")
    code = "import sys, embedded_bigquery as e; c = e.connect(sys.argv[1]); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(DatabaseLocked, match="in use by another process"):
            connect(path)
        other.communicate("\n")


def test_closing_cancels_what_runs() -> None:
    client = connect()
    job = client.query("LOOP SELECT 1; END LOOP", job_retry=None)
    client.close()
    job.reload(retry=None)
    assert job.error_result["reason"] == "stopped"


def test_no_socket_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr("socket.socket.connect", refuse)
    with connect() as client:
        assert [row.x for row in client.query_and_wait("SELECT 1 AS x")] == [1]
        assert [project.project_id for project in client.list_projects()] == ["local"]


def test_only_the_engine_can_be_reached() -> None:
    with connect() as client, pytest.raises(Exception, match="No connection adapters"):
        client._http.get("https://bigquery.googleapis.com/bigquery/v2/projects")


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, embedded_bigquery; print([m for m in ('duckdb', 'sqlglot', 'google.cloud') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_an_unknown_method_is_not_found() -> None:
    with connect() as client, pytest.raises(exceptions.NotFound, match="the embedded engine has no method"):
        client.get_model("local.d.m")


def test_the_project_and_the_location_are_the_clients() -> None:
    with connect(project="mine", location="US") as client:
        client.create_dataset("d")
        job = client.query("SELECT @@project_id AS p")
        assert [row.p for row in job.result()] == ["mine"]
        assert (job.project, job.location, client.get_dataset("d").location) == ("mine", "US", "US")
        assert isinstance(client, bigquery.Client)
