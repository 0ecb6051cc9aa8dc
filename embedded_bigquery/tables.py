"""Datasets, tables and routines made, changed and dropped: DDL statements and API calls both end here.

Each function keeps the DuckDB object and the stored resource in step, in one unit of work.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from embedded_bigquery import checks, decorators
from embedded_bigquery.catalog import STORE, Catalog, Change, Resource, fields_of, now_ms, path_of, row_filter
from embedded_bigquery.decorators import PARTITION_TIME
from embedded_bigquery.duck import Connection, execute
from embedded_bigquery.errors import (
    AccessDenied,
    Duplicate,
    InvalidValue,
    NotFound,
    NotSupported,
    ResourceInUse,
    WrongKind,
)
from embedded_bigquery.schema_changes import Default, Mismatch, Rules, evolved, statements
from embedded_bigquery.sql.environment import TablePath
from embedded_bigquery.types import Field, quoted

KEPT_DROPPED = 10  # datasets that can be brought back, at most
TIME_TRAVEL_HOURS = 168  # in which one can, unless the dataset says otherwise
REPLACING = "_replacing"  # the temporary table for the rows of a table that replaces another one


def shown(path: TablePath) -> str:
    return f"{path.project}:{path.dataset}.{path.name}"


def is_stored(resource: Resource) -> bool:
    """Whether the table has rows of its own."""
    return resource["type"] in ("TABLE", "SNAPSHOT")


# ---- datasets


def create_dataset(catalog: Catalog, connection: Connection, resource: Resource) -> Resource:
    """Raises Duplicate."""
    path = path_of(resource)
    checks.dataset(resource)
    if catalog.dataset(path.project, path.dataset) is not None:
        raise Duplicate(f"Already Exists: Dataset {path.project}:{path.dataset}")
    if path.dataset == STORE:
        raise InvalidValue(f'Invalid dataset ID "{path.dataset}": the engine keeps its metadata there')
    dropped = next((item for item in catalog.dropped(path.project) if path_of(item) == path), None)
    with catalog.change(connection) as change:
        if dropped is not None:
            _purge(catalog, change, dropped)
        execute(connection, f"CREATE SCHEMA IF NOT EXISTS {catalog.duckdb_schema(path.project, path.dataset)}")
        return change.put("DATASET", resource)


def update_dataset(catalog: Catalog, connection: Connection, resource: Resource) -> Resource:
    """Raises InvalidValue."""
    checks.dataset(resource)
    with catalog.change(connection) as change:
        return change.put("DATASET", resource)


def delete_dataset(catalog: Catalog, connection: Connection, project: str, name: str, *, contents: bool) -> None:
    """Raises NotFound, or ResourceInUse when something is in it and `contents` is False.

    Its tables stay where they are for a while, out of sight: `undrop_dataset` brings them back.
    """
    dataset = catalog.required_dataset(project, name)
    held, routines = catalog.tables(project, name), catalog.routines(project, name)
    if (held or routines) and not contents:
        raise ResourceInUse(f"Dataset {project}:{name} is still in use")
    reference = {"datasetReference": dataset["datasetReference"]}
    path = TablePath(project, name, "")
    with catalog.change(connection) as change:
        for table in held:
            change.remove("TABLE", path_of(table))
        for routine in routines:
            change.remove("ROUTINE", path_of(routine))
        change.remove("DATASET", path)
        change.put("DROPPED", {**reference, "dataset": dataset, "tables": held, "routines": routines})
        for old in [item for item in catalog.dropped(project) if path_of(item) != path][: -KEPT_DROPPED + 1 or None]:
            _purge(catalog, change, old)


def undrop_dataset(catalog: Catalog, connection: Connection, project: str, name: str) -> Resource:
    """Brings back a dataset as it was when it was dropped; raises Duplicate, or NotFound when it is gone for good."""
    if catalog.dataset(project, name) is not None:
        raise Duplicate(f"Already Exists: Dataset {project}:{name}")
    path = TablePath(project, name, "")
    dropped = next((item for item in catalog.dropped(project) if path_of(item) == path and not _is_over(item)), None)
    if dropped is None:
        raise NotFound(f"Not found: Dataset {project}:{name} was not found in location {catalog.location}")
    with catalog.change(connection) as change:
        change.remove("DROPPED", path)
        for table in dropped["tables"]:
            change.put("TABLE", table)
        for routine in dropped["routines"]:
            change.put("ROUTINE", routine)
        return change.put("DATASET", dropped["dataset"])


def _is_over(dropped: Resource) -> bool:
    """Whether the time in which a dataset can be brought back is over."""
    hours = int(dropped["dataset"].get("maxTimeTravelHours", TIME_TRAVEL_HOURS))
    return now_ms() - int(dropped["creationTime"]) > hours * 3_600_000


def _purge(catalog: Catalog, change: Change, dropped: Resource) -> None:
    """Takes away what is left of a dataset."""
    path = path_of(dropped)
    for table in dropped["tables"]:
        _drop_rows(catalog, change, table)
    schema = catalog.duckdb_schema(path.project, path.dataset)
    if not schema.endswith('"main"'):  # DuckDB's own can be emptied, but not dropped
        execute(change.connection, f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    change.remove("DROPPED", path)


# ---- tables


def create_table(
    catalog: Catalog,
    connection: Connection,
    resource: Resource,
    *,
    replace: bool = False,
    query: tuple[str, Sequence[Any]] | None = None,
    default: Default | None = None,
    is_copy: bool = False,
) -> Resource:
    """Makes the table or view; `query` is DuckDB text with its binds whose rows it starts with.

    `is_copy`: they are those of a table of the same columns and partitioning, the time of each partition included.
    Raises NotFound (dataset), Duplicate, WrongKind, InvalidValue.
    """
    path = path_of(resource)
    resource = {"type": "TABLE", **resource}
    check(catalog, resource)
    dataset = catalog.required_dataset(path.project, path.dataset)
    existing = catalog.table(path)
    if existing is not None and not replace:
        kind = {"VIEW": "View", "MATERIALIZED_VIEW": "Materialized view"}.get(existing["type"], "Table")
        raise Duplicate(f"Already Exists: {kind} {shown(path)}")
    if existing is not None and existing["type"] != resource["type"]:
        raise WrongKind(shown(path), existing["type"])
    resource = _with_lifetime(resource, dataset)
    if existing is not None and is_stored(resource) and (new := _layout(resource)) != (old := _layout(existing)):
        raise InvalidValue(
            "Cannot replace a table with a different partitioning spec. Instead, DROP the table, and then recreate "
            f"it. New partitioning spec is {new} and existing spec is {old}"
        )
    with catalog.change(connection) as change:
        if existing is not None:
            if query is not None and catalog.duckdb_name(path) in query[0]:  # it reads the table that it replaces
                execute(connection, f"CREATE OR REPLACE TEMP TABLE {REPLACING} AS {query[0]}", query[1])
                query = f"SELECT * FROM temp.main.{REPLACING}", ()
            _drop_stored(catalog, change, existing)
        if is_stored(resource):
            _create_stored(catalog, connection, resource, query, default, is_copy)
        return change.put("TABLE", resource)


def _layout(resource: Resource) -> str:
    """Partitioning and clustering as BigQuery's messages have them."""
    time, numbers = resource.get("timePartitioning"), resource.get("rangePartitioning")
    parts = []
    if time is not None:
        field = f",field:{time['field']}" if time.get("field") else ""
        parts.append(f"interval(type:{time.get('type', 'DAY').lower()}{field})")
    if numbers is not None:
        limits = ",".join(f"{key}:{numbers['range'][key]}" for key in ("start", "end", "interval"))
        parts.append(f"range(type:integer,field:{numbers['field']},{limits})")
    columns = (resource.get("clustering") or {}).get("fields", ())
    if columns:
        parts.append(f"clustering({','.join(columns)})")
    return " ".join(parts) or "none"


