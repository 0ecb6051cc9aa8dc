"""`pipeline`, the real command: input that it refuses, in one paragraph, with nothing written."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("pipeline")
CONFIG = """\
environment: local
warehouse: {engine: embedded, project: sid-local, path: warehouse/sid.duckdb}
bootstrap: true
datasets: {raw: raw, staging: staging, sid: sid, ops: ops}
transfers:
  sid_dim_agent: {dataset: sid, start_date: 2013-01-01}
  sid_fct_departure: {dataset: sid, start_date: 2013-01-01}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "deployed_by_hand.yaml").write_text(CONFIG.replace("bootstrap: true\n", ""))
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "broken.yaml").write_text("environment: [local\n")
    (tmp_path / "unknown.yaml").write_text(CONFIG.replace("bootstrap", "botstrap"))
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pipeline(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *words], capture_output=True, text=True, timeout=60)


def files(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


GOOD = ("20130107", "sid_fct_departure", "delta", "config.yaml")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("2013-01-07", *GOOD[1:]), "EXECUTION_DATE '2013-01-07' is no date; write it as YYYYMMDD"),
        (("20130230", *GOOD[1:]), "EXECUTION_DATE '20130230' is no date"),
        ((*GOOD, "--delta_start_date", "soon"), "--delta_start_date 'soon' is no date"),
        ((*GOOD, "--delta_start_date", "20130108"), "--delta_start_date 20130108 lies after EXECUTION_DATE 20130107"),
        ((*GOOD[:2], "truncate", "config.yaml", "--delta_start_date", "20130101"), "truncate rebuilds everything"),
        (("20130107", "sid_fct_departures", "config.yaml"), "it names sid_fct_departure, sid_dim_agent."),
        (("20130107", "'; DROP TABLE x; --", "config.yaml"), "is not in the config"),
        ((*GOOD[:2], "append", "config.yaml"), "WRITE_MODE 'append' is neither truncate nor delta"),
        ((*GOOD[:2], "delta"), "CONFIG_LOCATION is missing"),
        ((*GOOD[:3], "none.yaml"), "none.yaml: there is no such config"),
        ((*GOOD[:2], "none.yaml"), "none.yaml: there is no such config"),
        ((*GOOD[:3], "folder"), "folder: is no file"),
        ((*GOOD[:3], "empty.yaml"), "empty.yaml: is empty"),
        ((*GOOD[:3], "bytes.yaml"), "bytes.yaml: is not UTF-8"),
        ((*GOOD[:3], "broken.yaml"), "broken.yaml:2:1: is not YAML"),
        ((*GOOD[:3], "unknown.yaml"), "unknown.yaml:3: botstrap: there is no such key"),
        ((*GOOD[:3], "gs://"), "write it as gs://bucket/file"),
        ((*GOOD[:3], "deployed_by_hand.yaml"), "run `deployer sync deployed_by_hand.yaml`"),
    ],
)
def test_bad_input_is_refused_in_one_paragraph_and_writes_nothing(
    folder: Path, words: tuple[str, ...], message: str
) -> None:
    before = files(folder)
    done = pipeline(*words)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
    assert files(folder) == before


@pytest.mark.parametrize("words", [(), ("20130107",), (*GOOD, "more"), (*GOOD, "--backfill")])
def test_words_that_do_not_fit_the_usage_are_refused_with_it(folder: Path, words: tuple[str, ...]) -> None:
    before = files(folder)
    done = pipeline(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: pipeline [OPTIONS] EXECUTION_DATE TRANSFER_NAME [truncate|delta]")
    assert files(folder) == before


def test_help_shows_the_usage_of_the_reference() -> None:
    done = pipeline("--help")
    assert done.returncode == 0
    assert " ".join(done.stdout.split()).startswith(
        "Usage: pipeline [OPTIONS] EXECUTION_DATE TRANSFER_NAME [truncate|delta] CONFIG_LOCATION This will run"
    )


def test_debug_shows_the_traceback_and_changes_no_status() -> None:
    done = pipeline("someday", *GOOD[1:], "--debug")
    assert done.returncode == 2
    assert done.stderr.startswith("Traceback") and "is no date" in done.stderr


class Forbidding(BaseHTTPRequestHandler):
    """A bucket whose reader has no permission."""

    def do_GET(self) -> None:
        self.send_response(403)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments: object) -> None:
        """Quiet: a test's output is its failures."""


@pytest.fixture
def forbidding_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Forbidding)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("forbidding_bucket")
def test_config_in_a_bucket_without_permission_is_refused(folder: Path) -> None:
    before = files(folder)
    done = pipeline(*GOOD[:3], "gs://configs/local.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: gs://configs/local.yaml: permission denied")
    assert done.stderr.count("\n") == 1
    assert files(folder) == before


def test_publishing_process_loads_no_code_that_deploys() -> None:
    code = (
        "import sys, deployer.run_pipeline, deployer.procedure_etl, deployer.bootstrap; "
        "print(*(name for name in sys.modules if name.startswith('deployer.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert not {"deployer.cli", "deployer.sync", "deployer.check", "deployer.docs"} & set(done.stdout.split())
