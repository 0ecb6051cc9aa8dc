"""TMGETL: the lifecycle of one run.

lease and ledger -> pre_execution_cleansing -> pipeline -> post_execution_cleanup -> ledger and lease.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic, sleep
from typing import Literal, Protocol

from deployer.errors import DeployerError
from deployer.run import Run

Step = Literal["cleanse", "publish", "cleanup"]
Status = Literal["published", "skipped", "failed", "cancelled"]  # skipped: an earlier process had published it
STEPS: tuple[Step, ...] = ("cleanse", "publish", "cleanup")
LOOK_SECONDS = 5.0  # between two looks at a lease that is waited for


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
            f"{holder.until} unless it is renewed. Nothing was started; try again later, or say --wait SECONDS."
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

    def begin(self, run: Run) -> Holder | None:
        """Takes the lease, opens the run's row and ends what dead runs left at work; else says who has the lease."""
        ...

    def end(self, run: Run, status: Status, outcome: Outcome, error: str | None) -> Status:
        """Closes the row and frees the lease if the run has it.

        Returns the status that holds: the ledger may know that the window is published where the run does not.
        """
        ...


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step did; `rows` is None when it does not count them."""

    rows: int | None
    rows_rejected: int = 0
    bytes_processed: int = 0
    bytes_billed: int = 0
    job_id: str = ""
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

    def waiting(self, holder: Holder) -> None:
        pass

    def begun(self, step: Step) -> None:
        pass

    def ended(self, step: Step, result: StepResult) -> None:
        pass

    def failed(self, step: Step) -> None:
        pass


class TMGETL(ABC):
    """Subclass and give the three steps; `run()` puts lease, cleanup and ledger around them."""

    def __init__(self, run: Run, ledger: Ledger, progress: Progress | None = None, wait_seconds: float = 0) -> None:
        """`wait_seconds`: for how long a lease that another run has is waited for."""
        self.requested = run
        self.ledger = ledger
        self.progress = progress or Progress()
        self.outcome = Outcome()
        self.status: Status | None = None  # once the run is over
        self.is_ending = False  # nothing should interrupt what follows now
        self._wait_seconds = wait_seconds
        self._has_begun = False
        self._is_skipped = False

    @abstractmethod
    def pre_execution_cleansing(self) -> StepResult:
        """Makes the run idempotent and stages the window's rows."""

    @abstractmethod
    def pipeline(self) -> StepResult:
        """Swaps the window of the target for the staged rows in one transaction."""

    @abstractmethod
    def post_execution_cleanup(self) -> StepResult:
        """Leaves the datasets as they were: staging empty. Runs whether or not the steps before it succeeded."""

    def inherited_publish(self) -> StepResult | None:
        """What the publish of this window gave that a dead process had left at work, if there was one."""
        return None

    @property
    def is_published(self) -> bool:
        """Whether the window is published: whatever happens from then on does not take it back."""
        return self.outcome.publish is not None or self.status in ("published", "skipped")

    def run(self) -> Outcome:
        """Raises LeaseHeld with nothing started, or what a step raised with the target as it was.

        Raises PublishedButNotClean when the window is published and something after that failed.
        """
        try:
            try:
                self._begin()
                self._publish()
            except LeaseHeld:
                raise
            except BaseException as error:
                self._end(error)
                raise
            self._end(None)
        except LeaseHeld:
            raise
        except BaseException as error:
            self._end(error)  # when an interrupt came just before the line that ends the run
            if not self.is_published:
                raise
            if isinstance(error, Exception):
                raise PublishedButNotClean(self.requested.transfer, error) from error
        return self.outcome

    def _begin(self) -> None:
        deadline = monotonic() + self._wait_seconds
        while (holder := self.ledger.begin(self.requested)) is not None:
            left = deadline - monotonic()
            if left <= 0:
                raise LeaseHeld(self.requested.transfer, holder)
            self.progress.waiting(holder)
            sleep(min(left, LOOK_SECONDS))
        self._has_begun = True

    def _publish(self) -> None:
        inherited = self.inherited_publish()
        if inherited is not None:
            self._is_skipped = True
            self.outcome = Outcome(publish=inherited)
            return
        self._step("cleanse", self.pre_execution_cleansing)
        self._step("publish", self.pipeline)

    def _end(self, error: BaseException | None) -> None:
        """Cleans up, closes the ledger's row, frees the lease; does nothing the second time."""
        if self.is_ending:
            return
        self.is_ending = True
        first = error
        if self._has_begun:
            first = self._after(first, lambda: self._step("cleanup", self.post_execution_cleanup))
        first = self._after(first, lambda: self._close(first))
        if error is None and first is not None:
            raise first

    def _after(self, error: BaseException | None, action: Callable[[], None]) -> BaseException | None:
        """The first error, of the one before the action and its own; a second one is noted on it and never hides it."""
        try:
            action()
        except Exception as second:
            if error is None:
                return second
            error.add_note(f"What had to follow failed as well: {second}")
        return error

    def _close(self, error: BaseException | None) -> None:
        if self._is_skipped:
            status: Status = "skipped"
        elif error is None or self.is_published:
            status = "published"
        else:
            status = "failed" if isinstance(error, Exception) else "cancelled"
        self.status = self.ledger.end(self.requested, status, self.outcome, None if error is None else str(error))

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