def _with_lifetime(resource: Resource, dataset: Resource) -> Resource:
    """The table with the dataset's default expiration, of its partitions if it has some; its own comes first."""
    partitioning = resource.get("timePartitioning")
    of_partitions, of_table = (dataset.get(f"default{what}ExpirationMs") for what in ("Partition", "Table"))
    if partitioning is not None and of_partitions is not None:
        return {**resource, "timePartitioning": {"expirationMs": of_partitions, **partitioning}}
    if of_table is not None and "expirationTime" not in resource:
        return {**resource, "expirationTime": str(now_ms() + int(of_table))}
    return resource


def _create_stored(
    catalog: Catalog,
    connection: Connection,
    resource: Resource,
    query: tuple[str, Sequence[Any]] | None,
    default: Default | None,
    is_copy: bool,
) -> None:
    name, fields = catalog.duckdb_name(path_of(resource)), fields_of(resource)
    columns = [column_definition(field, default) for field in fields]
    partitioning = resource.get("timePartitioning")
    if partitioning is not None and "field" not in partitioning:
        part = {"HOUR": "hour", "MONTH": "month", "YEAR": "year"}.get(partitioning.get("type", "DAY"), "day")
        columns.append(f"{quoted(PARTITION_TIME)} TIMESTAMPTZ DEFAULT date_trunc('{part}', now())")
    # A table without columns is legal in BigQuery's API, not in DuckDB.
    execute(connection, f"CREATE TABLE {name} ({', '.join(columns) or quoted(PARTITION_TIME) + ' TIMESTAMPTZ'})")
    if query is not None:
        text, binds = query
        names = ", ".join(stored_names(resource) if is_copy else [quoted(field.name) for field in fields])
        execute(
            connection, f"INSERT INTO {name} ({names}) {f'SELECT {names} FROM ({text})' if is_copy else text}", binds
        )


