"""tmgetl.py: order of the steps, and what each failure leaves."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from itertools import count, product
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from deployer import tmgetl
from deployer.errors import DeployerError
from deployer.run import Run
from deployer.tmgetl import TMGETL, Holder, LeaseHeld, Outcome, Progress, PublishedButNotClean, Status, Step, StepResult

RUN = Run("sid_fct_departure", date(2013, 1, 7), date(2013, 1, 7), "delta", "r1")


class FileLedger:
    """A ledger in a SQLite file: leases and runs are rows, and outlive the object."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("CREATE TABLE IF NOT EXISTS leases (transfer TEXT PRIMARY KEY, holder TEXT)")
        self.db.execute("CREATE TABLE IF NOT EXISTS runs (run_id TEXT, status TEXT, published INT, error TEXT)")

    def begin(self, run: Run) -> Holder | None:
        self.db.execute("INSERT OR IGNORE INTO leases VALUES (?, ?)", (run.transfer, run.run_id))
        [(holder,)] = self.db.execute("SELECT holder FROM leases WHERE transfer = ?", (run.transfer,))
        if holder != run.run_id:
            return Holder(holder, "05:00", "05:15")
        self.db.execute("INSERT INTO runs (run_id, status) VALUES (?, 'running')", (run.run_id,))
        return None

    def end(self, run: Run, status: Status, outcome: Outcome, error: str | None) -> Status:
        values = (status, outcome.rows_published, error, run.run_id)
        self.db.execute("UPDATE runs SET status = ?, published = ?, error = ? WHERE run_id = ?", values)
        self.db.execute("DELETE FROM leases WHERE holder = ?", (run.run_id,))
        return status

    def rows(self, table: str) -> list[tuple[object, ...]]:
        return self.db.execute(f"SELECT * FROM {table}").fetchall()


class Copying(TMGETL):
    """Publishes one file by way of a staging file; steps named in `broken` fail half way."""

    error: type[BaseException] = DeployerError

    def __init__(
        self,
        ledger: FileLedger,
        folder: Path,
        broken: tuple[str, ...] = (),
        progress: Progress | None = None,
        wait_seconds: float = 0,
    ) -> None:
        super().__init__(RUN, ledger, progress, wait_seconds)
        self.staging, self.target = folder / "staging", folder / "target"
        self.broken = broken

    def _break(self, step: str) -> None:
        if step in self.broken:
            raise self.error(f"{step} broke")

    def pre_execution_cleansing(self) -> StepResult:
        self.staging.write_text("new")
        self._break("cleanse")
        return StepResult(3, rows_rejected=1, bytes_billed=10)

    def pipeline(self) -> StepResult:
        self._break("publish")
        self.target.write_text(self.staging.read_text())
        return StepResult(2, bytes_billed=20)

    def post_execution_cleanup(self) -> StepResult:
        self.staging.unlink(missing_ok=True)
        self._break("cleanup")
        return StepResult(3)


@pytest.fixture
def ledger(tmp_path: Path) -> FileLedger:
    return FileLedger(tmp_path / "ledger.db")


def test_run_publishes_cleans_up_records_and_frees_the_lease(ledger: FileLedger, tmp_path: Path) -> None:
    outcome = Copying(ledger, tmp_path).run()
    assert (outcome.rows_in, outcome.rows_published, outcome.rows_rejected, outcome.bytes_billed) == (4, 2, 1, 30)
    assert (tmp_path / "target").read_text() == "new"
    assert not (tmp_path / "staging").exists()
    assert ledger.rows("runs") == [("r1", "published", 2, None)]
    assert ledger.rows("leases") == []


STEPS = ("cleanse", "publish", "cleanup")
FAILURES = [
    tuple(s for s, bad in zip(STEPS, mask, strict=True) if bad) for mask in product((0, 1), repeat=3) if any(mask)
]


@pytest.mark.parametrize("broken", FAILURES, ids="+".join)
def test_failed_run_raises_its_first_error_and_still_cleans_records_and_frees(
    ledger: FileLedger, tmp_path: Path, broken: tuple[str, ...]
) -> None:
    with pytest.raises(DeployerError) as caught:
        Copying(ledger, tmp_path, broken).run()
    is_published = broken == ("cleanup",)
    assert isinstance(caught.value, PublishedButNotClean) == is_published
    assert f"{broken[0]} broke" in str(caught.value)
    second = [note for note in getattr(caught.value, "__notes__", []) if "cleanup broke" in note]
    assert bool(second) == ("cleanup" in broken and broken[0] != "cleanup")
    assert not (tmp_path / "staging").exists()
    assert (tmp_path / "target").exists() == (broken[0] == "cleanup")
    status, rows = ("published", 2) if is_published else ("failed", None)
    assert ledger.rows("runs") == [("r1", status, rows, f"{broken[0]} broke")]
    assert ledger.rows("leases") == []


@pytest.mark.parametrize("step", STEPS[:2])
def test_interrupted_run_cleans_up_is_recorded_as_cancelled_and_frees_the_lease(
    ledger: FileLedger, tmp_path: Path, step: str
) -> None:
    interrupted = Copying(ledger, tmp_path, (step,))
    interrupted.error = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        interrupted.run()
    assert not (tmp_path / "staging").exists()
    assert not (tmp_path / "target").exists()
    assert ledger.rows("runs") == [("r1", "cancelled", None, f"{step} broke")]
    assert ledger.rows("leases") == []


