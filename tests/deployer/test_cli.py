"""`deployer`, the real command: what it prints, what it refuses, and that a refusal writes nothing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import embedded_bigquery
from deployer.__version__ import __version__
from deployer.runs import HEADINGS

REPO = Path(__file__).parents[2]
OBJECTS = sum(not file.name.endswith(".test.sql") for file in (REPO / "sql").rglob("*.sql"))
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
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)


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
    assert "create  procedure sid.sid_fct_departure_publish: is new; calls " in done.stdout
    assert "    +CREATE OR REPLACE PROCEDURE sid.sid_fct_departure_publish(\n" in done.stdout
    assert set(folder.rglob("*")) == before


def test_warehouse_path_is_refused_where_the_config_has_no_file(folder: Path) -> None:
    engine = "warehouse: {engine: bigquery, project: sid-test}"
    (folder / "config.yaml").write_text(re.sub("warehouse: .*", engine, CONFIG))
    done = deployer("sync", "config.yaml", "--warehouse-path", "x.duckdb")
    assert done.returncode == 2
    assert "--warehouse-path goes with `engine: embedded` alone" in done.stderr


def test_sync_makes_the_folder_of_a_warehouse_that_is_not_there(folder: Path) -> None:
    (folder / "config.yaml").write_text(CONFIG.replace("path: warehouse.duckdb", "path: new/warehouse.duckdb"))
    assert deployer("sync", "config.yaml").returncode == 0
    assert (folder / "new" / "warehouse.duckdb").exists()


def test_seed_of_a_warehouse_on_bigquery_wants_a_word_that_it_is_meant(folder: Path) -> None:
    engine = "warehouse: {engine: bigquery, project: sid-test, endpoint: 'http://127.0.0.1:9'}"
    (folder / "config.yaml").write_text(re.sub("warehouse: .*", engine, CONFIG))
    done = deployer("seed", "config.yaml")
    assert done.returncode == 2
    assert "replaces all rows of the landing tables of sid-test.raw; say --yes if you mean it" in done.stderr


def test_sync_then_seed_then_sync_again(folder: Path) -> None:
    shutil.copytree(REPO / "sample_data", folder / "samples")
    elsewhere = ("--warehouse-path", str(folder / "elsewhere.duckdb"))
    first = deployer("sync", "config.yaml", *elsewhere)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.endswith(" done in deployment 1; 0 objects were as sql/ says.\n")
    seeded = deployer("seed", "config.yaml", *elsewhere)
    assert (seeded.returncode, seeded.stderr) == (0, "")
    assert seeded.stdout == (
        "raw.airlines: 16 rows\nraw.airports: 1,458 rows\nraw.flights: 12,208 rows\nraw.planes: 3,322 rows\n"
    )
    for command in ("sync", "plan"):
        again = deployer(command, "config.yaml", *elsewhere)
        assert (again.returncode, again.stderr) == (0, "")
        assert again.stdout == f"Nothing to do: all {OBJECTS} objects are as sql/ says.\n"
    assert not (folder / "warehouse.duckdb").exists()


def test_a_table_that_cannot_follow_its_file_is_exit_1_and_nothing_is_applied(folder: Path) -> None:
    deployer("sync", "config.yaml")
    for file, old, new in (
        ("sid/tables/dim_agent.sql", "is_current BOOL", "is_current STRING"),
        ("ops/procedures/release_lease.sql", "BEGIN\n", "BEGIN\n  -- Gives up.\n"),
    ):
        path = folder / "sql" / file
        path.write_text(path.read_text().replace(old, new))
    refused = deployer("sync", "config.yaml")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "sql/sid/tables/dim_agent.sql: sid.dim_agent cannot become what its file says" in refused.stderr
    assert "column is_current: the file says STRING, the warehouse has BOOL" in refused.stderr
    (folder / "sql" / "sid" / "tables" / "dim_agent.sql").write_text(
        (REPO / "sql" / "sid" / "tables" / "dim_agent.sql").read_text()
    )
    planned = deployer("plan", "config.yaml")
    assert planned.returncode == 3
    first, *diff, last = planned.stdout.splitlines()
    assert first == "replace procedure ops.release_lease: its definition changed"
    assert "    +  -- Gives up." in diff
    assert last == f"1 to do; {OBJECTS - 1} objects are as sql/ says."


def test_a_broken_procedure_is_told_with_file_line_and_column(folder: Path) -> None:
    path = folder / "sql" / "ops" / "procedures" / "record_published_window.sql"
    path.write_text(path.read_text().replace("BEGIN\n", "BEGIN\n  IF SELECT 1;\n"))
    done = deployer("sync", "config.yaml")
    assert done.returncode == 1
    place = r"^deployer: \S+/sql/ops/procedures/record_published_window\.sql:\d+:\d+: create procedure"
    assert re.search(place, done.stderr)
    assert "Failed: ops.record_published_window.\nNot tried: " in done.stderr
    assert "create  table     ops.deployments: is new" in done.stdout


def test_runs_shows_the_ledger_latest_first_within_days_and_limit(folder: Path) -> None:
    deployer("sync", "config.yaml")
    client = embedded_bigquery.connect(folder / "warehouse.duckdb", project="sid-test")
    client.query_and_wait(
        """
        INSERT INTO ops.runs (run_id, transfer, window_start, window_end, write_mode, status, started_at, ended_at,
          rows_in, rows_published, rows_rejected, error)
        SELECT FORMAT('r%d', age), IF(age = 1, 'sid_dim_agent', 'sid_fct_departure'), DATE '2013-01-03',
          DATE '2013-01-07', 'delta', IF(age = 2, 'failed', 'published'), began,
          IF(age = 2, NULL, TIMESTAMP_ADD(began, INTERVAL 90 SECOND)), 12208, 12207, 1,
          IF(age = 2, 'the first line\\nand more', NULL)
        FROM (
          SELECT age, TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL age DAY) AS began FROM UNNEST([1, 2, 3, 40]) AS age
        )
        """
    )
    client.close()

    def told(*options: str) -> list[list[str]]:
        done = deployer("runs", "config.yaml", *options)
        assert (done.returncode, done.stderr) == (0, "")
        return [re.split(r" {2,}", line) for line in done.stdout.splitlines()]

    heading, *runs = told()
    assert tuple(heading) == HEADINGS
    assert [run[1] for run in runs] == ["sid_dim_agent", "sid_fct_departure", "sid_fct_departure"]
    assert runs[0][2:] == ["2013-01-03 to 2013-01-07", "delta", "published", "90.0", "12,208", "12,207", "1"]
    assert runs[1][3:] == ["delta", "failed", "12,208", "12,207", "1", "the first line"]
    assert len(told("sid_fct_departure")) == 3
    assert len(told("--days", "60")) == 5
    assert len(told("--last", "1")) == 2
    [latest] = json.loads(deployer("runs", "config.yaml", "--transfer", "sid_dim_agent", "--json").stdout)
    assert (latest["run_id"], latest["window_start"], latest["job_ids"]) == ("r1", "2013-01-03", [])
    assert told("sid_other") == [
        ["No run of sid_other in the last 30 days; the config's transfers: sid_fct_departure."]
    ]


def test_runs_and_seed_ask_for_sync_where_a_warehouse_has_no_tables(folder: Path) -> None:
    shutil.copytree(REPO / "sample_data", folder / "samples")
    embedded_bigquery.connect(folder / "warehouse.duckdb", project="sid-test").close()
    for command in ("runs", "seed"):
        done = deployer(command, "config.yaml")
        assert done.returncode == 2
        assert "does not exist; run `deployer sync CONFIG` first." in done.stderr
