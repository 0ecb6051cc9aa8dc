"""config.py: what is accepted, and what is refused with key and line."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import date
from functools import partial
from http.server import HTTPServer
from pathlib import Path

import google.cloud.storage as storage
import pytest
from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage
from google.auth.credentials import AnonymousCredentials

from deployer.config import MAXIMUM_BYTES, ConfigError, load_config

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


class CloudStorage(RequestHandler):
    """The emulator, and what it leaves out: permissions, and that an empty object has no first byte."""

    def do_GET(self) -> None:
        refused = {"forbidden.yaml": 403, "unknown-caller.yaml": 401, "empty.yaml": 416}
        status = next((status for name, status in refused.items() if name in self.path), None)
        if status is None:
            super().do_GET()
        else:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The address of an emulated Cloud Storage with a bucket `configs`."""
    server = HTTPServer(("127.0.0.1", 0), partial(CloudStorage, Storage(use_memory_fs=True)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    client = storage.Client(
        project="test", credentials=AnonymousCredentials(), client_options={"api_endpoint": address}
    )
    made = client.create_bucket("configs")
    full = LOCAL.read_bytes() + b"#" * (MAXIMUM_BYTES - LOCAL.stat().st_size)
    contents = {
        "team/good.yaml": LOCAL.read_bytes(),
        "full.yaml": full,
        "large.yaml": full + b"#",
        "bytes.yaml": b"\xff",
    }
    for name, content in contents.items():
        made.blob(name).upload_from_string(content)
    yield address
    server.shutdown()
    server.server_close()


def test_config_loads_from_a_bucket(bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", bucket)
    monkeypatch.chdir(tmp_path)
    config = load_config("gs://configs/team/good.yaml")
    assert config.environment == "local"
    assert config.warehouse.path == tmp_path / ".warehouse" / "sid.duckdb"
    assert config.sql == LOCAL.parents[1] / "sql"
    assert load_config("gs://configs/full.yaml").environment == "local"


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("gs://configs/forbidden.yaml", "permission denied; the caller needs roles/storage.objectViewer"),
        (
            "gs://configs/unknown-caller.yaml",
            "no credentials (Anonymous credentials cannot be refreshed.); run `gcloud",
        ),
        ("gs://configs/none.yaml", "the bucket has no such object"),
        ("gs://nowhere/none.yaml", "there is no such bucket"),
        ("gs://configs/large.yaml", "has more than 1,000,000 bytes, so it is no config"),
        ("gs://configs/empty.yaml", "is empty"),
        ("gs://configs/bytes.yaml", "is not UTF-8 text"),
        ("gs://configs", "write it as gs://bucket/file"),
        ("gs://-configs/file", "write it as gs://bucket/file"),
    ],
)
def test_bucket_refusal_names_the_object_and_the_next_step(
    bucket: str, monkeypatch: pytest.MonkeyPatch, location: str, message: str
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", bucket)
    with pytest.raises(ConfigError) as caught:
        load_config(location)
    assert str(caught.value).startswith(f"{location}: {message}")


def test_folders_of_the_project_go_before_what_the_package_ships(tmp_path: Path) -> None:
    file = tmp_path / "config/local.yaml"
    file.parent.mkdir()
    file.write_text(LOCAL.read_text())
    assert load_config(str(file)).sql == LOCAL.parents[1] / "sql"
    (tmp_path / "sql").mkdir()
    assert load_config(str(file)).sql == tmp_path / "sql"
    file.write_text(LOCAL.read_text() + "sql: none\n")
    assert load_config(str(file)).sql == tmp_path / "config/none"
