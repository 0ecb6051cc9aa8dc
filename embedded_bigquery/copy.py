"""What a copy job does."""

from __future__ import annotations

from embedded_bigquery import destination, tables
from embedded_bigquery.catalog import fields_of, path_of
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import InvalidValue, NotSupported
from embedded_bigquery.jobs import Job, Result
from embedded_bigquery.types import quoted


def run_copy(engine: Engine, job: Job) -> Result:
    """Raises EngineError."""
    config = job.configuration["copy"]
    operation = config.get("operationType", "COPY")
    if operation not in ("COPY", "CLONE"):
        raise NotSupported(f"copy job with operationType {operation}")
    references = config.get("sourceTables") or [config["sourceTable"]]
    first, *others = sources = [tables.source_table(engine.catalog, reference) for reference in references]
    fields = fields_of(first)
    names = ", ".join(quoted(field.name) for field in fields)
    for other in others:
        if [(field.name, field.type) for field in fields_of(other)] != [(f.name, f.type) for f in fields]:
            one, two = tables.shown(path_of(first)), tables.shown(path_of(other))
            raise InvalidValue(f"The schemas of {one} and {two} differ")
    selects = [f"SELECT {names} FROM {engine.catalog.duckdb_name(path_of(source))}" for source in sources]
    kept = ("timePartitioning", "rangePartitioning", "clustering", "description", "labels")
    config = {key: first[key] for key in kept if key in first} | config
    write = destination.from_configuration(engine.catalog, config, fields, default_write="WRITE_EMPTY")
    destination.check(engine, write)
    with engine.connection() as connection:
        try:
            job.stoppable(connection.interrupt)
            rows = destination.write(engine, connection, write, " UNION ALL ".join(selects))
        finally:
            job.stoppable(None)
    return Result({"copy": {"copiedRows": str(rows.count())}})