def stored_names(resource: Resource) -> list[str]:
    """The columns of the stored table: those of the schema, and the time of its partition that each row has."""
    names = [quoted(field.name) for field in fields_of(resource)]
    partitioning = resource.get("timePartitioning")
    return names if partitioning is None or "field" in partitioning else [*names, quoted(PARTITION_TIME)]


def check(catalog: Catalog, resource: Resource) -> None:
    """Raises InvalidValue, NotSupported or NotFound for a table that cannot be."""
    checks.table(resource)
    for key in (resource.get("tableConstraints") or {}).get("foreignKeys", ()):
        reference = key["referencedTable"]
        path = TablePath(reference.get("projectId", catalog.project), reference["datasetId"], reference["tableId"])
        referenced = resource if path == path_of(resource) else required_table(catalog, path)
        known = {field.name.lower() for field in fields_of(referenced)}
        for pair in key["columnReferences"]:
            if pair["referencedColumn"].lower() not in known:
                raise InvalidValue(f"Column {pair['referencedColumn']} of a key does not exist in table {shown(path)}")


def column_definition(field: Field, default: Default | None = None) -> str:
    """A column as DuckDB's CREATE TABLE has it."""
    text = f"{quoted(field.name)} {field.type.duckdb()}"
    if field.default is not None and default is not None:
        text += f" DEFAULT ({default(field)})"
    return f"{text} NOT NULL" if field.required else text


def required_table(catalog: Catalog, path: TablePath) -> Resource:
    """Raises NotFound (dataset or table)."""
    if "@" in path.name:
        raise NotSupported(f"snapshot decorator in the table name {path.name}")
    found = catalog.table(path)
    if found is None:
        catalog.required_dataset(path.project, path.dataset)
        raise NotFound(f"Not found: Table {shown(path)} was not found in location {catalog.location}")
    return found


def check_source(resource: Resource) -> None:
    """Raises WrongKind or AccessDenied when a job may not read all of its rows as they are stored."""
    path = path_of(resource)
    if not is_stored(resource):
        raise WrongKind(shown(path), resource["type"])
    if row_filter(resource) not in (None, "TRUE"):
        raise AccessDenied(
            f"Access Denied: Table {shown(path)}: User does not have permission to read all rows of table "
            f"{shown(path)}, which has row access policies."
        )


def addressed(catalog: Catalog, path: TablePath) -> tuple[Resource, str]:
    """The table that a name with or without a partition's id means, and its rows as DuckDB text.

    Raises NotFound, InvalidValue.
    """
    whole, partition = decorators.split(path)
    table, name = required_table(catalog, whole), catalog.duckdb_name(whole)
    if partition is None:
        return table, name
    decorated = {**table, "tableReference": {**table["tableReference"], "tableId": path.name}}
    if partition == decorators.SUMMARY:
        found = f"SELECT {decorators.required_identifier_sql(table)} AS partition_id FROM {name} GROUP BY 1 ORDER BY 1"
        schema = {"fields": [{"name": "partition_id", "type": "STRING", "mode": "NULLABLE"}]}
        return {**decorated, "schema": schema}, f"({found})"
    return decorated, f"(SELECT * FROM {name} WHERE {decorators.condition_sql(table, partition)})"


