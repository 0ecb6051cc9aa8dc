"""Which failures a repeat can cure, how long it is tried, and what users are told of those that it cannot.

Two things fail apart. A *call* of the API fails with its transport or its server: whether it took effect is unknown. A
*job* fails by its own state: that it had no effect is known. So a call is only repeated when a repeat cannot do the
work twice, and a job is only repeated under the next id.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from time import monotonic
from typing import Any, TypeVar

from google.api_core.exceptions import GoogleAPICallError, NotFound, RetryError, ServerError, TooManyRequests
from google.auth.exceptions import TransportError
from requests.exceptions import (
    ChunkedEncodingError,
    ContentDecodingError,
    InvalidJSONError,
    RequestException,
    Timeout,
)
from requests.exceptions import ConnectionError as RequestsConnectionError
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential
from tenacity.stop import stop_base

from deployer.config import Retries

# Source: "Error messages", docs.cloud.google.com/bigquery/docs/error-messages.
TRANSIENT_REASONS = frozenset({"backendError", "badGateway", "internalError", "rateLimitExceeded"})
TRANSIENT_JOB_REASONS = TRANSIENT_REASONS | {"jobBackendError", "jobInternalError", "jobRateLimitExceeded"}
# A conflict has no reason of its own: it is an invalidQuery like any other.
CONFLICTS = ("Transaction is aborted due to concurrent update", "Could not serialize access to table")
BROKEN = (RequestsConnectionError, Timeout, ChunkedEncodingError, ContentDecodingError, InvalidJSONError)

Result = TypeVar("Result")


class OutOfTime(Exception):
    """The process has to end, and what it waits for is not over."""


class Patience:
    """How long failures are put up with: as the config says, and less once the process has to end."""

    def __init__(self, retries: Retries, on_retry: Callable[[str], None]) -> None:
        """`on_retry` is told in a sentence of each failure that is repeated."""
        self._retries = retries
        self._on_retry = on_retry
        self._end: float | None = None

    def hurry(self, seconds: float) -> None:
        """From now on everything is over after so many seconds."""
        self._end = monotonic() + seconds

    def left(self, most: float) -> float:
        """Seconds that a wait may take, at most so many; raises OutOfTime."""
        if self._end is None:
            return most
        left = self._end - monotonic()
        if left <= 0:
            raise OutOfTime("the time to end in was over")
        return min(left, most)

    def call(
        self, what: str, request: Callable[[], Result], again: Callable[[Exception], bool] | None = None
    ) -> Result:
        """The request's result; it is repeated while its failures are transient, and may run twice."""
        result: Result = self._retrying(what, again or is_transient, _Outlasted(self, idle=False))(request)
        return result

    def job(self, what: str, attempt: Callable[[], Result]) -> Result:
        """The result of an attempt, which is repeated when its job failed for a reason that passes."""
        result: Result = self._retrying(what, is_transient_job, _Outlasted(self, idle=True))(attempt)
        return result

    def seconds(self) -> float:
        with suppress(OutOfTime):
            return self.left(self._retries.seconds)
        return 0

    def _retrying(self, what: str, again: Callable[[Exception], bool], stop: stop_base) -> Retrying:
        def told(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            assert error is not None
            self._on_retry(f"{what} failed and is tried again in {state.upcoming_sleep:.1f} s: {message_of(error)}")

        retries = self._retries
        return Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, Exception) and again(error)),
            wait=wait_random_exponential(multiplier=retries.first_wait, max=retries.longest_wait),
            stop=stop,
            before_sleep=told,
            reraise=True,
        )


class _Outlasted(stop_base):
    """Stops before the patience is over: of a call in all, of a job without the time that it worked (`idle`)."""

    def __init__(self, patience: Patience, *, idle: bool) -> None:
        self._patience = patience
        self._idle = idle

    def __call__(self, retry_state: RetryCallState) -> bool:
        spent = retry_state.idle_for if self._idle else retry_state.seconds_since_start or 0
        if spent + retry_state.upcoming_sleep <= self._patience.seconds():
            return False
        error = retry_state.outcome.exception() if retry_state.outcome else None
        if error is not None and retry_state.attempt_number > 1:
            error.add_note(f"given up after {retry_state.attempt_number} tries in {spent:.0f} s")
        return True


def job_error(error: BaseException) -> dict[str, Any] | None:
    """The `errorResult` of the job that the error tells of; None if it is not a job that failed."""
    job = getattr(error, "query_job", None)
    return None if job is None else job.error_result


def is_transient(error: Exception) -> bool:
    """Whether a call failed for a reason that passes."""
    if job_error(error) is not None:
        return False
    if isinstance(error, GoogleAPICallError):
        details = [detail for detail in error.errors if isinstance(detail, dict)]
        if details:
            return details[0].get("reason") in TRANSIENT_JOB_REASONS
        return isinstance(error, ServerError | TooManyRequests)
    return isinstance(error, (*BROKEN, FutureTimeout)) or (isinstance(error, TransportError) and error.retryable)


def is_transient_or_unknown(error: Exception) -> bool:
    """As is_transient; also what must be there is not found yet."""
    return isinstance(error, NotFound) or is_transient(error)


def is_transient_job(error: Exception) -> bool:
    """Whether a job failed for a reason that passes."""
    failed = job_error(error)
    if failed is None:
        return False
    return failed.get("reason") in TRANSIENT_JOB_REASONS or any(
        conflict in failed.get("message", "") for conflict in CONFLICTS
    )


def message_of(error: BaseException) -> str:
    """What went wrong, in the server's own words where it has any."""
    notes = "".join(f"; {note}" for note in getattr(error, "__notes__", ()))
    return f"{_bare_message(error)}{notes}"


def _bare_message(error: BaseException) -> str:
    if isinstance(error, RetryError) and error.cause is not None:
        return f"given up after some time: {_bare_message(error.cause)}"
    failed = job_error(error)
    if failed is not None:
        return f"{failed['message']} (job {error.query_job.job_id})"  # type: ignore[attr-defined]
    if isinstance(error, GoogleAPICallError):
        # The client puts method and URL before the message; the API's own error has it alone.
        details = [detail for detail in error.errors if isinstance(detail, dict)]
        return str(details[0].get("message", error.message)) if details else str(error.message)
    if isinstance(error, RequestException | TransportError):
        return f"the warehouse cannot be reached ({type(error).__name__})"
    if isinstance(error, FutureTimeout):
        return "no answer in time"
    return str(error) or type(error).__name__
