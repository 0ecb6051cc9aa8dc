"""The commands that deploy, as processes, against a server whose calls are watched and may be held up or refused."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from embedded_bigquery.api import Api
from embedded_bigquery.api.call import Answer
from embedded_bigquery.engine import Engine
from embedded_bigquery.server import Server
from tests.deployer.sync.conftest import edit

CONFIG = """\
environment: test
warehouse: {{engine: bigquery, project: sid-test, endpoint: "{address}"}}
sql: sql
datasets: {{raw: ops_raw, sid: dev, ops: dev_operations}}
transfers: {{}}
retries: {{seconds: 0.5, first_wait: 0.01, longest_wait: 0.05}}
"""
NOTE, FCT, PUBLISH, AGENTS = (
    "ops/procedures/note.sql",
    "sid/tables/fct.sql",
    "sid/procedures/publish.sql",
    "sid/views/agents.sql",
)
Fault = Callable[[str], Answer | None]  # by the statement of a call, or its method and path


class Watched:
    """An API that keeps what it is asked, and asks a fault first."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.asked: list[str] = []
        self.fault: Fault = lambda _: None

    def handle(self, method: str, path: str, query: dict[str, str], content: bytes, headers: dict[str, str]) -> Answer:
        asked = f"{method} {path}"
        if method == "POST":
            body = json.loads(content)
            config = body.get("configuration", {})
            statement = body.get("query") or config.get("query", {}).get("query")
            asked = f"{'dry run: ' * config.get('dryRun', False)}{statement}"
        self.asked.append(asked)
        return self.fault(asked) or self.api.handle(method, path, query, content, headers)

    def close(self) -> None:
        self.api.close()


class Site:
    def __init__(self, folder: Path, server: Server, api: Watched) -> None:
        self.folder, self.sql, self.server, self.api = folder, folder / "sql", server, api
        (folder / "config.yaml").write_text(CONFIG.format(address=server.address))

    def start(self, command: str, *words: str) -> subprocess.Popen[str]:
        line = [sys.executable, "-m", "deployer.cli", command, "config.yaml", *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, cwd=self.folder)

    def run(self, command: str, *words: str) -> tuple[int, str, str]:
        return ended(self.start(command, *words))

    def query(self, sql: str) -> list[list[Any]]:
        """The rows, each value as its text."""
        body = json.dumps({"query": sql, "useLegacySql": False}).encode()
        answer = self.api.api.handle("POST", "/bigquery/v2/projects/sid-test/queries", {}, body, {})
        assert answer.status == 200, answer.body
        rows = (answer.body or {}).get("rows", [])
        return [[cell["v"] for cell in row["f"]] for row in rows]

    def body(self, name: str) -> str:
        dataset, routine = name.split(".")
        [[text]] = self.query(
            f"SELECT routine_definition FROM {dataset}.INFORMATION_SCHEMA.ROUTINES WHERE routine_name = '{routine}'"
        )
        return str(text)

    def outcomes(self) -> list[str]:
        return [row[0] for row in self.query("SELECT outcome FROM dev_operations.deployments ORDER BY deployment_id")]

    def holder(self) -> str | None:
        [[holder]] = self.query("SELECT holder FROM dev_operations.deploy_locks")
        return holder

    @contextmanager
    def held(self, beginning: str) -> Iterator[tuple[threading.Event, threading.Event]]:
        """The first statement that begins so is held up: it has come; let it go."""
        come, go = threading.Event(), threading.Event()

        def hold(asked: str) -> None:
            if asked.startswith(beginning):
                come.set()
                assert go.wait(60)

        self.api.fault = hold
        yield come, go
        go.set()
        self.api.fault = lambda _: None


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    stdout, stderr = process.communicate(timeout=120)
    assert "Traceback" not in stderr
    return process.returncode, stdout, stderr


@pytest.fixture
def site(sql: Path, template: Path, tmp_path: Path) -> Iterator[Site]:
    """It has what sql/ says, by deployment 1."""
    file = tmp_path / "served.duckdb"
    shutil.copy(template, file)
    with Server(port=0) as server:
        watched = Watched(Api(Engine(file, "sid-test", "EU")))
        server.api = watched  # type: ignore[assignment]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield Site(tmp_path, server, watched)
        server.shutdown()
        thread.join()
    watched.close()


def denied(message: str, reason: str = "accessDenied") -> Answer:
    errors = [{"reason": reason, "message": message}]
    return Answer(403, {"error": {"code": 403, "message": message, "errors": errors}})