def source_table(catalog: Catalog, reference: dict[str, str]) -> tuple[Resource, str]:
    """The stored table, or partition, that a job is to read, and its rows as DuckDB text.

    Raises NotFound, WrongKind, AccessDenied.
    """
    path = TablePath(reference.get("projectId", catalog.project), reference["datasetId"], reference["tableId"])
    table, relation = addressed(catalog, path)
    check_source(table)
    return table, relation


def drop_table(catalog: Catalog, connection: Connection, path: TablePath) -> None:
    """Raises NotFound."""
    resource = required_table(catalog, path)
    with catalog.change(connection) as change:
        _drop_stored(catalog, change, resource)


def _drop_stored(catalog: Catalog, change: Change, resource: Resource) -> None:
    _drop_rows(catalog, change, resource)
    change.remove("TABLE", path_of(resource))


def _drop_rows(catalog: Catalog, change: Change, resource: Resource) -> None:
    if is_stored(resource):
        execute(change.connection, f"DROP TABLE IF EXISTS {catalog.duckdb_name(path_of(resource))}")


def update_table(
    catalog: Catalog, connection: Connection, resource: Resource, default: Default | None = None
) -> Resource:
    """Stores the changed resource, and changes the stored columns accordingly; raises NotFound, InvalidValue."""
    path = path_of(resource)
    existing = required_table(catalog, path)
    old, new = fields_of(existing), fields_of(resource)
    try:
        fields = evolved(old, new, Rules())
    except Mismatch as mismatch:
        raise InvalidValue(f"Provided Schema does not match Table {shown(path)}. {mismatch}") from mismatch
    changed = {**resource, "schema": {"fields": [field.api() for field in fields]}}
    _check_layout(existing, changed)
    check(catalog, changed)
    with catalog.change(connection) as change:
        for statement in statements(old, fields, partial(column_definition, default=default), default):
            execute(connection, f"ALTER TABLE {catalog.duckdb_name(path)} {statement}")
        return change.put("TABLE", changed)


def _check_layout(old: Resource, new: Resource) -> None:
    """Partitions are where they are: their column and granularity cannot change. Raises InvalidValue."""
    before, after = _partitioned_by(old), _partitioned_by(new)
    if before is None and after is not None:
        raise InvalidValue("Cannot convert non partitioned/clustered table to partitioned/clustered table.")
    if before != after:
        raise InvalidValue("Cannot change partitioning spec for a partitioned table.")


def _partitioned_by(resource: Resource) -> object:
    time = resource.get("timePartitioning")
    return resource.get("rangePartitioning") if time is None else (time.get("type"), time.get("field"))


def alter_table(
    catalog: Catalog,
    connection: Connection,
    resource: Resource,
    statements: Sequence[str],
    old: TablePath | None = None,
) -> Resource:
    """Runs ALTER statements (each what follows ALTER TABLE name) and stores the resource that they lead to.

    `old` is the name before a RENAME.
    """
    path = path_of(resource)
    with catalog.change(connection) as change:
        for statement in statements:
            execute(connection, f"ALTER TABLE {catalog.duckdb_name(old or path)} {statement}")
        if old is not None:
            change.remove("TABLE", old)
        return change.put("TABLE", resource)


# ---- routines


def put_routine(catalog: Catalog, connection: Connection, resource: Resource, *, replace: bool) -> Resource:
    """Raises NotFound (dataset), Duplicate."""
    path = path_of(resource)
    catalog.required_dataset(path.project, path.dataset)
    existing = catalog.routine_resource(path)
    if existing is not None and not replace:
        raise Duplicate(f"Already Exists: Routine {shown(path)}")
    with catalog.change(connection) as change:
        if existing is not None:
            change.remove("ROUTINE", path_of(existing))
            resource = {**resource, "creationTime": existing["creationTime"]}
        return change.put("ROUTINE", resource)


def drop_routine(catalog: Catalog, connection: Connection, path: TablePath) -> None:
    """Raises NotFound."""
    existing = catalog.routine_resource(path)
    if existing is None:
        raise NotFound(f"Not found: Routine {shown(path)} was not found in location {catalog.location}")
    with catalog.change(connection) as change:
        change.remove("ROUTINE", path_of(existing))
