"""One open warehouse: its database file, what exists in it, and its jobs."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from embedded_bigquery import results
from embedded_bigquery.buckets import Buckets
from embedded_bigquery.catalog import Catalog
from embedded_bigquery.duck import Connection, Database
from embedded_bigquery.errors import InvalidValue
from embedded_bigquery.job_rows import job_rows
from embedded_bigquery.jobs import CLOSED, Jobs
from embedded_bigquery.sessions import Sessions

CLOSING_SECONDS = 10.0
KEPT_STREAMED = 100_000


class Recent:
    """The latest of many keys."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._keys: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, key: str | None) -> bool:
        return key in self._keys

    def add(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._keys[key] = None
        while len(self._keys) > self._size:
            self._keys.popitem(last=False)


class Engine:
    def __init__(self, path: str | Path | None, project: str, location: str) -> None:
        """In memory when `path` is None; raises DatabaseLocked when another process has the file open."""
        self.database = Database(path)
        self.catalog = Catalog(self.database, project, location)
        self.jobs = Jobs(location)
        self.catalog.job_rows = partial(job_rows, self.jobs)
        self.catalog.result_table = partial(results.make, self)
        self.buckets = Buckets()
        self.sessions = Sessions(self.database, self.catalog)
        self.streamed = Recent(KEPT_STREAMED)  # rows of insertAll, by table and insertId
        self._lock = threading.Lock()
        self._uploads: Path | None = None
        self._is_closed = False

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection for one request."""
        if self._is_closed:
            raise InvalidValue(CLOSED)
        connection = self.database.cursor()
        try:
            yield connection
        finally:
            connection.close()

    def uploads(self) -> Path:
        """The directory for files that clients send; it goes with the engine."""
        with self._lock:
            if self._is_closed:
                raise InvalidValue(CLOSED)
            if self._uploads is None:
                self._uploads = Path(tempfile.mkdtemp(prefix="embedded_bigquery_"))
            return self._uploads

    def close(self) -> None:
        """Cancels what runs, then gives the file free. Closing twice is harmless."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self.jobs.stop_all(CLOSING_SECONDS)
        self.sessions.close()
        self.database.close()
        if self._uploads is not None:
            shutil.rmtree(self._uploads, ignore_errors=True)
