"""tmgetl.py: order of the steps, and what each failure leaves."""

from __future__ import annotations

import sqlite3
from datetime import date
from itertools import product
from pathlib import Path

import pytest

from deployer.errors import DeployerError
from deployer.run import Run
from deployer.tmgetl import TMGETL, Holder, LeaseHeld, Outcome, Progress, PublishedButNotClean, Step, StepResult

RUN = Run("sid_fct_departure", date(2013, 1, 7), date(2013, 1, 7), "delta", "r1")


class FileLedger:
    """A ledger in a SQLite file: leases and runs are rows, and outlive the object."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("CREATE TABLE IF NOT EXISTS leases (transfer TEXT PRIMARY KEY, holder TEXT)")
        self.db.execute("CREATE TABLE IF NOT EXISTS runs (run_id TEXT, status TEXT, published INT, error TEXT)")

    def acquire_lease(self, run: Run) -> Holder | None:
        self.db.execute("INSERT OR IGNORE INTO leases VALUES (?, ?)", (run.transfer, run.run_id))
        [(holder,)] = self.db.execute("SELECT holder FROM leases WHERE transfer = ?", (run.transfer,))
        return None if holder == run.run_id else Holder(holder, "05:00", "05:15")

    def release_lease(self, run: Run) -> None:
        self.db.execute("DELETE FROM leases WHERE holder = ?", (run.run_id,))

    def start_run(self, run: Run) -> None:
        self.db.execute("INSERT INTO runs (run_id, status) VALUES (?, 'running')", (run.run_id,))

    def finish_run(self, run: Run, status: str, outcome: Outcome, error: str | None) -> None:
        values = (status, outcome.rows_published, error, run.run_id)
        self.db.execute("UPDATE runs SET status = ?, published = ?, error = ? WHERE run_id = ?", values)

    def rows(self, table: str) -> list[tuple[object, ...]]:
        return self.db.execute(f"SELECT * FROM {table}").fetchall()


class Copying(TMGETL):
    """Publishes one file by way of a staging file; steps named in `broken` fail half way."""

    error: type[BaseException] = DeployerError

    def __init__(
        self, ledger: FileLedger, folder: Path, broken: tuple[str, ...] = (), progress: Progress | None = None
    ) -> None:
        super().__init__(RUN, ledger, progress)
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
        self.staging.unlink()
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

    def acquire_lease(self, run: Run) -> Holder | None:
        super().acquire_lease(run)
        raise KeyboardInterrupt


def test_lease_whose_answer_was_lost_is_freed(tmp_path: Path) -> None:
    ledger = Lost(tmp_path / "ledger.db")
    with pytest.raises(KeyboardInterrupt):
        Copying(ledger, tmp_path).run()
    assert ledger.rows("leases") == []
    assert ledger.rows("runs") == []


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


def test_lease_that_cannot_be_freed_never_hides_the_steps_error(ledger: FileLedger, tmp_path: Path) -> None:
    ledger.db.execute("CREATE TRIGGER keep BEFORE DELETE ON leases BEGIN SELECT RAISE(ABORT, 'lease stuck'); END")
    with pytest.raises(DeployerError, match="publish broke") as caught:
        Copying(ledger, tmp_path, ("publish",)).run()
    assert any("lease stuck" in note for note in getattr(caught.value, "__notes__", []))
