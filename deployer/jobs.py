"""Jobs of the warehouse: submit, attach, wait, look up, cancel. No work is done twice, whatever a call came to.

A job's id is given by who asks for it, with the number of the try at its end: the server refuses a second job of one
id, so a submit whose outcome is unknown is looked up and then repeated under the same id. The number rises only when
the job itself has failed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

from google.api_core.exceptions import Conflict, GoogleAPICallError, GoogleAPIError, NotFound
from google.cloud import bigquery
from requests.exceptions import RequestException

from deployer.retries import OutOfTime, Patience, is_transient, is_transient_or_unknown, job_error

CALL_SECONDS = 60.0  # for one request; a call that only asks is quick, and an answer that is lost never comes
POLL_SECONDS = 30.0  # between two looks at a job that runs
SETTLE_SECONDS = 20.0  # for a job to be over after it was cancelled
PAGE_ROWS = 1_000  # that come with the news that a job is done
NEVER: Any = None  # the client's own repeats look nothing up first; its types forget that None is allowed

Typed = tuple[str, Any]  # a query parameter: BigQuery's type and the value, which may be None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a job gave: the rows of its last SELECT, and what they cost."""

    job_id: str
    rows: list[bigquery.Row]
    bytes_processed: int
    bytes_billed: int


@dataclass(frozen=True, slots=True)
class Request:
    """A query job to be; `id` lacks the number of the try."""

    id: str
    sql: str
    parameters: Mapping[str, Typed]
    labels: Mapping[str, str]
    maximum_bytes_billed: int | None = None

    def config(self, *, dry_run: bool = False) -> bigquery.QueryJobConfig:
        config = bigquery.QueryJobConfig(
            query_parameters=[_parameter(name, kind, value) for name, (kind, value) in self.parameters.items()],
            labels={key: value.lower()[:63] for key, value in self.labels.items()},
        )
        if self.maximum_bytes_billed is not None:
            config.maximum_bytes_billed = self.maximum_bytes_billed
        if dry_run:
            config.dry_run, config.use_query_cache = True, False
        return config


