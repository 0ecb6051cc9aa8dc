"""BigQuery on a laptop: the REST API of BigQuery, in process, on a DuckDB file."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

# Whoever uses the engine decides where its log goes.
logging.getLogger(__name__).addHandler(logging.NullHandler())


def connect(path: str | Path | None = None, project: str = "local", location: str = "EU") -> Client:
    """A client of the warehouse in the file at `path`, in memory without one. Closing it frees the file.

    Raises duck.DatabaseLocked when another process has the file open.
    """
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.bigquery import Client

    from embedded_bigquery.api import Api
    from embedded_bigquery.engine import Engine
    from embedded_bigquery.transport import ENDPOINT, session

    return Client(
        project=project,
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        location=location,
        client_options={"api_endpoint": ENDPOINT},
        _http=session(Api(Engine(path, project, location))),
    )
