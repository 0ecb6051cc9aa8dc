"""The sessions of an engine: one for each job, unless the client made one that outlives its jobs."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from embedded_bigquery.catalog import Catalog
from embedded_bigquery.duck import Database
from embedded_bigquery.errors import InvalidValue, NotFound

if TYPE_CHECKING:
    from embedded_bigquery.script.session import Session

# Connection properties that set a system variable of the session.
SETTINGS = ("time_zone", "query_label", "dataset_id", "dataset_project_id")


class Sessions:
    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._database, self._catalog = database, catalog
        self._lock = threading.Lock()
        self._sessions: dict[str, tuple[Session, threading.Lock]] = {}

    @contextmanager
    def of_query(self, configuration: Mapping[str, Any]) -> Iterator[tuple[Session, str | None]]:
        """The session that a query's configuration asks for, and its id when it outlives the job.

        The jobs of one session run one after another. Raises NotFound and InvalidValue.
        """
        properties = {item["key"]: item.get("value") for item in configuration.get("connectionProperties", ())}
        dataset = configuration.get("defaultDataset")
        default = None if dataset is None else (dataset.get("projectId", self._catalog.project), dataset["datasetId"])
        id = properties.pop("session_id", None)
        if id is None and configuration.get("createSession"):
            id = self._create()
        if id is None:
            session, lock = self._made(), threading.Lock()
        elif id in self._sessions:
            session, lock = self._sessions[id]
        else:
            raise NotFound(f"Not found: Session {id}")
        with lock:
            if session.is_aborted:
                raise InvalidValue(f"Session {id} is terminated and cannot be used any more")
            session.resume()
            try:
                if default is not None:
                    session.set_default_dataset(default)
                for key, value in properties.items():
                    if key not in SETTINGS:
                        known = ", ".join(("session_id", *SETTINGS))
                        raise InvalidValue(f"Unknown connection property: {key}; known: {known}")
                    session.settings[key] = value
                yield session, id
            finally:
                if id is None:
                    session.close()

    def _made(self) -> Session:
        from embedded_bigquery.script.session import Session

        return Session(self._database, self._catalog)

    def _create(self) -> str:
        id = uuid.uuid4().hex
        session = self._made()
        session.outlives_jobs = True
        with self._lock:
            self._sessions[id] = (session, threading.Lock())
        return id

    def close(self) -> None:
        with self._lock:
            for session, _ in self._sessions.values():
                session.close()
            self._sessions.clear()
