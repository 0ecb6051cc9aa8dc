"""Rows written to the table that a job names: of a query, a load or a copy, by the same dispositions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from embedded_bigquery import checks, decorators, tables
from embedded_bigquery.catalog import Catalog, Resource, fields_of
from embedded_bigquery.decorators import PARTITION_TIME
from embedded_bigquery.duck import Connection, execute, fetch, rollback
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import Duplicate, InvalidValue, NotFound, NotSupported, WrongKind
from embedded_bigquery.locks import Change
from embedded_bigquery.rows import Rows, TableRows
from embedded_bigquery.schema_changes import Mismatch, Rules, evolved
from embedded_bigquery.sql.environment import TablePath
from embedded_bigquery.types import Field, field_from_api, quoted

KEPT_ON_TRUNCATE = ("description", "labels", "friendlyName", "expirationTime", "requirePartitionFilter")
LAYOUT = ("timePartitioning", "rangePartitioning", "clustering")


@dataclass(frozen=True, slots=True)
class Write:
    """Where rows go, and how."""

    path: TablePath
    fields: tuple[Field, ...]  # of the rows
    creates: bool  # the table if there is none
    partition: str | None  # its id, when the rows go into one partition alone
    disposition: str  # WRITE_TRUNCATE, WRITE_TRUNCATE_DATA, WRITE_APPEND or WRITE_EMPTY
    options: frozenset[str]  # schemaUpdateOptions
    table: Resource  # what a new table is to have: partitioning, clustering, description, labels


def from_configuration(
    catalog: Catalog, config: Mapping[str, Any], fields: tuple[Field, ...], *, default_write: str
) -> Write:
    """The write that a job's configuration asks for; raises InvalidValue."""
    reference = config["destinationTable"]
    path, partition = decorators.split(
        TablePath(reference.get("projectId", catalog.project), reference["datasetId"], reference["tableId"])
    )
    disposition = config.get("writeDisposition") or default_write
    options = frozenset(config.get("schemaUpdateOptions", ()))
    if options and not (disposition == "WRITE_APPEND" or (partition is not None and disposition == "WRITE_TRUNCATE")):
        raise InvalidValue(
            "Schema update options should only be specified with WRITE_APPEND disposition, or with WRITE_TRUNCATE "
            "disposition on a table partition."
        )
    table = {key: config[key] for key in LAYOUT if config.get(key)}
    table |= {key: value for key, value in config.get("destinationTableProperties", {}).items() if value is not None}
    return Write(
        path=path,
        fields=fields,
        partition=partition,
        creates=config.get("createDisposition") != "CREATE_NEVER",
        disposition=disposition,
        options=options,
        table=table,
    )


# What a field may have that no query here would honour.
REFUSED = {
    "policyTags": "policy tags",
    "dataPolicies": "data policies",
    "collation": "collation",
    "foreignTypeDefinition": "a foreign type",
}


def checked_fields(resources: Sequence[Mapping[str, Any]]) -> tuple[Field, ...]:
    """The columns of a schema that a client sent; raises InvalidValue or NotSupported."""
    found = tuple(_field(item) for item in resources)
    checks.columns(found)
    return found


def _field(item: Mapping[str, Any]) -> Field:
    for key, what in REFUSED.items():
        if item.get(key) and any(item[key].values() if isinstance(item[key], dict) else item[key]):
            raise NotSupported(f"{what} of column {item['name']}")
    if item.get("roundingMode", "") not in ("", "ROUNDING_MODE_UNSPECIFIED", "ROUND_HALF_AWAY_FROM_ZERO"):
        raise NotSupported(f"rounding mode {item['roundingMode']} of column {item['name']}")
    for inner in item.get("fields", ()):
        _field(inner)
    try:
        return field_from_api(dict(item))
    except KeyError as error:
        raise InvalidValue(f"Invalid value for type: {item['type']} is not a valid value") from error


def check(engine: Engine, write: Write) -> None:
    """Raises NotFound, Duplicate or InvalidValue for what can be told before there are rows."""
    catalog, existing = engine.catalog, engine.catalog.table(write.path)
    catalog.required_dataset(write.path.project, write.path.dataset)
    if existing is None:
        if not write.creates:
            shown = tables.shown(write.path)
            raise NotFound(f"Not found: Table {shown} was not found in location {catalog.location}")
        if write.partition is not None:
            decorators.condition_sql(_new_table(write, None), write.partition)
        return
    if existing["type"] != "TABLE":
        raise WrongKind(tables.shown(write.path), existing["type"])
    if write.partition is not None:
        decorators.condition_sql(existing, write.partition)
    if write.disposition == "WRITE_EMPTY":
        with engine.connection() as connection:
            name = catalog.duckdb_name(write.path)
            where = "true" if write.partition is None else decorators.condition_sql(existing, write.partition)
            if fetch(execute(connection, f"SELECT 1 FROM {name} WHERE {where} LIMIT 1")):
                raise Duplicate(f"Already Exists: Table {_shown_target(write)}")
    elif write.disposition != "WRITE_TRUNCATE" or write.partition is not None:
        appended(existing, write)


