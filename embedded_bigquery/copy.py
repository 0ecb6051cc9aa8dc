"""What a copy job does."""

from __future__ import annotations

from embedded_bigquery import destination, tables
from embedded_bigquery.catalog import fields_of
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import InvalidValue, NotFound, NotSupported
from embedded_bigquery.jobs import Job, Result
from embedded_bigquery.sql.environment import TablePath
from embedded_bigquery.types import quoted


def run_copy(engine: Engine, job: Job) -> Result:
    """Raises EngineError."""
    config = job.configuration["copy"]
    operation = config.get("operationType", "COPY")
    if operation not in ("COPY", "CLONE"):
        raise NotSupported(f"copy job with operationType {operation}")
    sources = [_table(engine, item) for item in config.get("sourceTables") or [config["sourceTable"]]]
    first = sources[0]
    fields = fields_of(first[1])
    names = ", ".join(quoted(field.name) for field in fields)
    selects = []
    for path, resource in sources:
        if [(field.name, field.type) for field in fields_of(resource)] != [(f.name, f.type) for f in fields]:
            raise InvalidValue(f"The schemas of {tables.shown(first[0])} and {tables.shown(path)} differ")
        selects.append(f"SELECT {names} FROM {engine.catalog.duckdb_name(path)}")
    kept = ("timePartitioning", "rangePartitioning", "clustering", "description", "labels")
    config = {key: first[1][key] for key in kept if key in first[1]} | config
    write = destination.from_configuration(engine.catalog, config, fields, default_write="WRITE_EMPTY")
    destination.check(engine, write)
    with engine.connection() as connection:
        try:
            job.stoppable(connection.interrupt)
            rows = destination.write(engine, connection, write, " UNION ALL ".join(selects))
        finally:
            job.stoppable(None)
    return Result({"copy": {"copiedRows": str(rows.count())}})


def _table(engine: Engine, reference: dict[str, str]) -> tuple[TablePath, dict[str, object]]:
    path = TablePath(reference.get("projectId", engine.catalog.project), reference["datasetId"], reference["tableId"])
    resource = engine.catalog.table(path)
    if resource is None:
        raise NotFound(f"Not found: Table {tables.shown(path)} was not found in location {engine.catalog.location}")
    if resource["type"] != "TABLE":
        raise InvalidValue(f"{tables.shown(path)} is not allowed for this operation because it is not a TABLE")
    return path, resource
