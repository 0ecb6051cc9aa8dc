"""The attacks. Each is a function of a laboratory and a seed: one trial, which raises Lost when anything was lost.

What it returns counts the disturbances that really happened.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from google.cloud import bigquery

from benchmarks.chaos.faults import make_faulty, make_sound
from benchmarks.chaos.site import (
    REPOSITORY,
    TRANSFERS,
    Site,
    client_of,
    copy_of,
    emulated,
    publish,
    rows,
    seeded,
    state,
)
from deployer.run import Window
from deployer.warehouse import Warehouse

Happened = Counter[str]
WEEK = Window(date(2013, 1, 3), date(2013, 1, 9))
LONGER = Window(date(2013, 1, 3), date(2013, 1, 11))
AGAIN_WINDOW = Window(date(2013, 1, 5), date(2013, 1, 11))  # overlaps what is published
AGAIN = ("--delta_start_date", "20130105")
MOMENTS = ("start", "cleanse begins", "cleanse ended", "publish begins", "publish ended", "cleanup begins", "published")
STEPS = ("begin", "cleanse", "publish", "cleanup", "end")
SECONDS = 180.0  # for a process to end
# A step waits in this line while a transaction of ours changes the table: nothing depends on the machine's speed.
GATE = "  UPDATE raw.gate SET passed = TRUE WHERE TRUE;\n"


class Lost(Exception):
    """An attack did harm: what was found, and what should have been."""


@dataclass(frozen=True)
class Laboratory:
    """Warehouses that trials copy, and what undisturbed runs make of them; kept in a folder."""

    folder: Path

    @cached_property
    def empty(self) -> Site:
        """Raw rows and procedures, nothing published."""
        return seeded(self.folder / "empty")

    @cached_property
    def published(self) -> Site:
        """All transfers for the week, and what the aggregate reads for two days more."""
        site = copy_of(self.empty, self.folder / "published")
        with Warehouse(site.loaded()) as warehouse:
            publish(warehouse, WEEK)
            publish(warehouse, LONGER)
            warehouse.query("DELETE FROM sid.agg_agent_daily WHERE flight_date > DATE '2013-01-09'")
        return site

    @cached_property
    def undisturbed_week(self) -> dict[str, Any]:
        with self.trial(self.empty) as site, Warehouse(site.loaded()) as warehouse:
            publish(warehouse, WEEK)
            return state(warehouse.client)

    @cached_property
    def undisturbed_again(self) -> dict[str, dict[str, Any]]:
        """By transfer."""
        found = {}
        for transfer in TRANSFERS:
            with self.trial(self.published) as site, Warehouse(site.loaded()) as warehouse:
                publish(warehouse, AGAIN_WINDOW, [transfer])
                found[transfer] = state(warehouse.client)
        return found

    @cached_property
    def before(self) -> dict[str, Any]:
        with self.published.client() as client:
            return state(client)

    @contextmanager
    def trial(self, site: Site, **more: Any) -> Iterator[Site]:
        with TemporaryDirectory(dir=self.folder, prefix="trial-") as folder:
            yield copy_of(site, Path(folder), **more)


@dataclass(frozen=True)
class Attack:
    what: str
    trials: int  # of the whole
    trial: Callable[[Laboratory, int], Happened]
    checked: str


# ---- the attacks


def faults(lab: Laboratory, seed: int) -> Happened:
    """A week of the three transfers while 20 % of all calls fail."""
    with lab.trial(lab.empty) as site, Warehouse(site.loaded()) as warehouse:
        adapter = make_faulty(warehouse.client, seed, 0.2)
        ids = publish(warehouse, WEEK)
        make_sound(warehouse.client)
        done = Counter(
            (id, step)
            for job in warehouse.client.list_jobs()
            for id, step in itertools.product(ids, STEPS)
            if str(job.job_id).startswith(f"{id}-{step}-") and job.error_result is None
        )
        equal("jobs that did a step's work", dict(done), dict.fromkeys(itertools.product(ids, STEPS), 1))
        equal_state(state(warehouse.client), lab.undisturbed_week)
    return Counter(calls=adapter.calls, faults=adapter.injected.total())


def kills(lab: Laboratory, seed: int) -> Happened:
    """SIGKILL at any moment of a run, then the lease's time passes, then the same command once more."""
    dice = random.Random(seed)
    transfer, moment = TRANSFERS[seed % 3], dice.choice(MOMENTS)
    expected = lab.undisturbed_again[transfer]
    with lab.trial(lab.published) as local, emulated(local) as site:
        process = start(site, transfer, *AGAIN)
        await_moment(lab, process, moment, dice)
        was_alive = process.poll() is None
        process.kill()
        process.communicate()
        with client_of(site) as client:
            [(left,)] = rows(client, "SELECT COUNT(*) FROM ops.runs WHERE status = 'running'")
            expire(client)
            run(site, transfer, *AGAIN)
            check_settled(client, expected, transfer)
    return Counter({"kills": was_alive, "runs left open": left, f"at {moment}": 1})