class Jobs:
    def __init__(
        self, client: bigquery.Client, patience: Patience, on_job: Callable[[str], None] = lambda _: None
    ) -> None:
        """`on_job` is told in a sentence what becomes of each job."""
        self._client = client
        self._patience = patience
        self._on_job = on_job
        self.tries: Counter[str] = Counter()  # by the request's id
        self.unsettled: set[str] = set()  # the ids of jobs that this process gave up and that may still be at work
        self.bytes_billed = 0  # of all jobs together, those that failed included
        self.slot_milliseconds = 0

    def run(self, request: Request) -> Answer:
        """The answer of the job; raises what the client raises. An error leaves no job behind at work.

        If one may be, its id is in `unsettled`.
        """
        return self._patience.job(request.id, lambda: self._attempt(request))

    def estimate(self, request: Request) -> int:
        """The bytes that the statement would read; nothing is run."""

        def ask() -> int:
            config = request.config(dry_run=True)
            job = self._client.query(request.sql, config, retry=NEVER, job_retry=None, timeout=CALL_SECONDS)
            return int(job.total_bytes_processed or 0)

        return self._patience.call("A dry run", ask)

    def of(self, id: str) -> Iterator[bigquery.QueryJob]:
        """The jobs of a request, by the request's id, first try first."""
        for number in count(1):
            job = self._find(f"{id}-{number}")
            if job is None:
                return
            yield job

    def answer(self, job: bigquery.QueryJob) -> Answer:
        """Of a job, whoever submitted it, once it is over; raises as `run` does."""
        try:
            rows = self._rows(job)
            self._on_job(f"Job {job.job_id} is done.")
        finally:
            self.bytes_billed += job.total_bytes_billed or 0
            self.slot_milliseconds += job.slot_millis or 0
        return Answer(str(job.job_id), rows, job.total_bytes_processed or 0, job.total_bytes_billed or 0)

    def is_over(self, job: bigquery.QueryJob, *, cancel: bool) -> bool:
        """Waits until the job is DONE, cancelled or in its own time; False when that cannot be found out."""
        try:
            if cancel and job.state != "DONE":
                self._on_job(f"Job {job.job_id} is cancelled.")
                self._patience.call(
                    f"Cancelling {job.job_id}",
                    lambda: job.cancel(retry=NEVER, timeout=self._patience.left(CALL_SECONDS)),
                )
            # Half of what is left: whoever has to end has to tidy up as well.
            deadline = time.monotonic() + self._patience.left(2 * SETTLE_SECONDS) / 2 if cancel else None
            pause = 0.02
            while job.state != "DONE":
                if deadline is not None and time.monotonic() > deadline:
                    return False
                time.sleep(self._patience.left(pause))
                pause = min(pause * 1.5, 2.0)
                self._patience.call(f"Looking up {job.job_id}", lambda: self._reload(job))
        except (GoogleAPIError, RequestException, FutureTimeout, OutOfTime):
            return False
        return True

    def _attempt(self, request: Request) -> Answer:
        self.tries[request.id] += 1
        job_id = f"{request.id}-{self.tries[request.id]}"
        job: bigquery.QueryJob | None = None
        try:
            job = self._submit(request, job_id)
            return self.answer(job)
        except BaseException as error:
            if job_error(error) is None and not _is_refused(error) and not self._is_gone(job_id, job):
                self.unsettled.add(job_id)
            raise

    def _submit(self, request: Request, job_id: str) -> bigquery.QueryJob:
        """The job of this id, whoever submitted it."""
        is_unknown = False

        def submit() -> bigquery.QueryJob:
            nonlocal is_unknown
            if is_unknown:
                found = self._found(job_id)
                if found is not None:
                    self._on_job(f"Job {job_id} is there already, and is waited for.")
                    return found
            is_unknown = True
            self._on_job(f"Job {job_id} is submitted.")
            return self._client.query(
                request.sql,
                request.config(),
                job_id=job_id,
                retry=NEVER,
                job_retry=None,
                timeout=self._patience.left(CALL_SECONDS),
            )

        try:
            return self._patience.call(f"Submitting {job_id}", submit)
        except Conflict:
            # For a moment the server may refuse the id and yet not find the job.
            return self._patience.call(f"Looking up {job_id}", lambda: self._get(job_id), is_transient_or_unknown)

    def _rows(self, job: bigquery.QueryJob) -> list[bigquery.Row]:
        """Waits for the job, however long it works; raises as job.result() does."""

        def poll() -> list[bigquery.Row] | None:
            try:
                return list(job.result(PAGE_ROWS, retry=NEVER, timeout=self._patience.left(POLL_SECONDS)))
            except FutureTimeout:
                # Still at work, or no answer came: then this fails as well.
                self._reload(job)
                return None
            except GoogleAPICallError as error:
                if job.state != "DONE" and not is_transient(error):
                    self._reload(job)  # so that the error tells whether the job failed, or the call that asks for it
                raise

        while True:
            rows = self._patience.call(f"Waiting for {job.job_id}", poll)
            if rows is not None:
                return rows

    def _is_gone(self, job_id: str, job: bigquery.QueryJob | None) -> bool:
        """Whether the job that somebody no longer waits for does not work, after it was cancelled."""
        try:
            found = job or self._find(job_id)
        except (GoogleAPIError, RequestException, FutureTimeout, OutOfTime):
            return False
        return found is None or self.is_over(found, cancel=True)

    def _find(self, job_id: str) -> bigquery.QueryJob | None:
        return self._patience.call(f"Looking up {job_id}", lambda: self._found(job_id))

    def _found(self, job_id: str) -> bigquery.QueryJob | None:
        try:
            return self._get(job_id)
        except NotFound:
            return None

    def _get(self, job_id: str) -> bigquery.QueryJob:
        seconds = self._patience.left(CALL_SECONDS)
        return cast("bigquery.QueryJob", self._client.get_job(job_id, retry=NEVER, timeout=seconds))

    def _reload(self, job: bigquery.QueryJob) -> None:
        job.reload(retry=NEVER, timeout=self._patience.left(CALL_SECONDS))


def _parameter(name: str, kind: str, value: Any) -> bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter:
    if kind.startswith("ARRAY<"):
        return bigquery.ArrayQueryParameter(name, kind[len("ARRAY<") : -1], value)
    return bigquery.ScalarQueryParameter(name, kind, value)


def _is_refused(error: BaseException) -> bool:
    """Whether the server answered that it takes no such job: the request is wrong, or forbidden."""
    if not isinstance(error, GoogleAPICallError) or is_transient(error):
        return False
    return error.code is not None and 400 <= error.code < 500