def test_plan_shows_all_that_sync_would_do_with_diffs_and_writes_nothing(site: Site) -> None:
    edit(site.sql, NOTE, "noted", "heard")
    edit(site.sql, FCT, "STRING\n", "STRING,\n  seats INT64\n")
    (site.sql / "raw/procedures").mkdir()
    (site.sql / "raw/procedures/new.sql").write_text("CREATE PROCEDURE raw.new()\nBEGIN\n  CALL ops.note('x');\nEND;\n")
    (site.sql / PUBLISH).unlink()
    site.query("CREATE OR REPLACE VIEW dev.agents AS SELECT f.agent FROM dev.fct AS f")
    site.api.asked.clear()
    status, stdout, stderr = site.run("plan")
    assert (status, stderr) == (3, "")
    lines = [line for line in stdout.splitlines() if not line.startswith("    ")]
    assert lines[0] == "alter   table     dev.fct: new column seats"
    assert lines[1] == "replace procedure dev_operations.note: its definition changed"
    assert lines[2].startswith("drifted view      dev.agents: was changed in the warehouse, by no deployment")
    assert lines[3] == "create  procedure ops_raw.new: is new; calls dev_operations.note, which changes"
    assert lines[4] == "unmanaged procedure dev.publish: was deployed, and is in sql/ no more; --prune drops it"
    assert lines[5].startswith("1 in the way of a sync; take what was changed in the warehouse over into sql/")
    assert lines[6:] == ["3 to do; 3 objects are as sql/ says."]
    assert "    +seats INT64" in stdout and "    -  SELECT word AS noted;" in stdout
    assert "    +SELECT DISTINCT f.agent FROM dev.fct AS f" in stdout

    status, stdout, _ = site.run("plan", "--json", "--overwrite-drift", "--prune")
    made = json.loads(stdout)
    assert status == 3
    assert [(step["verb"], step["object"]) for step in made["steps"]] == [
        ("alter", "dev.fct"),
        ("replace", "dev_operations.note"),
        ("replace", "dev.agents"),
        ("create", "ops_raw.new"),
        ("drop", "dev.publish"),
    ]
    assert all(step["diff"] and step["statement"] and step["reason"] for step in made["steps"])
    for asked in site.api.asked:
        assert asked.startswith(("GET ", "dry run: ", "\nWITH\nrecorded AS (SELECT ", "\n  SELECT CONCAT("))
        assert ";" not in asked or asked.startswith("dry run: ")
    assert any(asked.startswith("dry run: CREATE OR REPLACE PROCEDURE dev_operations.note") for asked in site.api.asked)

    # What is shown is what runs.
    site.api.asked.clear()
    status, stdout, _ = site.run("sync", "--json", "--overwrite-drift", "--prune")
    done = json.loads(stdout)
    assert (status, done["outcome"], done["deployment"], done["failed"]) == (0, "applied", 2, [])
    shown = [{key: value for key, value in step.items() if key != "diff"} for step in made["steps"]]
    assert done["applied"] == shown
    assert [asked for asked in site.api.asked if asked in {step["statement"] for step in shown}] != []
    status, stdout, _ = site.run("plan")
    assert (status, stdout) == (0, "Nothing to do: all 7 objects are as sql/ says.\n")


def test_status_shows_drift_with_a_diff_and_sync_refuses_to_overwrite_it(site: Site) -> None:
    site.query("CREATE OR REPLACE PROCEDURE dev_operations.note(IN word STRING) BEGIN SELECT word AS mine; END")
    site.query("CREATE PROCEDURE dev.by_hand() BEGIN SELECT 1; END")
    (site.sql / AGENTS).unlink()
    edit(site.sql, PUBLISH, "> 0", "> 1")
    (site.sql / "sid/views/more.sql").write_text("CREATE VIEW sid.more AS SELECT 1 AS a;")
    status, stdout, _ = site.run("status")
    rows = [line.split(maxsplit=1)[0] for line in stdout.splitlines()]
    assert status == 0
    in_order = "state in in in in missing drifted changed unmanaged unmanaged ---"
    assert rows[:11] == in_order.split()
    assert " UTC, by no deployment but by local@embedded-bigquery\n" in stdout
    assert "-  SELECT word AS mine;" not in stdout and "-BEGIN SELECT word AS mine; END" in stdout
    assert "+  SELECT word AS noted;" in stdout
    _, stdout, _ = site.run("status", "--json")
    states = {row["object"]: row["state"] for row in json.loads(stdout)}
    assert states["dev_operations.note"] == "drifted" and states["dev.by_hand"] == "unmanaged"

    status, stdout, stderr = site.run("sync")
    assert (status, stdout) == (1, "")
    assert f"{site.sql / NOTE}: dev_operations.note was changed in the warehouse at 20" in stderr
    assert "Nothing was applied: take what was changed" in stderr and "say --overwrite-drift" in stderr
    assert "mine" in site.body("dev_operations.note") and site.outcomes() == ["applied"]
    status, stdout, _ = site.run("sync", "--overwrite-drift")
    assert status == 0 and "noted" in site.body("dev_operations.note")
    # In CI one line an object.
    assert "\nreplace procedure dev_operations.note: was changed in the warehouse" in f"\n{stdout}"
    assert stdout.splitlines()[-1] == "3 done in deployment 2; 4 objects were as sql/ says."


