"""The warehouse of a config: the only maker of a `bigquery.Client`, and the jobs that go through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from uuid import uuid4

from google.api_core.exceptions import GoogleAPIError, NotFound
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from requests.exceptions import RequestException

from deployer.config import Config
from deployer.errors import DeployerError, UsageError
from deployer.jobs import CALL_SECONDS, NEVER, Answer, Jobs, Request, Typed
from deployer.retries import OutOfTime, Patience, message_of

RETRY = bigquery.DEFAULT_RETRY.with_timeout(30)  # seconds; the client's own ten minutes look like a hang


class WarehouseInUse(DeployerError):
    """Another process has the embedded warehouse's file: nothing was started."""

    exit_status = 3


class Warehouse:
    """A client with the environment's names; use it in a `with`, so that an embedded file is closed properly."""

    def __init__(
        self,
        config: Config,
        on_retry: Callable[[str], None] = lambda _: None,
        on_job: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`on_retry` is told in a sentence of each failure that is repeated, `on_job` what becomes of each job.

        Raises WarehouseInUse, UsageError, or DeployerError when there are no credentials.
        """
        self.config = config
        self.on_job = on_job
        self.retried: list[str] = []  # what on_retry was told

        def told(message: str) -> None:
            self.retried.append(message)
            on_retry(message)

        self.patience = Patience(config.retries, told)
        self.client = _client(config)
        self.jobs = Jobs(self.client, self.patience, on_job)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.client.close()  # type: ignore[no-untyped-call]

    def dataset(self, logical: str) -> str:
        """`project.dataset` of a logical dataset; raises UsageError when the config does not map it."""
        mapped = self.config.datasets.get(logical)
        if mapped is None:
            raise UsageError(f"`datasets` of the config does not map {logical}; add a line for it")
        return f"{self.config.warehouse.project}.{mapped}"

    def quoted(self, dataset: str, name: str) -> str:
        """A table, view or routine of a logical dataset as SQL names it."""
        return f"`{self.dataset(dataset)}.{name}`"

    def is_empty(self) -> bool:
        """Whether there is no dataset at all."""
        what = f"Listing the datasets of {self.client.project}"
        with explained(what):
            return not self.patience.call(
                what, lambda: list(self.client.list_datasets(max_results=1, retry=NEVER, timeout=CALL_SECONDS))
            )

    def missing_routines(self, wanted: Iterable[tuple[str, str]]) -> list[str]:
        """Those of the wanted (logical dataset, routine) that are not deployed, by one list call a dataset."""
        by_dataset: dict[str, list[str]] = {}
        for dataset, name in wanted:
            by_dataset.setdefault(dataset, []).append(name)
        return [
            f"{dataset}.{name}"
            for dataset, names in by_dataset.items()
            for name in sorted(set(names) - self._routines(self.dataset(dataset)))
        ]

    def _routines(self, dataset: str) -> set[str]:
        what = f"Listing the routines of {dataset}"
        with explained(what):
            try:
                listed = self.patience.call(
                    what, lambda: list(self.client.list_routines(dataset, retry=NEVER, timeout=CALL_SECONDS))
                )
            except NotFound:
                return set()
        return {routine.routine_id for routine in listed}

    def query(self, sql: str, parameters: Mapping[str, Typed] | None = None, *, what: str = "The query") -> Answer:
        """Runs one job and waits for it; raises DeployerError that begins with `what`. An interrupt cancels the job."""
        labels = {"environment": self.config.environment}
        with explained(what):
            return self.jobs.run(Request(f"sid-{uuid4().hex}", sql, parameters or {}, labels))


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turns what the client raises into a DeployerError: `what` failed, and BigQuery's message."""
    try:
        yield
    except (GoogleAPIError, GoogleAuthError, RequestException, FutureTimeout, OutOfTime) as error:
        raise DeployerError(f"{what} failed: {message_of(error)}") from error


def _client(config: Config) -> bigquery.Client:
    warehouse = config.warehouse
    if warehouse.path is not None:
        return _embedded_client(warehouse.path, warehouse.project, warehouse.location)
    if warehouse.endpoint is not None:
        return bigquery.Client(
            project=warehouse.project,
            location=warehouse.location,
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": warehouse.endpoint},
        )
    with explained(f"Opening project {warehouse.project}"):
        return bigquery.Client(project=warehouse.project, location=warehouse.location)


def _embedded_client(path: Path, project: str, location: str) -> bigquery.Client:
    # A pod that talks to Google never loads the engine.
    import embedded_bigquery

    with _opening(path):
        return embedded_bigquery.connect(path, project=project, location=location)


@contextmanager
def _opening(path: Path | None) -> Iterator[None]:
    """Raises WarehouseInUse, or UsageError for a file that is no warehouse."""
    from embedded_bigquery.duck import DatabaseLocked

    try:
        yield
    except DatabaseLocked as error:
        raise WarehouseInUse(f"{error} Nothing was started.") from error
    except Exception as error:
        # Whatever the engine meets in a file that it cannot read, the file is what the user has to look at.
        first_line = str(error).split("\n", 1)[0]
        raise UsageError(f"{path}: cannot be opened as an embedded warehouse: {first_line}") from error


def serve(
    path: Path | None,
    project: str,
    location: str,
    *,
    host: str,
    port: int,
    allow_remote: bool,
    on_ready: Callable[[str], None],
) -> None:
    """Serves the embedded engine over HTTP until the process is asked to end; in memory when `path` is None.

    Raises UsageError, WarehouseInUse.
    """
    from embedded_bigquery.server import RemoteHost, Server

    try:
        server = Server(host, port, allow_remote=allow_remote)
    except RemoteHost as error:
        raise UsageError(f"{error}; say --allow-remote if they may.") from error
    except (OSError, OverflowError) as error:
        raise UsageError(f"{host}:{port} cannot be listened at: {error}; choose another --port.") from error
    with server:
        with _opening(path):
            server.open(path, project, location)
        server.serve(on_ready)
