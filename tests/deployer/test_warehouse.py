"""warehouse.py: what goes to a server of BigQuery's API, and how its refusals are told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from deployer.config import Config
from deployer.errors import DeployerError, UsageError
from deployer.run import Run
from deployer.run_jobs import RunJobs
from deployer.warehouse import Warehouse

RUN = Run("sid_Fct", date(2013, 1, 7), date(2013, 1, 7), "delta", "r1")


class Server(ThreadingHTTPServer):
    """Answers each (method, path below the project) as a test says, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
        self.sent: list[dict[str, Any]] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        path = self.path.split("?")[0].removeprefix("/bigquery/v2/projects/sid-dev/")
        size = int(self.headers.get("Content-Length") or 0)
        if size:
            self.server.sent.append(json.loads(self.rfile.read(size)))
        status, content = self.server.answers[self.command, path]
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *arguments: object) -> None:
        """Quiet: a test's output is its failures."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def warehouse(server: Server) -> Iterator[Warehouse]:
    config = {
        "environment": "dev",
        "warehouse": {"engine": "bigquery", "project": "sid-dev", "endpoint": f"http://127.0.0.1:{server.server_port}"},
        "datasets": {"sid": "sid_dev", "ops": "ops"},
        "transfers": {"sid_Fct": {"dataset": "sid", "start_date": "2013-01-01"}},
    }
    with Warehouse(Config.model_validate(config)) as made:
        yield made


def refusal(status: int, reason: str, message: str) -> tuple[int, dict[str, Any]]:
    return status, {"error": {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}}


def test_names_are_those_of_the_environment(warehouse: Warehouse) -> None:
    assert warehouse.quoted("sid", "sid_fct_publish") == "`sid-dev.sid_dev.sid_fct_publish`"
    with pytest.raises(UsageError, match="does not map raw"):
        warehouse.quoted("raw", "flights")


def test_routines_of_a_dataset_that_does_not_exist_are_all_missing(server: Server, warehouse: Warehouse) -> None:
    listed = {"routines": [{"routineReference": {"projectId": "sid-dev", "datasetId": "ops", "routineId": "a"}}]}
    server.answers["GET", "datasets/ops/routines"] = 200, listed
    server.answers["GET", "datasets/sid_dev/routines"] = refusal(404, "notFound", "Not found: Dataset sid-dev:sid_dev")
    assert warehouse.missing_routines([("sid", "x"), ("ops", "a"), ("ops", "b")]) == ["sid.x", "ops.b"]


def test_refusal_is_told_in_bigquerys_words_alone(server: Server, warehouse: Warehouse) -> None:
    said = "Access Denied: Dataset sid-dev:ops: Permission bigquery.routines.list denied"
    server.answers["GET", "datasets/ops/routines"] = refusal(403, "accessDenied", said)
    with pytest.raises(DeployerError) as caught:
        warehouse.missing_routines([("ops", "a")])
    assert str(caught.value) == f"Listing the routines of sid-dev.ops failed: {said}"


def test_failed_job_of_a_step_is_told_with_its_message_and_id(server: Server, warehouse: Warehouse) -> None:
    problem = {"reason": "invalidQuery", "location": "query", "message": "Assertion failed at [3:5]"}
    job = {
        "jobReference": {"projectId": "sid-dev", "jobId": "r1-publish-1", "location": "EU"},
        "configuration": {"query": {"query": "SELECT 1"}},
        "status": {"state": "DONE", "errorResult": problem, "errors": [problem]},
    }
    server.answers["POST", "jobs"] = 200, job
    with pytest.raises(DeployerError) as caught:
        RunJobs(warehouse, RUN).call("publish", "CALL x(@day)", {"day": ("DATE", RUN.window_end)}, "sid.x_publish")
    assert str(caught.value) == "sid.x_publish failed: Assertion failed at [3:5] (job r1-publish-1)"
    [sent] = server.sent
    assert sent["jobReference"] == {"projectId": "sid-dev", "jobId": "r1-publish-1", "location": "EU"}
    assert sent["configuration"]["labels"] == {
        "environment": "dev",
        "transfer": "sid_fct",
        "step": "publish",
        "write_mode": "delta",
    }
    query = sent["configuration"]["query"]
    assert query["query"] == "CALL x(@day)"
    assert query["queryParameters"] == [
        {"name": "day", "parameterType": {"type": "DATE"}, "parameterValue": {"value": "2013-01-07"}}
    ]


def test_repeated_submit_attaches_to_the_job_that_its_first_try_made(server: Server, warehouse: Warehouse) -> None:
    job = {
        "jobReference": {"projectId": "sid-dev", "jobId": "r1-publish-1", "location": "EU"},
        "configuration": {"jobType": "QUERY", "query": {"query": "SELECT 1"}},
        "status": {"state": "DONE"},
        "statistics": {"query": {"totalBytesProcessed": "7", "totalBytesBilled": "10"}},
    }
    server.answers["POST", "jobs"] = refusal(409, "duplicate", "Already Exists: Job sid-dev:EU.r1-publish-1")
    server.answers["GET", "jobs/r1-publish-1"] = 200, job
    server.answers["GET", "queries/r1-publish-1"] = (
        200,
        {
            "jobReference": job["jobReference"],
            "jobComplete": True,
            "totalRows": "1",
            "schema": {"fields": [{"name": "n", "type": "INTEGER"}]},
            "rows": [{"f": [{"v": "42"}]}],
        },
    )
    answer = RunJobs(warehouse, RUN).call("publish", "CALL x()", {}, "sid.x_publish")
    assert [row["n"] for row in answer.rows] == [42]
    assert (answer.bytes_processed, answer.bytes_billed) == (7, 10)