def test_of_two_syncs_at_once_one_works_and_the_other_exits_3_and_says_who(site: Site) -> None:
    edit(site.sql, NOTE, "noted", "heard")
    with site.held("CREATE OR REPLACE PROCEDURE dev_operations.note") as (come, go):
        first = site.start("sync")
        assert come.wait(60)
        status, stdout, stderr = site.run("sync")
        assert (status, stdout) == (3, "")
        assert f", process {first.pid} (" in stderr and "Another deployment is at work: " in stderr
        assert "since 20" in stderr and "Nothing was started" in stderr
        go.set()
        status, _, _ = ended(first)
    assert (status, site.holder(), site.outcomes()) == (0, None, ["applied", "applied"])


def test_a_sync_that_is_killed_leaves_a_record_its_lock_expires_and_the_next_one_goes_on(site: Site) -> None:
    edit(site.sql, NOTE, "noted", "heard")
    edit(site.sql, PUBLISH, "> 0", "> 1")
    with site.held("CREATE OR REPLACE PROCEDURE dev.publish") as (come, _):
        process = site.start("sync", "--jobs", "1")
        assert come.wait(60)
        process.kill()
        process.wait()
    assert site.outcomes() == ["applied", "started"] and "heard" in site.body("dev_operations.note")
    status, _, stderr = site.run("sync")
    assert status == 3 and f"process {process.pid} " in stderr
    site.query("UPDATE dev_operations.deploy_locks SET expires_at = CURRENT_TIMESTAMP() WHERE TRUE")
    assert site.run("history")[1].splitlines()[1].split()[-2:] == ["interrupted", "0"]
    status, stdout, _ = site.run("sync")
    assert status == 0
    assert stdout.startswith("record  procedure dev_operations.note: ")
    assert "> 1" in site.body("dev.publish")
    assert site.run("plan")[0] == 0


def test_a_signal_ends_a_sync_in_order(site: Site) -> None:
    edit(site.sql, NOTE, "noted", "heard")
    edit(site.sql, PUBLISH, "> 0", "> 1")
    with site.held("CREATE OR REPLACE PROCEDURE dev.publish") as (come, go):
        process = site.start("sync", "--jobs", "1")
        assert come.wait(60)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        go.set()
        status, _, stderr = ended(process)
    assert status == 143
    assert "Interrupted." in stderr and "Put back as before: dev_operations.note, dev.publish." in stderr
    assert "noted" in site.body("dev_operations.note")
    assert (site.holder(), site.outcomes()) == (None, ["applied", "failed"])
    assert site.run("sync")[0] == 0


def test_permission_denied_in_the_middle_is_told_with_its_place_and_put_back(site: Site) -> None:
    edit(site.sql, NOTE, "noted", "heard")
    edit(site.sql, PUBLISH, "> 0", "> 1")
    message = "Access Denied: Routine sid-test:dev.publish: Permission bigquery.routines.update denied"

    def refuse(asked: str) -> Answer | None:
        return denied(message) if asked.startswith("CREATE OR REPLACE PROCEDURE dev.publish") else None

    site.api.fault = refuse
    status, _, stderr = site.run("sync", "--jobs", "1")
    site.api.fault = lambda _: None
    assert status == 1
    assert f"{site.sql / PUBLISH}:1:1: replace procedure dev.publish failed: {message}" in stderr
    assert "Applied: nothing. Failed: dev.publish.\nNot tried: nothing.\nPut back as before: dev_op" in stderr
    assert "noted" in site.body("dev_operations.note")
    assert (site.holder(), site.outcomes()) == (None, ["applied", "failed"])


def test_quota_errors_are_repeated_and_then_reported(site: Site) -> None:
    edit(site.sql, NOTE, "noted", "heard")
    answers = [denied("Exceeded rate limits: too many table update operations", "rateLimitExceeded")]

    def refuse(asked: str) -> Answer | None:
        is_it = asked.startswith("CREATE OR REPLACE PROCEDURE dev_operations.note")
        return answers[0] if is_it and answers else None

    site.api.fault = refuse
    status, _, stderr = site.run("sync", "--json")
    assert status == 1 and "given up after" in stderr and "Exceeded rate limits" in stderr

    def once(asked: str) -> Answer | None:
        return answers.pop() if refuse(asked) else None

    site.api.fault = once
    status, stdout, stderr = site.run("sync", "--json")
    assert status == 0 and "is tried again" in stderr and json.loads(stdout)["outcome"] == "applied"


