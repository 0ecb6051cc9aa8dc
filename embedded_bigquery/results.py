"""The rows of a query as the table that BigQuery keeps them in for a day: made when somebody asks for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from embedded_bigquery import tables
from embedded_bigquery.catalog import RESULTS, Resource, now_ms
from embedded_bigquery.duck import Connection, execute
from embedded_bigquery.jobs import Job
from embedded_bigquery.rows import MemoryRows
from embedded_bigquery.sql.environment import TablePath
from embedded_bigquery.types import quoted
from embedded_bigquery.values import to_duckdb

if TYPE_CHECKING:
    from embedded_bigquery.engine import Engine

LIFETIME_MS = 86_400_000
AT_ONCE = 500  # rows an INSERT


def destination(job: Job) -> dict[str, str] | None:
    """The reference of the table that a job's rows went to; None when it gave none."""
    config = job.configuration.get(job.configuration["jobType"].lower(), {})
    if "destinationTable" in config:
        return dict(config["destinationTable"])
    if job.result is None:
        return None
    path = job.result.target
    if path is None and job.result.statistics.get("query", {}).get("statementType") == "SELECT":
        path = TablePath(job.project, RESULTS, _name(job))
    return None if path is None else {"projectId": path.project, "datasetId": path.dataset, "tableId": path.name}


def _name(job: Job) -> str:
    return f"anon{re.sub('[^A-Za-z0-9]', '_', job.id)}"


def make(engine: Engine, path: TablePath) -> Resource | None:
    """The table of a query's rows, if they are still kept."""
    jobs = engine.jobs.known(path.project)
    job = next((job for job in reversed(jobs) if _name(job) == path.name and job.result is not None), None)
    if job is None or job.result is None or not isinstance(job.result.rows, MemoryRows):
        return None
    rows = job.result.rows
    table: Resource = {
        "tableReference": {"projectId": path.project, "datasetId": path.dataset, "tableId": path.name},
        "schema": {"fields": [field.api() for field in rows.fields]},
        "expirationTime": str(now_ms() + LIFETIME_MS),
    }
    with engine.connection() as connection:
        if engine.catalog.dataset(path.project, RESULTS) is None:
            reference = {"projectId": path.project, "datasetId": RESULTS}
            tables.create_dataset(engine.catalog, connection, {"datasetReference": reference})
        made = tables.create_table(engine.catalog, connection, table)
        _fill(connection, engine.catalog.duckdb_name(path), rows)
    return made


def _fill(connection: Connection, name: str, rows: MemoryRows) -> None:
    marks = f"({', '.join(f'CAST(? AS {field.type.duckdb()})' for field in rows.fields)})"
    names = ", ".join(quoted(field.name) for field in rows.fields)
    for start in range(0, len(rows.rows), AT_ONCE):
        part = rows.rows[start : start + AT_ONCE]
        values = ", ".join([marks] * len(part))
        binds = [to_duckdb(value, field.type) for row in part for value, field in zip(row, rows.fields, strict=True)]
        execute(connection, f"INSERT INTO {name} ({names}) VALUES {values}", binds)
