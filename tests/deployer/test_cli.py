"""`deployer`, the real command: what it prints, what it refuses, and that a refusal writes nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deployer.__version__ import __version__

REPO = Path(__file__).parents[2]
CONFIG = """\
environment: test
warehouse: {engine: embedded, project: sid-test, path: warehouse.duckdb}
sql: sql
sample_data: samples
datasets: {raw: raw, staging: staging, sid: sid, ops: ops}
transfers:
  sid_fct_departure: {dataset: sid, start_date: 2013-01-01}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    shutil.copytree(REPO / "sql", tmp_path / "sql")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def deployer(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deployer.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def procedure(name: str, calls: str) -> str:
    return f"CREATE OR REPLACE PROCEDURE {name}()\nBEGIN\n  CALL {calls}();\nEND;\n"


@pytest.mark.parametrize("command", ["sync", "plan"])
@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"sid/procedures/a.sql": procedure("sid.b", "ops.renew_lease")},
            "sql/sid/procedures/a.sql:1:29: creates PROCEDURE sid.b, but the path says PROCEDURE sid.a",
        ),
        (
            {"sid/views/fct_departure.sql": "CREATE OR REPLACE VIEW sid.fct_departure AS SELECT 1 AS a;"},
            "sid.fct_departure is also created by",
        ),
        (
            {
                "sid/procedures/a.sql": procedure("sid.a", "sid.b"),
                "sid/procedures/b.sql": procedure("sid.b", "sid.a"),
            },
            "none can be created first: sid.",
        ),
        ({"other/tables/t.sql": "CREATE TABLE other.t (a INT64);"}, "`datasets` of the config does not map other"),
        ({"sid/tables/t.sql": "CREATE TABLE sid.t (a STRING DEFAULT 'x);"}, "cannot be read as SQL"),
    ],
)
def test_wrong_sql_is_exit_2_one_paragraph_and_no_warehouse(
    folder: Path, command: str, files: dict[str, str], message: str
) -> None:
    for path, text in files.items():
        (folder / "sql" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "sql" / path).write_text(text)
    done = deployer(command, "config.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("deployer: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "warehouse.duckdb").exists()


def test_a_cycle_is_named_whole(folder: Path) -> None:
    for here, there in ("ab", "bc", "ca"):
        (folder / "sql" / "sid" / "procedures" / f"{here}.sql").write_text(procedure(f"sid.{here}", f"sid.{there}"))
    done = deployer("plan", "config.yaml")
    assert done.returncode == 2
    [cycle] = re.findall(r"sid\.\w(?: -> sid\.\w)+", done.stderr)
    assert cycle in {" -> ".join(f"sid.{name}" for name in names) for names in ("abca", "bcab", "cabc")}


@pytest.mark.parametrize("command", ["sync", "plan", "seed", "runs"])
def test_a_config_that_does_not_exist_is_exit_2(folder: Path, command: str) -> None:
    done = deployer(command, "nowhere.yaml")
    assert done.returncode == 2
    assert done.stderr == (
        "deployer: nowhere.yaml: there is no such config; CONFIG_LOCATION is a path or gs://bucket/file\n"
    )


@pytest.mark.parametrize("command", ["seed", "runs"])
def test_commands_that_need_a_warehouse_ask_for_sync_and_do_not_make_it(folder: Path, command: str) -> None:
    done = deployer(command, "config.yaml")
    assert done.returncode == 2
    assert "there is no warehouse yet; run `deployer sync CONFIG` first" in done.stderr
    assert not (folder / "warehouse.duckdb").exists()


def test_debug_shows_the_traceback(folder: Path) -> None:
    assert "Traceback" in deployer("--debug", "sync", "nowhere.yaml").stderr


def test_version_is_the_packages() -> None:
    assert deployer("--version").stdout == f"deployer, version {__version__}\n"


def test_plan_of_an_empty_environment_is_exit_3_and_makes_no_file(folder: Path) -> None:
    before = set(folder.rglob("*"))
    done = deployer("plan", "config.yaml")
    assert (done.returncode, done.stderr) == (3, "")
    assert "create  dataset   sid: is missing\n" in done.stdout
    assert "create  procedure sid.sid_fct_departure_publish: is new\n" in done.stdout
    assert set(folder.rglob("*")) == before


def test_warehouse_path_is_refused_where_the_config_has_no_file(folder: Path) -> None:
    engine = "warehouse: {engine: bigquery, project: sid-test}"
    (folder / "config.yaml").write_text(re.sub("warehouse: .*", engine, CONFIG))
    done = deployer("sync", "config.yaml", "--warehouse-path", "x.duckdb")
    assert done.returncode == 2
    assert "--warehouse-path goes with `engine: embedded` alone" in done.stderr