class Lost(FileLedger):
    """Takes the lease, and is interrupted before it can say so."""

    def begin(self, run: Run) -> Holder | None:
        super().begin(run)
        raise KeyboardInterrupt


def test_lease_whose_answer_was_lost_is_freed(tmp_path: Path) -> None:
    ledger = Lost(tmp_path / "ledger.db")
    with pytest.raises(KeyboardInterrupt):
        Copying(ledger, tmp_path).run()
    assert ledger.rows("leases") == []
    assert ledger.rows("runs") == [("r1", "cancelled", None, "")]


class Proving(FileLedger):
    """Sees for itself whether the run is published, as the warehouse does in ops.published_windows."""

    def end(self, run: Run, status: Status, outcome: Outcome, error: str | None) -> Status:
        return super().end(run, "published" if self.path.with_name("target").exists() else status, outcome, error)


@pytest.mark.parametrize("broken", [(), ("cleanse",), ("publish",)], ids=["sound", "cleanse", "publish"])
def test_interrupt_at_any_line_leaves_the_target_whole_staging_empty_the_row_closed_and_the_lease_free(
    tmp_path: Path, broken: tuple[str, ...]
) -> None:
    """As a signal's handler does: it raises wherever the process is, unless the run is about to end by itself."""
    for line in count(1):
        folder = tmp_path / str(line)
        folder.mkdir()
        run = Copying(Proving(folder / "ledger.db"), folder, broken)
        was_sent = interrupted_at(line, run)
        staged, published = ((folder / name).exists() for name in ("staging", "target"))
        [(_, status, rows, _)] = run.ledger.rows("runs") or [("", "cancelled", None, "")]  # type: ignore[attr-defined]
        assert not staged and run.ledger.rows("leases") == []  # type: ignore[attr-defined]
        assert published == (status == "published") and rows in ((2, None) if published else (None,))
        if not was_sent:
            assert line > 40
            return


def interrupted_at(line: int, run: Copying) -> bool:
    """Runs; whether there were so many lines of tmgetl.py's run to interrupt."""
    seen = 0

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        nonlocal seen
        if frame.f_code.co_filename != tmgetl.__file__:
            return None
        if event == "line":
            seen += 1
            if seen == line and not (run.is_ending or run.is_published):
                raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        with suppress(DeployerError, KeyboardInterrupt):
            run.run()
    finally:
        sys.settrace(None)
    return seen >= line


class Told(Progress):
    def __init__(self) -> None:
        self.events: list[str] = []

    def begun(self, step: Step) -> None:
        self.events.append(f"{step} begun")

    def ended(self, step: Step, result: StepResult) -> None:
        self.events.append(f"{step} ended {result.rows}")

    def failed(self, step: Step) -> None:
        self.events.append(f"{step} failed")


def test_progress_is_told_of_each_step_and_of_the_cleanup_after_a_failure(ledger: FileLedger, tmp_path: Path) -> None:
    told = Told()
    with pytest.raises(DeployerError):
        Copying(ledger, tmp_path, ("publish",), told).run()
    assert told.events == [
        "cleanse begun",
        "cleanse ended 3",
        "publish begun",
        "publish failed",
        "cleanup begun",
        "cleanup ended 3",
    ]


def test_lease_that_another_run_holds_starts_nothing_and_exits_3(ledger: FileLedger, tmp_path: Path) -> None:
    ledger.db.execute("INSERT INTO leases VALUES (?, 'other')", (RUN.transfer,))
    with pytest.raises(LeaseHeld, match="other, since 05:00") as caught:
        Copying(ledger, tmp_path).run()
    assert caught.value.exit_status == 3
    assert ledger.rows("runs") == []
    assert ledger.rows("leases") == [(RUN.transfer, "other")]
    assert not (tmp_path / "staging").exists()


def test_lease_that_is_waited_for_is_taken_once_it_is_free(
    ledger: FileLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.db.execute("INSERT INTO leases VALUES (?, 'other')", (RUN.transfer,))
    monkeypatch.setattr(tmgetl, "LOOK_SECONDS", 0)

    class Freed(Progress):
        def waiting(self, holder: Holder) -> None:
            assert holder.name == "other"
            ledger.db.execute("DELETE FROM leases")

    assert Copying(ledger, tmp_path, (), Freed(), wait_seconds=60).run().rows_published == 2
    assert ledger.rows("runs") == [("r1", "published", 2, None)]


def test_publish_that_only_the_ledger_knows_of_is_no_failure_to_publish(tmp_path: Path) -> None:
    (tmp_path / "target").touch()
    run = Copying(Proving(tmp_path / "one.db"), tmp_path, ("publish",))
    with pytest.raises(PublishedButNotClean, match="publish broke"):
        run.run()
    run = Copying(Proving(tmp_path / "two.db"), tmp_path, ("publish",))
    run.error = KeyboardInterrupt
    run.run()
    assert (run.status, run.outcome.publish) == ("published", None)


def test_lease_that_cannot_be_freed_never_hides_the_steps_error(ledger: FileLedger, tmp_path: Path) -> None:
    ledger.db.execute("CREATE TRIGGER keep BEFORE DELETE ON leases BEGIN SELECT RAISE(ABORT, 'lease stuck'); END")
    with pytest.raises(DeployerError, match="publish broke") as caught:
        Copying(ledger, tmp_path, ("publish",)).run()
    assert any("lease stuck" in note for note in getattr(caught.value, "__notes__", []))
