"""TMGETL: the lifecycle of one run.

lease -> pre_execution_cleansing -> pipeline -> post_execution_cleanup -> ledger -> lease freed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from deployer.errors import DeployerError
from deployer.run import Run


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease, since when and until when, as texts for people."""

    name: str
    since: str
    until: str


class LeaseHeld(DeployerError):
    """Another run of the transfer works: nothing was started."""

    exit_status = 3

    def __init__(self, transfer: str, holder: Holder) -> None:
        super().__init__(
            f"Another run of {transfer} is at work: {holder.name}, since {holder.since}; its lease ends "
            f"{holder.until} unless it is renewed. Nothing was started; try again later."
        )


class Ledger(Protocol):
    """Where leases and runs are kept; every call may raise DeployerError."""

    def acquire_lease(self, run: Run) -> Holder | None:
        """None when the run has the lease now, else who has it."""
        ...

    def release_lease(self, run: Run) -> None: ...

    def start_run(self, run: Run) -> None: ...

    def finish_run(self, run: Run, status: str, outcome: Outcome, error: str | None) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows that each step handled; None for a step that did not end."""

    rows_staged: int | None = None
    rows_published: int | None = None


class TMGETL(ABC):
    """Subclass and give the three steps; `run()` puts lease, cleanup and ledger around them."""

    def __init__(self, run: Run, ledger: Ledger) -> None:
        self.requested = run
        self.ledger = ledger

    @abstractmethod
    def pre_execution_cleansing(self) -> int:
        """Makes the run idempotent and stages the window's rows; returns how many."""

    @abstractmethod
    def pipeline(self) -> int:
        """Swaps the window of the target for the staged rows in one transaction; returns how many."""

    @abstractmethod
    def post_execution_cleanup(self) -> None:
        """Leaves the datasets as they were: staging empty. Runs whether or not the steps before it succeeded."""

    def run(self) -> Outcome:
        """Raises LeaseHeld with nothing started, or what a step raised with the target as it was."""
        holder = self.ledger.acquire_lease(self.requested)
        if holder is not None:
            raise LeaseHeld(self.requested.transfer, holder)
        try:
            outcome = self._recorded()
        except BaseException as error:
            _despite(error, partial(self.ledger.release_lease, self.requested))
            raise
        self.ledger.release_lease(self.requested)
        return outcome

    def _recorded(self) -> Outcome:
        self.ledger.start_run(self.requested)
        outcome = Outcome()
        try:
            try:
                outcome = Outcome(rows_staged=self.pre_execution_cleansing())
                outcome = Outcome(outcome.rows_staged, self.pipeline())
            except BaseException as error:
                _despite(error, self.post_execution_cleanup)
                raise
            self.post_execution_cleanup()
        except BaseException as error:
            # What was published stays published: only the ledger knows that the cleanup after it failed.
            _despite(error, partial(self.ledger.finish_run, self.requested, "failed", outcome, str(error)))
            raise
        self.ledger.finish_run(self.requested, "published", outcome, None)
        return outcome


def _despite(error: BaseException, step: Callable[[], None]) -> None:
    """A step that follows a failure: its own failure is noted on the first one and never hides it."""
    try:
        step()
    except Exception as second:
        error.add_note(f"What had to follow failed as well: {second}")
