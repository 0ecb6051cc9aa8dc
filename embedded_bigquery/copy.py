"""What a copy job does: tables, partitions of them, snapshots and clones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from embedded_bigquery import destination, tables
from embedded_bigquery.catalog import Resource, fields_of, path_of
from embedded_bigquery.decorators import PARTITION_TIME
from embedded_bigquery.duck import execute, fetch
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import Duplicate, InvalidValue
from embedded_bigquery.inputs import timestamp
from embedded_bigquery.jobs import Job, Result
from embedded_bigquery.types import quoted

KEPT = ("timePartitioning", "rangePartitioning", "clustering", "description", "labels", "requirePartitionFilter")


def run_copy(engine: Engine, job: Job) -> Result:
    """Raises EngineError."""
    return engine.catalog.anew(lambda: _copy(engine, job))


def _copy(engine: Engine, job: Job) -> Result:
    config = job.configuration["copy"]
    references = config.get("sourceTables") or [ref for ref in (config.get("sourceTable"),) if ref]
    if not references:
        raise InvalidValue("Required parameter is missing: sourceTable")
    first, *others = found = [tables.source_table(engine.catalog, reference) for reference in references]
    resource = first[0]
    fields = fields_of(resource)
    for other, _ in others:
        if [(field.name, field.type) for field in fields_of(other)] != [(f.name, f.type) for f in fields]:
            one, two = tables.shown(path_of(resource)), tables.shown(path_of(other))
            raise InvalidValue(f"The schemas of {one} and {two} differ")
    layout = {key: resource[key] for key in KEPT if key in resource}
    write = destination.from_configuration(engine.catalog, layout | config, fields, default_write="WRITE_EMPTY")
    write = replace(write, table=layout | write.table | _of_operation(engine, config, resource, write))
    destination.check(engine, write)
    # The time of its partition goes with a row, unless it is not told or the job names the partition.
    has_times = write.partition is None and all(
        _has_times(table) for table in (*(t for t, _ in found), _target(engine, write))
    )
    names = ", ".join([*(quoted(field.name) for field in fields), *([quoted(PARTITION_TIME)] if has_times else [])])
    query = " UNION ALL ".join(f"SELECT {names} FROM {relation}" for _, relation in found)
    with engine.connection() as connection:
        try:
            job.stoppable(connection.interrupt)
            counts = " + ".join(f"(SELECT count(*) FROM {relation})" for _, relation in found)
            [(copied,)] = fetch(execute(connection, f"SELECT {counts}"))
            destination.write(engine, connection, write, query, has_times=has_times)
        finally:
            job.stoppable(None)
    return Result({"copy": {"copiedRows": str(copied)}})


def _has_times(resource: Resource) -> bool:
    return quoted(PARTITION_TIME) in tables.stored_names(resource)


def _target(engine: Engine, write: destination.Write) -> Resource:
    existing = engine.catalog.table(write.path)
    if existing is None or write.disposition == "WRITE_TRUNCATE":
        return write.table | {"schema": {"fields": []}}
    return existing


def _of_operation(engine: Engine, config: dict[str, Any], source: Resource, write: destination.Write) -> Resource:
    """What the new table has for being a snapshot or a clone; raises Duplicate or InvalidValue."""
    operation = config.get("operationType", "COPY").replace("OPERATION_TYPE_UNSPECIFIED", "COPY")
    is_snapshot = source["type"] == "SNAPSHOT"
    if operation == "RESTORE" and not is_snapshot:
        raise InvalidValue(
            f"Only a snapshot can be restored, and {tables.shown(path_of(source))} is a {source['type']}"
        )
    if operation == "COPY":
        return {}
    if engine.catalog.table(write.path) is not None:
        raise Duplicate(f"Already Exists: Table {tables.shown(write.path)}")
    made: Resource = {}
    if operation in ("SNAPSHOT", "CLONE"):
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        kind = operation.lower()
        made[f"{kind}Definition"] = {"baseTableReference": source["tableReference"], f"{kind}Time": now}
    if operation == "SNAPSHOT":
        made["type"] = "SNAPSHOT"
    if config.get("destinationExpirationTime"):
        try:
            expires = timestamp(config["destinationExpirationTime"])
        except ValueError as error:
            raise InvalidValue(f"Invalid destinationExpirationTime: {config['destinationExpirationTime']}") from error
        made["expirationTime"] = str(int(expires.timestamp() * 1000))
    return made