def signals(lab: Laboratory, seed: int) -> Happened:
    """SIGTERM or SIGINT at each moment of a run."""
    dice = random.Random(seed)
    transfer, moment = TRANSFERS[seed % 3], MOMENTS[seed // 3 % len(MOMENTS)]
    sent = (signal.SIGTERM, signal.SIGINT)[seed // 3 // len(MOMENTS) % 2]
    with lab.trial(lab.published) as local, emulated(local) as site, client_of(site) as client:
        process = start(site, transfer, *AGAIN)
        await_moment(lab, process, moment, dice)
        process.send_signal(sent)
        status, text = ended(process)
        equal("exit status", status in (0, 128 + sent), True, f"{status}: {text}")
        expected = lab.undisturbed_again[transfer] if status == 0 else lab.before
        found = state(client)
        equal_state(found, expected, but=("runs",))
        if (Counter(found["runs"]) - Counter(lab.before["runs"])).total():  # else it ended before it had begun
            [(recorded,)] = rows(client, "SELECT status FROM ops.runs ORDER BY started_at DESC LIMIT 1")
            equal("status", recorded, "cancelled" if status else "published")
    return Counter({"signals": 1, "published": status == 0, "cancelled": status != 0, f"at {moment}": 1})


def await_moment(lab: Laboratory, process: subprocess.Popen[str], moment: str, dice: random.Random) -> None:
    """Until the process says so, and then a little while; `start` is before it says anything."""
    if moment == "start":
        time.sleep(lab_seconds(lab) * dice.uniform(0.3, 0.8))
        return
    assert process.stdout is not None
    while f'"message": "{moment}' not in (line := process.stdout.readline()) and line:
        pass
    time.sleep(dice.uniform(0, 0.06))


def rivals(lab: Laboratory, seed: int) -> Happened:
    """Two, four or eight processes that publish one transfer at once."""
    transfer, count = TRANSFERS[seed % 3], (2, 4, 8)[seed // 3 % 3]
    with lab.trial(lab.published) as local, emulated(local) as site, client_of(site) as client:
        gate = Gate(client, transfer, "cleanse")
        processes = [start(site, transfer, *AGAIN) for _ in range(count)]
        while sum(process.poll() is not None for process in processes) < count - 1:
            time.sleep(0.05)
        equal("the first to end", sorted(p.returncode for p in processes if p.poll() is not None), [3] * (count - 1))
        gate.open()
        statuses = sorted(ended(process)[0] for process in processes)
        equal("exit statuses", statuses, [0] + [3] * (count - 1))
        equal_state(state(client), lab.undisturbed_again[transfer])
    return Counter(processes=count)


def neighbours(lab: Laboratory, seed: int) -> Happened:
    """The three transfers at once, each in a process of its own."""
    with lab.trial(lab.published) as local, emulated(local) as site, client_of(site) as client:
        processes = [start(site, transfer, *AGAIN) for transfer in random.Random(seed).sample(TRANSFERS, 3)]
        for process in processes:
            status, text = ended(process)
            equal("exit status", status, 0, text)
        found = state(client)
        for transfer in TRANSFERS:
            table = transfer.removeprefix("sid_")
            equal(table, found[table], lab.undisturbed_again[transfer][table])
        check_tidy(client)
        [(retried,)] = rows(client, "SELECT SUM(ARRAY_LENGTH(retried)) FROM ops.runs")
    return Counter(processes=3, repeats=retried or 0)


def leases(lab: Laboratory, seed: int) -> Happened:
    """A lease that ends under a run: while it stages or just before its transaction, with and without a successor."""
    transfer = TRANSFERS[seed % 3]
    step = ("cleanse", "publish")[seed // 3 % 2]
    has_successor = seed // 6 % 2 == 1
    # A lease that is not renewed while the trial lasts.
    with (
        lab.trial(lab.published, lease={"seconds": 86_400}) as local,
        emulated(local) as site,
        client_of(site) as client,
    ):
        gate = Gate(client, transfer, step)
        process = start(site, transfer, *AGAIN)
        assert process.stdout is not None
        while f'"{step} begins"' not in process.stdout.readline():
            pass
        while not any(f"-{step}-" in str(job.job_id) for job in client.list_jobs(state_filter="running")):
            time.sleep(0.02)
        expire(client)
        if has_successor:
            restore(client, transfer, step)
            run(site, transfer, day="20130110")  # it ends the job of the first one
        gate.open()
        status, text = ended(process)
        equal("exit status", status, 1, text)
        found = state(client)
        if has_successor:
            equal("windows", len(found["windows"]), len(lab.before["windows"]) + 1)
        else:
            # Nobody took the lease, so nobody tidied up: the next run does.
            equal_state(found, lab.before, but=("runs", "leases", f"staging {staged(transfer)}"))
            restore(client, transfer, step)
        run(site, transfer, *AGAIN)
        check_settled(client, lab.undisturbed_again[transfer], transfer)
    return Counter({"expired": 1, "successors": has_successor, f"in {step}": 1})


def readers(lab: Laboratory, seed: int) -> Happened:
    """Readers that poll the target all through 20 publishes of the week that it holds."""
    counts = "SELECT flight_date, COUNT(*), COUNT(DISTINCT departure_key) FROM sid.fct_departure GROUP BY 1 ORDER BY 1"
    polls = 0
    with lab.trial(lab.published) as site, Warehouse(site.loaded()) as warehouse:
        from deployer.procedure_etl import ProcedureETL
        from deployer.run import new_run

        wanted = rows(warehouse.client, counts)
        is_over = threading.Event()
        wrong: list[object] = []

        def poll() -> None:
            nonlocal polls
            while not is_over.wait(0.005):
                found = rows(warehouse.client, counts)
                polls += 1
                if found != wanted:
                    wrong.append(found)

        threads = [threading.Thread(target=poll) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(20):
                ProcedureETL(new_run(warehouse.config, "sid_fct_departure", LONGER, "delta"), warehouse).run()
        finally:
            is_over.set()
            for thread in threads:
                thread.join()
        equal("what readers saw", wrong, [])
    return Counter(publishes=20, polls=polls)


def clocks(lab: Laboratory, seed: int) -> Happened:
    """A process in another time zone whose clock is years off; the warehouse's is right."""
    dice = random.Random(seed)
    zone = dice.choice(("Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kathmandu", "Antarctica/Troll", "UTC"))
    days = dice.choice((-4000, -1, 1, 4000))
    transfer = TRANSFERS[seed % 3]
    with lab.trial(lab.published) as local, emulated(local) as site, client_of(site) as client:
        wrong = (
            f"import time; now = time.time; time.time = lambda: now() + {days * 86_400}; "
            "from deployer.run_pipeline import main; main()"
        )
        words = site.command("20130111", transfer, "delta", "CONFIG", *AGAIN)[3:]
        process = spawn([sys.executable, "-c", wrong, *words], TZ=zone)
        status, text = ended(process)
        equal("exit status", status, 0, text)
        equal_state(state(client), lab.undisturbed_again[transfer])
    return Counter(clocks=1)


# ---- processes


def spawn(command: list[str], **environment: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    variables = {**os.environ, "PYTHONPATH": path, **environment}
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=variables)


def start(site: Site, transfer: str, *words: str, day: str = "20130111") -> subprocess.Popen[str]:
    return spawn(site.command(day, transfer, "delta", "CONFIG", *words))


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, errors = process.communicate(timeout=SECONDS)
    return process.returncode, f"{out}{errors}"


def run(site: Site, transfer: str, *words: str, day: str = "20130111") -> None:
    status, text = ended(start(site, transfer, *words, day=day))
    equal("exit status", status, 0, text)


def lab_seconds(lab: Laboratory) -> float:
    """How long an undisturbed process takes, measured once a laboratory."""
    file = lab.folder / "seconds.json"
    if not file.exists():
        with lab.trial(lab.published) as local, emulated(local) as site:
            run(site, "sid_fct_departure", *AGAIN)  # reads what later ones find in memory
            began = time.monotonic()
            run(site, "sid_fct_departure", *AGAIN)
            file.write_text(json.dumps(time.monotonic() - began))
    return float(json.loads(file.read_text()))


# ---- what is done to a warehouse


def expire(client: bigquery.Client) -> None:
    """The lease's time passes."""
    past = "TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 SECOND)"
    client.query_and_wait(f"UPDATE ops.leases SET expires_at = {past} WHERE holder IS NOT NULL")


def procedure(transfer: str, step: str) -> str:
    return (REPOSITORY / "sql" / "sid" / "procedures" / f"{transfer}_{step}.sql").read_text()


class Gate:
    """The step of a transfer waits in its cleanse's or before its publish's first statement of work, until `open`."""

    def __init__(self, client: bigquery.Client, transfer: str, step: str) -> None:
        self._client = client
        client.query_and_wait("CREATE TABLE raw.gate AS SELECT FALSE AS passed")
        before = {"cleanse": "  DELETE FROM", "publish": "    BEGIN TRANSACTION;"}[step]
        text = procedure(transfer, step)
        assert before in text
        client.query_and_wait(text.replace(before, GATE + before, 1))
        job = client.query(
            "BEGIN TRANSACTION; UPDATE raw.gate SET passed = FALSE WHERE TRUE",
            bigquery.QueryJobConfig(create_session=True),
        )
        job.result()
        assert job.session_info is not None and job.session_info.session_id is not None
        self._session = bigquery.ConnectionProperty("session_id", job.session_info.session_id)

    def open(self) -> None:
        config = bigquery.QueryJobConfig(connection_properties=[self._session])
        self._client.query_and_wait("ROLLBACK TRANSACTION", job_config=config)


def restore(client: bigquery.Client, transfer: str, step: str) -> None:
    client.query_and_wait(procedure(transfer, step))


def staged(transfer: str) -> str:
    return "agent_daily_state" if transfer == "sid_dim_agent" else transfer.removeprefix("sid_")


# ---- what must be so


def equal(what: str, found: object, expected: object, told: str = "") -> None:
    if found != expected:
        raise Lost(f"{what}: {found!r} instead of {expected!r}. {told}")


def equal_state(found: dict[str, Any], expected: dict[str, Any], but: tuple[str, ...] = ()) -> None:
    for name in expected.keys() - set(but):
        surplus, missing = (
            Counter(found[name]) - Counter(expected[name]),
            Counter(expected[name]) - Counter(found[name]),
        )
        if surplus or missing:
            raise Lost(f"{name}: too many {list(surplus)[:3]}, missing {list(missing)[:3]}")


def check_tidy(client: bigquery.Client) -> None:
    """Nothing staged, no lease held, no run open."""
    found = state(client)
    equal("leases", found["leases"], [])
    equal("staging", [found[name] for name in found if name.startswith("staging ")], [[(0,)]] * 3)
    equal("open runs", rows(client, "SELECT run_id FROM ops.runs WHERE status = 'running'"), [])


def check_settled(client: bigquery.Client, expected: dict[str, Any], transfer: str) -> None:
    """As after one undisturbed run, though some runs may have failed before; no two of them worked at a time."""
    found = state(client)
    equal_state(found, expected, but=("runs", "windows"))
    check_tidy(client)
    days = "SELECT CAST(published_day AS STRING) FROM ops.published_days WHERE transfer = '{}' ORDER BY 1"
    equal("days", len(rows(client, days.format(transfer))), LONGER.days)
    steps = [
        (job.started, job.ended, job.job_id)
        for job in client.list_jobs()
        if any(f"-{step}-" in str(job.job_id) for step in ("cleanse", "publish", "cleanup")) and job.started
    ]
    for earlier, later in itertools.pairwise(sorted(steps)):
        if later[0] < earlier[1]:
            raise Lost(f"{later[2]} worked beside {earlier[2]}")


ATTACKS = {
    "faults": Attack(
        "20 % of all calls fail, before or after they took effect: 503, 429, 403, reset, time-out, cut-off answer",
        200,
        faults,
        "targets, ledger, windows as undisturbed; each step's work was done by one job",
    ),
    "kills": Attack(
        "`kill -9` at any moment, then the same command",
        100,
        kills,
        "targets as undisturbed, staging empty, lease free, no run open, no two jobs at a time",
    ),
    "signals": Attack(
        "SIGTERM and SIGINT at each moment of a run",
        42,
        signals,
        "exit status 143 or 130 and the target as it was, or 0 and published; ledger agrees, staging empty, lease free",
    ),
    "rivals": Attack(
        "2, 4 and 8 processes publish one transfer at once", 18, rivals, "one publishes, the others exit with 3"
    ),
    "neighbours": Attack("the three transfers at once", 12, neighbours, "all publish; targets as one after the other"),
    "leases": Attack(
        "a lease that ends under its run, with and without a successor",
        24,
        leases,
        "nothing is committed without the lease; the next run makes all good",
    ),
    "readers": Attack("readers poll the target through 20 publishes", 5, readers, "no day is ever missing or doubled"),
    "clocks": Attack(
        "other time zones, a process's clock that is off by a day or by years", 12, clocks, "all as undisturbed"
    ),
}