def test_tables_change_without_loss_and_lose_only_what_is_asked_for_and_confirmed(site: Site) -> None:
    site.query("INSERT INTO dev.fct (agent) VALUES ('7')")
    edit(site.sql, FCT, "agent STRING", "agent INT64")
    status, stdout, stderr = site.run("plan")
    assert (status, stderr) == (1, "") and stdout.startswith("refused table     dev.fct: cannot become")
    assert "not every value fits; add a column of the new type at the end and fill it" in stdout
    status, _, stderr = site.run("sync")
    assert status == 1 and f"{site.sql / FCT}: dev.fct cannot become what its file says without a loss" in stderr
    status, _, stderr = site.run("sync", "--allow-destructive")
    assert status == 2 and "rows or values would be lost" in stderr and "Say --yes if you mean it" in stderr
    status, _, stderr = on_terminal(site, "sync", "--allow-destructive", typed="prod\n")
    assert status == 2 and "not confirmed; nothing was changed" in stderr
    assert site.query("SELECT agent FROM dev.fct") == [["7"]] and site.outcomes() == ["applied"]
    # On a terminal a live view of what is at work.
    status, screen, _ = on_terminal(site, "sync", "--allow-destructive", typed="test\n")
    assert status == 0 and "level 1 of 1: 1 left" in screen and "1 done in deployment 2" in screen
    assert site.query("SELECT agent + 1 FROM dev.fct") == [["8"]]


def on_terminal(site: Site, *words: str, typed: str) -> tuple[int, str, str]:
    """Status and what the terminal showed, twice."""
    master, slave = pty.openpty()
    line = [sys.executable, "-m", "deployer.cli", words[0], "config.yaml", *words[1:]]
    process = subprocess.Popen(line, stdin=slave, stdout=slave, stderr=slave, cwd=site.folder, close_fds=True)
    os.close(slave)
    os.write(master, typed.encode())
    shown = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:
            break
        shown += part
    os.close(master)
    text = shown.decode(errors="replace")
    return process.wait(60), text, text


def test_rollback_history_and_a_deployment_that_does_not_exist(site: Site) -> None:
    edit(site.sql, NOTE, "noted", "heard")
    assert site.run("sync")[0] == 0
    status, _, stderr = site.run("rollback", "--to", "9")
    assert status == 2 and "deployment 9 does not exist in environment test; there are 2, 1." in stderr
    status, stdout, _ = site.run("rollback")
    assert status == 0 and stdout.startswith("replace procedure dev_operations.note: its definition changed")
    assert "noted" in site.body("dev_operations.note")
    _, stdout, _ = site.run("history", "--json")
    assert [(row["id"], row["outcome"], row["objects"]) for row in json.loads(stdout)] == [
        ("3", "rolled back to 1", "1"),
        ("2", "applied", "1"),
        ("1", "applied", "7"),
    ]


def test_a_sandbox_is_made_on_demand_and_destroyed_as_a_whole_and_nothing_else_is(site: Site) -> None:
    for suffix, message in (("sandbox", "write _ and up to 29"), ("_operations", "the config itself has")):
        (site.folder / "config.yaml").write_text(
            CONFIG.format(address=site.server.address)
            .replace("raw: ops_raw", "raw: dev")
            .replace("sid: dev,", "sid: sid,")
        )
        status, _, stderr = site.run("sync", "--suffix", suffix)
        assert status == 2 and message in stderr
    (site.folder / "config.yaml").write_text(CONFIG.format(address=site.server.address))
    status, stdout, _ = site.run("sync", "--suffix", "_me", "--expire-after", "72h", "--json")
    assert status == 0 and "dev_me.publish" in {step["object"] for step in json.loads(stdout)["applied"]}
    assert "FROM ops_raw_me.flights AS ops WHERE ops.flight > 0" in site.body("dev_me.publish")
    [[days]] = site.query(
        "SELECT option_value FROM dev_me.INFORMATION_SCHEMA.SCHEMATA_OPTIONS "
        "WHERE option_name = 'default_table_expiration_days'"
    )
    assert float(days) == 3
    assert site.run("plan", "--suffix", "_me")[0] == 0
    assert site.run("destroy")[0] == 2
    # A dataset of that name that somebody made by hand is no part of a sandbox.
    site.query("CREATE SCHEMA dev_you")
    for command in ("sync", "destroy"):
        status, _, stderr = site.run(command, "--suffix", "_you")
        assert status == 2 and "sid-test.dev_you: not made by `deployer sync --suffix _you`" in stderr
    status, stdout, _ = site.run("destroy", "--suffix", "_me", "--yes")
    assert status == 0 and stdout.splitlines()[-1] == "deleted dataset sid-test.dev_operations_me"
    names = {row[0] for row in site.query("SELECT schema_name FROM INFORMATION_SCHEMA.SCHEMATA")}
    assert names == {"dev", "dev_operations", "ops_raw", "dev_you"}
