"""config.py: what is accepted, and what is refused with key and line."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deployer.config import ConfigError, load_config

LOCAL = Path(__file__).parents[2] / "config" / "local.yaml"


def refusal(tmp_path: Path, old: str, new: str) -> str:
    text = LOCAL.read_text()
    assert old in text
    file = tmp_path / "config.yaml"
    file.write_text(text.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load_config(str(file))
    assert caught.value.exit_status == 2
    return str(caught.value).replace(str(file), "config.yaml")


def test_local_config_loads_with_paths_relative_to_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    config = load_config(str(LOCAL))
    assert config.warehouse.path == LOCAL.parents[1] / ".warehouse" / "sid.duckdb"
    assert config.sql == LOCAL.parents[1] / "sql"
    assert config.transfers["sid_fct_departure"].start_date == date(2013, 1, 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("bootstrap: true", "bootstrapp: true", "config.yaml:8: bootstrapp: there is no such key"),
        ("  location: EU", "  region: EU", "config.yaml:6: warehouse.region: there is no such key"),
        ("environment: local\n", "", "environment: is missing"),
        ("engine: embedded", "engine: oracle", "config.yaml:4: warehouse.engine: Input should be 'embedded'"),
        ("  path: ../.warehouse/sid.duckdb\n", "", "config.yaml:3: warehouse: `path` names the file"),
        ("engine: embedded", "engine: bigquery", "`path` names the file"),
        ("sid: sid,", "sid: 'x`; DROP',", "datasets.sid: String should match"),
        ("sid: sid,", "sid: raw,", "maps two logical datasets to one"),
        ("[sid_fct_departure, sid_dim_agent]", "[sid_fct]", "there is no transfer sid_fct"),
        ("[sid_fct_departure, sid_dim_agent]", "[sid_agg_agent_daily]", "transfers depend on each other"),
        ("start_date: 2013-01-01}", "start_date: 2013-13-01}", "transfers.sid_dim_agent.start_date"),
        ("{raw: raw,", "{raw: raw,,", "is not YAML"),
        ("{raw: raw,", "{raw: raw, raw: other,", "config.yaml:9: raw: is also set in line 9; keep one of the two"),
        ("bootstrap: true", "bootstrap: true\nbootstrap: false", "config.yaml:9: bootstrap: is also set in line 8"),
    ],
)
def test_config_is_refused_with_key_and_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert message in refusal(tmp_path, old, new)


def test_bootstrap_is_refused_for_bigquery(tmp_path: Path) -> None:
    text = LOCAL.read_text().replace("  path: ../.warehouse/sid.duckdb\n", "").replace("embedded\n", "bigquery\n")
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match="run `deployer sync`"):
        load_config(str(file))


@pytest.mark.parametrize("content", [b"", b"- a list", b"\xff\xfe", b"x" * 1_000_001, b"[" * 20_000])
def test_file_that_is_no_config_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"config\.yaml: "):
        load_config(str(file))


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such config"):
        load_config(str(tmp_path / "none.yaml"))
    with pytest.raises(ConfigError, match="is no file"):
        load_config(str(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="is no file"):
        load_config(str(tmp_path / "pipe"))


class Bucket(BaseHTTPRequestHandler):
    """Answers as Cloud Storage does for three objects: good, forbidden, missing."""

    def do_GET(self) -> None:
        known = {"good.yaml": (200, LOCAL.read_bytes()), "forbidden.yaml": (403, b"{}")}
        name = self.path.split("?")[0].rsplit("/", 1)[-1]
        status, body = known.get(name, (404, b"{}"))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Quiet: a test's output is its failures."""


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("bucket")
def test_config_loads_from_a_bucket() -> None:
    assert load_config("gs://configs/good.yaml").environment == "local"


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("gs://configs/forbidden.yaml", "permission denied"),
        ("gs://configs/none.yaml", "no such bucket or object"),
        ("gs://configs", "gs://bucket/file"),
    ],
)
def test_bucket_refusal_names_the_object_and_the_next_step(location: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(location)
    assert str(caught.value).startswith(location)
