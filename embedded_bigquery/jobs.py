"""A job's life: PENDING, RUNNING, DONE, each on a thread of its own.

What a job does is a function of the job (`query`, `load`, `copy`); this module knows only that it ends in a
`Result` or an error, that it can be cancelled, and how long it is remembered.
"""

from __future__ import annotations

import itertools
import logging
import re
import threading
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from embedded_bigquery.catalog import now_ms
from embedded_bigquery.errors import Duplicate, EngineError, InvalidValue, NotFound, Stopped
from embedded_bigquery.rows import Rows
from embedded_bigquery.sql.environment import TablePath

logger = logging.getLogger(__name__)

KEPT_RESULTS = 1_000  # jobs whose rows are kept
KEPT_ROWS = 5_000_000  # rows kept of all jobs together; the latest job's are kept whatever their number
KEPT_JOBS = 20_000  # jobs that jobs.get and jobs.list know
CLOSED = "The client is closed, and with it the embedded warehouse. Connect again"
NUMBERS = 10**12 - 1  # more than an engine ever runs jobs
JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,1024}")


class EngineFailure(EngineError):
    """The engine itself is at fault.

    Its reason is none of Google's own: the client repeats an `internalError` for many minutes, which helps
    against an outage and not against a defect.
    """

    reason = "engineFailure"
    status = 500

    def __init__(self, cause: Exception) -> None:
        super().__init__(
            f"Internal error of the embedded engine: {type(cause).__name__}: {cause}. "
            "This is a defect of the engine, not of the request; its log has the traceback."
        )


@dataclass(frozen=True, slots=True)
class Result:
    """What a job that succeeded gave."""

    statistics: dict[str, Any] = field(default_factory=dict)  # by kind of job, as the API has them
    rows: Rows | None = None  # None: it gave no table
    target: TablePath | None = None  # the table that it changed or made


Work = Callable[["Job"], Result]


class Job:
    """One job; its state is read and set from several threads."""

    def __init__(
        self, project: str, id: str, location: str, configuration: dict[str, Any], parent: Job | None = None
    ) -> None:
        self.project, self.id, self.location, self.parent = project, id, location, parent
        self.configuration = configuration
        self.created_ms = now_ms()
        self.started_ms: int | None = None
        self.ended_ms: int | None = None
        self.result: Result | None = None
        self.error: EngineError | None = None
        self.statistics: dict[str, Any] = {}  # beyond those of the result
        self.children = 0
        self.order = ""  # among all jobs, the newest first
        self._lock = threading.Lock()
        self._done: threading.Event | None = threading.Event()  # None when it is: ten thousand jobs are remembered
        self._stop: Callable[[], None] | None = None
        self._cancelled = False

    def __str__(self) -> str:
        return f"{self.project}:{self.location}.{self.id}"

    @property
    def state(self) -> str:
        if self._done is None:
            return "DONE"
        return "PENDING" if self.started_ms is None else "RUNNING"

    @property
    def is_dry_run(self) -> bool:
        return bool(self.configuration.get("dryRun"))

    @property
    def slot_ms(self) -> int:
        """The time that it ran, as if on one slot."""
        return 0 if self.started_ms is None or self.ended_ms is None else self.ended_ms - self.started_ms

    def wait(self, seconds: float) -> bool:
        """Whether the job is done, at the latest after so many seconds."""
        done = self._done
        return done is None or done.wait(seconds)

    def cancel(self) -> None:
        """Asks the job to stop; it may still succeed."""
        with self._lock:
            self._cancelled = True
            if self._stop is not None:
                self._stop()

    def stoppable(self, stop: Callable[[], None] | None) -> None:
        """Says how to stop what runs now, None when that is over; raises Stopped if the job was cancelled before."""
        with self._lock:
            self._stop = stop
            if stop is not None and self._cancelled:
                raise Stopped("Job execution was cancelled: User requested cancellation")

    def finish(self, result: Result | None = None, error: EngineError | None = None) -> None:
        self.result, self.error = result, error
        self.ended_ms = now_ms()
        done, self._done = self._done, None
        if done is not None:
            done.set()

    def run(self, work: Work) -> None:
        self.started_ms = now_ms()
        try:
            with self._limited():
                result = work(self)
            self.finish(result)
        except EngineError as error:
            self.finish(error=error)
        except Exception as error:
            logger.exception("job %s failed unexpectedly", self)
            self.finish(error=EngineFailure(error))

    @contextmanager
    def _limited(self) -> Iterator[None]:
        """Cancels the job when its own time is over; raises Stopped with that reason then."""
        limit_ms = self.configuration.get("jobTimeoutMs")
        if limit_ms is None:
            yield
            return
        timer = threading.Timer(int(limit_ms) / 1000, self.cancel)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Stopped as stopped:
            if timer.finished.is_set():
                raise Stopped(f"Job execution was cancelled: Job timed out after {limit_ms} ms") from stopped
            raise
        finally:
            timer.cancel()


