"""TMGETL: the lifecycle of one run.

lease -> pre_execution_cleansing -> pipeline -> post_execution_cleanup -> ledger -> lease freed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import Literal, Protocol

from deployer.errors import DeployerError
from deployer.run import Run

Step = Literal["cleanse", "publish", "cleanup"]


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


class PublishedButNotClean(DeployerError):
    """The window is published; something after that failed."""

    def __init__(self, transfer: str, cause: Exception) -> None:
        notes = "".join(f" {note}" for note in getattr(cause, "__notes__", ()))
        super().__init__(
            f"{transfer} is published, but what follows a publish failed: {cause}{notes} "
            "The next run of the transfer cleans up after this one."
        )


class Ledger(Protocol):
    """Where leases and runs are kept; every call may raise DeployerError."""

    def acquire_lease(self, run: Run) -> Holder | None:
        """None when the run has the lease now, else who has it."""
        ...

    def release_lease(self, run: Run) -> None:
        """Frees the lease if the run has it."""
        ...

    def start_run(self, run: Run) -> None: ...

    def finish_run(self, run: Run, status: str, outcome: Outcome, error: str | None) -> None: ...


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step did; `rows` is None when it does not count them."""

    rows: int | None
    rows_rejected: int = 0
    bytes_processed: int = 0
    bytes_billed: int = 0
    seconds: float = 0.0  # measured by TMGETL


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the steps did; None for a step that did not end."""

    cleanse: StepResult | None = None
    publish: StepResult | None = None
    cleanup: StepResult | None = None

    @property
    def rows_in(self) -> int | None:
        """Rows that the cleanse staged or rejected."""
        if self.cleanse is None or self.cleanse.rows is None:
            return None
        return self.cleanse.rows + self.cleanse.rows_rejected

    @property
    def rows_published(self) -> int | None:
        return None if self.publish is None else self.publish.rows

    @property
    def rows_rejected(self) -> int | None:
        return None if self.cleanse is None else self.cleanse.rows_rejected

    @property
    def bytes_billed(self) -> int:
        return sum(step.bytes_billed for step in (self.cleanse, self.publish, self.cleanup) if step is not None)


class Progress:
    """Is told of each step as it begins and ends; this one keeps silent. It must not raise."""

    def begun(self, step: Step) -> None:
        pass

    def ended(self, step: Step, result: StepResult) -> None:
        pass

    def failed(self, step: Step) -> None:
        pass


class TMGETL(ABC):
    """Subclass and give the three steps; `run()` puts lease, cleanup and ledger around them."""

    def __init__(self, run: Run, ledger: Ledger, progress: Progress | None = None) -> None:
        self.requested = run
        self.ledger = ledger
        self.progress = progress or Progress()
        self.outcome = Outcome()

    @abstractmethod
    def pre_execution_cleansing(self) -> StepResult:
        """Makes the run idempotent and stages the window's rows."""

    @abstractmethod
    def pipeline(self) -> StepResult:
        """Swaps the window of the target for the staged rows in one transaction."""

    @abstractmethod
    def post_execution_cleanup(self) -> StepResult:
        """Leaves the datasets as they were: staging empty. Runs whether or not the steps before it succeeded."""

    @property
    def is_published(self) -> bool:
        """Whether the window is published: whatever happens from then on does not take it back."""
        return self.outcome.publish is not None

    def run(self) -> Outcome:
        """Raises LeaseHeld with nothing started, or what a step raised with the target as it was.

        Raises PublishedButNotClean when the window is published and something after that failed.
        """
        try:
            holder = self.ledger.acquire_lease(self.requested)
            if holder is not None:
                raise LeaseHeld(self.requested.transfer, holder)
            self._recorded()
            self.ledger.release_lease(self.requested)
        except LeaseHeld:
            raise
        except BaseException as error:
            # Also when acquiring failed: an answer that was lost may have been a yes.
            _despite(error, partial(self.ledger.release_lease, self.requested))
            if self.is_published and isinstance(error, Exception):
                raise PublishedButNotClean(self.requested.transfer, error) from error
            raise
        return self.outcome

    def _recorded(self) -> None:
        try:
            self.ledger.start_run(self.requested)
            try:
                self._step("cleanse", self.pre_execution_cleansing)
                self._step("publish", self.pipeline)
            except BaseException as error:
                _despite(error, partial(self._step, "cleanup", self.post_execution_cleanup))
                raise
            self._step("cleanup", self.post_execution_cleanup)
        except BaseException as error:
            status = "cancelled" if isinstance(error, KeyboardInterrupt) else "failed"
            status = "published" if self.is_published else status
            _despite(error, partial(self.ledger.finish_run, self.requested, status, self.outcome, str(error)))
            raise
        self.ledger.finish_run(self.requested, "published", self.outcome, None)

    def _step(self, step: Step, method: Callable[[], StepResult]) -> None:
        self.progress.begun(step)
        start = monotonic()
        try:
            result = replace(method(), seconds=monotonic() - start)
        except BaseException:
            self.progress.failed(step)
            raise
        self.outcome = replace(self.outcome, **{step: result})
        self.progress.ended(step, result)


def _despite(error: BaseException, step: Callable[[], None]) -> None:
    """A step that follows a failure: its own failure is noted on the first one and never hides it."""
    try:
        step()
    except Exception as second:
        error.add_note(f"What had to follow failed as well: {second}")