def write(
    engine: Engine,
    connection: Connection,
    write: Write,
    query: str,
    binds: Sequence[Any] = (),
    *,
    has_times: bool = False,
) -> Rows:
    """Writes the rows of the DuckDB query, whose columns are the write's fields in their order; all rows or none.

    `has_times`: one more column says to which partition of an ingestion-time partitioned table a row belongs.
    """
    catalog = engine.catalog
    name = catalog.duckdb_name(write.path)
    names = [*(quoted(field.name) for field in write.fields), *([quoted(PARTITION_TIME)] if has_times else [])]
    is_whole = write.partition is None
    with catalog.alone():
        existing = catalog.table(write.path)
        if is_whole and (existing is None or write.disposition == "WRITE_TRUNCATE"):
            rows = (f"FROM ({query})" if has_times else query, binds)
            table = _new_table(write, existing)
            stored = tables.create_table(
                catalog, connection, table, replace=existing is not None, query=rows, is_copy=has_times
            )
            return TableRows(fields_of(stored), name, engine.connection)
        if existing is None:
            existing = tables.create_table(catalog, connection, _new_table(write, None))
        stored = appended(existing, write)
        if stored is not existing:
            stored = tables.update_table(catalog, connection, stored)
    insert = f"INSERT INTO {name} ({', '.join(names)}) {query}"
    if is_whole and write.disposition == "WRITE_APPEND":
        with catalog.locks.changing((str(write.path),), Change.APPENDED):
            execute(connection, insert, binds)
        return TableRows(fields_of(stored), name, engine.connection)
    condition = "true"
    if write.partition is not None:
        condition = decorators.condition_sql(stored, write.partition)
        start = decorators.start_sql(stored, write.partition)
        if start is not None:
            columns = ", ".join([*names, quoted(PARTITION_TIME)])
            insert = f"INSERT INTO {name} ({columns}) SELECT *, {start} FROM ({query})"
    _replace(engine, connection, write, condition, insert, binds)
    shown = name if is_whole else f"(SELECT * FROM {name} WHERE {condition})"
    return TableRows(fields_of(stored), shown, engine.connection)


def _replace(
    engine: Engine, connection: Connection, write: Write, condition: str, insert: str, binds: Sequence[Any]
) -> None:
    """Puts rows where the condition holds, in place of those that are there or beside them."""
    name = engine.catalog.duckdb_name(write.path)
    outside = f"SELECT count(*) FROM {name} WHERE NOT ({condition})"
    # Two that replace a partition come one after the other, as DML statements do.
    with engine.catalog.locks.mutating(str(write.path)):
        check(engine, write)  # of two that want it empty the first one has filled it
        try:
            execute(connection, "BEGIN TRANSACTION")
            if write.disposition in ("WRITE_TRUNCATE", "WRITE_TRUNCATE_DATA"):
                execute(connection, f"DELETE FROM {name} WHERE {condition}")
            before = fetch(execute(connection, outside))
            execute(connection, insert, binds)
            if fetch(execute(connection, outside)) != before:
                problem = "Some rows belong to different partitions rather than destination partition"
                raise InvalidValue(f"{problem} {_shown_target(write)}")
            execute(connection, "COMMIT")
        except BaseException:
            rollback(connection)
            raise


def _shown_target(write: Write) -> str:
    return tables.shown(write.path) + (f"${write.partition}" if write.partition is not None else "")


def _new_table(write: Write, existing: Resource | None) -> Resource:
    table: Resource = {"tableReference": _reference(write.path), "type": "TABLE"}
    if existing is not None:
        table |= {key: existing[key] for key in (*KEPT_ON_TRUNCATE, *LAYOUT, "creationTime") if key in existing}
    return table | write.table | {"schema": {"fields": [field.api() for field in write.fields]}}


def appended(existing: Resource, write: Write) -> Resource:
    """The table once the rows are appended: itself, unless the options allow new or relaxed columns.

    Raises InvalidValue when the rows do not fit.
    """
    adds, relaxes = (option in write.options for option in ("ALLOW_FIELD_ADDITION", "ALLOW_FIELD_RELAXATION"))
    old = fields_of(existing)
    given = tuple(replace(field, required=False) if adds and _is_new(field, old) else field for field in write.fields)
    try:
        fields = evolved(old, given, Rules(adds, relaxes, omits=True))
    except Mismatch as mismatch:
        raise InvalidValue(
            f"Invalid schema update. {mismatch}"
            if "add fields" in str(mismatch)
            else f"Provided Schema does not match Table {tables.shown(write.path)}. {mismatch}"
        ) from mismatch
    return existing if fields == old else {**existing, "schema": {"fields": [field.api() for field in fields]}}


def _is_new(field: Field, columns: Sequence[Field]) -> bool:
    return all(field.name.lower() != column.name.lower() for column in columns)


def _reference(path: TablePath) -> dict[str, str]:
    return {"projectId": path.project, "datasetId": path.dataset, "tableId": path.name}