class Jobs:
    """The jobs of an engine, oldest first."""

    def __init__(self, location: str) -> None:
        self.location = location
        self._lock = threading.Lock()
        self._is_closed = False
        self._jobs: OrderedDict[tuple[str, str], Job] = OrderedDict()
        self._with_rows: deque[Job] = deque()
        self._row_count = 0
        self._numbers = itertools.count()

    def submit(self, project: str, id: str | None, configuration: dict[str, Any], work: Work) -> Job:
        """Starts a job; raises Duplicate, or InvalidValue for an impossible id. A dry run is not remembered."""
        if self._is_closed:
            raise InvalidValue(CLOSED)
        if id is None:
            id = f"job_{uuid.uuid4().hex}"
        elif not JOB_ID.fullmatch(id):
            raise InvalidValue(f'Invalid job ID "{id}": letters, digits, dashes and underscores, at most 1,024')
        job = Job(project, id, self.location, configuration)
        if not job.is_dry_run:
            self._add(job)

        def run() -> None:
            job.run(work)
            self._retain(job)

        threading.Thread(target=run, name=f"job {id}", daemon=True).start()
        return job

    def add_child(self, parent: Job) -> Job:
        """A job for one statement of a script; the caller fills it in."""
        parent.children += 1
        id = f"script_job_{uuid.uuid4().hex}_{parent.children - 1}"
        job = Job(parent.project, id, parent.location, {"jobType": "QUERY"}, parent)
        self._add(job)
        return job

    def finish_child(self, job: Job, result: Result | None, error: EngineError | None) -> None:
        job.finish(result, error)
        self._retain(job)

    def _add(self, job: Job) -> None:
        with self._lock:
            key = (job.project, job.id)
            if key in self._jobs:
                raise Duplicate(f"Already Exists: Job {job}")
            self._jobs[key] = job
            job.order = f"{NUMBERS - next(self._numbers):012d}"
            if len(self._jobs) > KEPT_JOBS:
                oldest = next((key for key, known in self._jobs.items() if known.state == "DONE"), None)
                if oldest is not None:
                    del self._jobs[oldest]

    def _retain(self, job: Job) -> None:
        """Remembers the rows of a job, and forgets those of the oldest ones when there are too many."""
        if job.is_dry_run or job.result is None or job.result.rows is None:
            return
        with self._lock:
            self._with_rows.append(job)
            self._row_count += job.result.rows.kept
            while len(self._with_rows) > 1 and (len(self._with_rows) > KEPT_RESULTS or self._row_count > KEPT_ROWS):
                old = self._with_rows.popleft()
                assert old.result is not None and old.result.rows is not None
                self._row_count -= old.result.rows.kept
                old.result = replace(old.result, rows=old.result.rows.dropped())

    def get(self, project: str, id: str) -> Job:
        """Raises NotFound."""
        job = self._jobs.get((project, id))
        if job is None:
            raise NotFound(f"Not found: Job {project}:{self.location}.{id}")
        return job

    def known(self, project: str) -> list[Job]:
        """All jobs, children too, oldest first."""
        with self._lock:
            return [job for job in self._jobs.values() if job.project == project]

    def latest(self, project: str, parent: str | None = None) -> list[Job]:
        """Newest first: the children of one job, or all jobs that are nobody's child."""
        with self._lock:
            jobs = list(reversed(self._jobs.values()))
        return [job for job in jobs if job.project == project and (job.parent.id if job.parent else None) == parent]

    def delete(self, project: str, id: str) -> None:
        """Forgets a job and its children; raises NotFound."""
        self.get(project, id)
        with self._lock:
            for key, job in list(self._jobs.items()):
                if key == (project, id) or (job.parent is not None and (job.project, job.parent.id) == (project, id)):
                    del self._jobs[key]

    def stop_all(self, seconds: float) -> None:
        """Takes no more jobs, cancels what runs and waits for it, at most so many seconds a job."""
        with self._lock:
            self._is_closed = True
            running = [job for job in self._jobs.values() if job.state != "DONE"]
        for job in running:
            job.cancel()
        for job in running:
            job.wait(seconds)
