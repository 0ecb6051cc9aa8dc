"""INFORMATION_SCHEMA: the catalog as views, one function a view.

Source: "Introduction to INFORMATION_SCHEMA" and the page of each view, docs.cloud.google.com/bigquery/docs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from embedded_bigquery import jobs_view
from embedded_bigquery.catalog import Catalog, Resource, fields_of, path_of, routine_of
from embedded_bigquery.ddl_text import column_type, option_rows, routine_ddl, table_ddl
from embedded_bigquery.decorators import identifier_sql
from embedded_bigquery.errors import NotFound
from embedded_bigquery.sizes import bytes_sql
from embedded_bigquery.sql.environment import Relation, TablePath
from embedded_bigquery.sql.functions.duckdb_text import literal
from embedded_bigquery.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP, Field, Type, quoted

NAME, LEGACY = "INFORMATION_SCHEMA", "__TABLES__"
Row = dict[str, Any]
Where = tuple[Catalog, str, str | None]  # catalog, project, dataset (None: all of the project)
KINDS = {"INT64": INT64, "BOOL": BOOL, "TIMESTAMP": TIMESTAMP, "FLOAT64": FLOAT64}


def relation(catalog: Catalog, parts: tuple[str, ...]) -> Relation | None:
    """The view that a path such as (project, dataset, INFORMATION_SCHEMA, TABLES) means; None for other paths.

    Raises NotFound for a view or dataset that does not exist.
    """
    upper = [part.upper() for part in parts]
    if upper[-1] == LEGACY:
        before, view = parts[:-1], LEGACY
    elif NAME in upper[:-1]:
        position = upper.index(NAME)
        before, view = parts[:position], upper[position + 1]
    else:
        return None
    region = next((part for part in before if part.lower().startswith("region-")), None)
    names = [part for part in before if part is not region]
    dataset = None if region is not None or not names else names[-1]
    project = names[0] if len(names) > (dataset is not None) else catalog.project
    if dataset is not None:
        catalog.required_dataset(project, dataset)
    path = TablePath(project, dataset or "", f"{NAME}.{view}")
    if view in jobs_view.VIEWS:
        return Relation(path, jobs_view.fields(view), jobs_view.sql(view, catalog.job_rows(project)), kind=NAME)
    if view not in VIEWS:
        raise NotFound(f"Not found: Table {'.'.join(parts)} was not found in location {catalog.location}")
    columns, rows = VIEWS[view]
    fields = tuple(_field(text) for text in columns.split())
    where = (catalog, project, dataset)
    found = rows(where)
    sql = found if isinstance(found, str) else _values(fields, found)
    return Relation(path, fields, sql, kind=NAME)


def _field(text: str) -> Field:
    name, _, kind = text.partition(":")
    return Field(name, KINDS.get(kind, STRING))


def _values(fields: tuple[Field, ...], rows: Iterator[Row]) -> str:
    """The rows as a DuckDB subquery."""
    lines = [", ".join(_constant(row.get(field.name), field.type) for field in fields) for row in rows]
    selected = ", ".join(
        f"CAST({quoted(field.name)} AS {field.type.duckdb()}) AS {quoted(field.name)}" for field in fields
    )
    names = ", ".join(quoted(field.name) for field in fields)
    nothing = f"({', '.join('NULL' for _ in fields)})"
    values = ", ".join(f"({line})" for line in lines) or nothing
    return f"(SELECT {selected} FROM (VALUES {values}) AS v({names}){'' if lines else ' WHERE FALSE'})"


def _constant(value: Any, kind: Type) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool | int | float) and kind != STRING:
        return str(value)
    return literal(str(value))


def _yes(value: object) -> str:
    return "YES" if value else "NO"


def _time(milliseconds: str | None) -> str | None:
    return None if milliseconds is None else datetime.fromtimestamp(int(milliseconds) / 1000, UTC).isoformat()


def _datasets(where: Where) -> list[Resource]:
    catalog, project, dataset = where
    return catalog.datasets(project) if dataset is None else [catalog.required_dataset(project, dataset)]


def _tables(where: Where) -> Iterator[tuple[Row, Resource]]:
    catalog, project, _ = where
    for dataset in _datasets(where):
        for table in catalog.tables(project, path_of(dataset).dataset):
            path = path_of(table)
            names = {"table_catalog": path.project, "table_schema": path.dataset, "table_name": path.name}
            yield names, table


def _routines(where: Where) -> Iterator[tuple[Row, Resource]]:
    catalog, project, _ = where
    for dataset in _datasets(where):
        for routine in catalog.routines(project, path_of(dataset).dataset):
            path = path_of(routine)
            names = {"specific_catalog": path.project, "specific_schema": path.dataset, "specific_name": path.name}
            yield names, routine


def _schemata(where: Where) -> Iterator[Row]:
    for dataset in _datasets(where):
        path = path_of(dataset)
        yield {
            "catalog_name": path.project,
            "schema_name": path.dataset,
            "creation_time": _time(dataset.get("creationTime")),
            "last_modified_time": _time(dataset.get("lastModifiedTime")),
            "location": dataset.get("location") or where[0].location,
        }


def _schemata_options(where: Where) -> Iterator[Row]:
    for dataset in _datasets(where):
        path = path_of(dataset)
        for option in option_rows(dataset):
            yield {"catalog_name": path.project, "schema_name": path.dataset, **option}


def _table_rows(where: Where) -> Iterator[Row]:
    kinds = {"TABLE": "BASE TABLE", "MATERIALIZED_VIEW": "MATERIALIZED VIEW"}
    for names, table in _tables(where):
        kind = kinds.get(table["type"], table["type"])
        yield {
            **names,
            "table_type": kind,
            "is_insertable_into": _yes(kind == "BASE TABLE"),
            "is_typed": "NO",
            "is_change_history_enabled": "NO",
            "creation_time": _time(table.get("creationTime")),
            "ddl": table_ddl(table),
        }


def _table_options(where: Where) -> Iterator[Row]:
    for names, table in _tables(where):
        for option in option_rows(table):
            yield {**names, **option}


def _columns(where: Where) -> Iterator[Row]:
    for names, table in _tables(where):
        partition = (table.get("timePartitioning") or {}).get("field")
        partition = partition or (table.get("rangePartitioning") or {}).get("field")
        cluster = (table.get("clustering") or {}).get("fields", [])
        for position, field in enumerate(fields_of(table), 1):
            yield {
                **names,
                "column_name": field.name,
                "ordinal_position": position,
                "is_nullable": _yes(not field.required),
                "data_type": column_type(field),
                "is_generated": "NEVER",
                "is_hidden": "NO",
                "is_system_defined": "NO",
                "is_partitioning_column": _yes(field.name == partition),
                "clustering_ordinal_position": cluster.index(field.name) + 1 if field.name in cluster else None,
                "collation_name": "NULL",
                "column_default": field.default or "NULL",
            }


def _field_paths(where: Where) -> Iterator[Row]:
    for names, table in _tables(where):
        for field in fields_of(table):
            for path, member in _paths(field):
                yield {
                    **names,
                    "column_name": field.name,
                    "field_path": path,
                    "data_type": column_type(member),
                    "description": member.description,
                    "collation_name": "NULL",
                }


def _paths(field: Field, prefix: str = "") -> Iterator[tuple[str, Field]]:
    path = f"{prefix}{field.name}"
    yield path, field
    inner = field.type.element if field.type.is_array else field.type
    for member in inner.fields if inner is not None else ():
        yield from _paths(member, f"{path}.")


def _views(where: Where) -> Iterator[Row]:
    for names, table in _tables(where):
        if table["type"] == "VIEW":
            yield {**names, "view_definition": table["view"]["query"], "use_standard_sql": "YES"}


def _partitions(where: Where) -> str:
    """DuckDB text, since the rows of each partition are counted when it is asked."""
    parts = []
    for names, table in _tables(where):
        if table["type"] != "TABLE":
            continue
        partition = identifier_sql(table)
        identifier = partition or "CAST(NULL AS VARCHAR)"
        values = ", ".join(literal(names[key]) for key in ("table_catalog", "table_schema", "table_name"))
        grouped = "" if partition is None else " GROUP BY 4"
        changed = literal(_time(table.get("lastModifiedTime")) or "")
        parts.append(
            f"SELECT {values}, {identifier}, {_measured(table)}, CAST({changed} AS TIMESTAMPTZ), 'ACTIVE' "
            f"FROM {where[0].duckdb_name(path_of(table))}{grouped}"
        )
    nothing = "SELECT '', '', '', '', 0, 0, now(), '' WHERE FALSE"
    names_of = "table_catalog, table_schema, table_name, partition_id, total_rows, total_logical_bytes"
    return (
        f"(SELECT * FROM ({' UNION ALL '.join(parts) or nothing}) AS v({names_of}, last_modified_time, storage_tier))"
    )


def _measured(table: Resource) -> str:
    """Rows and logical bytes."""
    return f"count(*), CAST({bytes_sql(fields_of(table))} AS BIGINT)"


def _legacy_tables(where: Where) -> str:
    """__TABLES__, which counts the rows of each table."""
    parts = []
    for names, table in _tables(where):
        kind = {"TABLE": 1, "VIEW": 2, "EXTERNAL": 3, "MATERIALIZED_VIEW": 4}.get(table["type"], 1)
        counted = f"SELECT {_measured(table)} FROM {where[0].duckdb_name(path_of(table))}"
        values = ", ".join(literal(names[key]) for key in ("table_catalog", "table_schema", "table_name"))
        times = f"{table['creationTime']}, {table['lastModifiedTime']}"
        counts = f"({counted}) AS c(rows, bytes)" if kind == 1 else "(SELECT 0, 0) AS c(rows, bytes)"
        parts.append(f"SELECT {values}, {times}, rows, bytes, {kind} FROM {counts}")
    nothing = "SELECT '', '', '', 0, 0, 0, 0, 0 WHERE FALSE"
    columns = "project_id, dataset_id, table_id, creation_time, last_modified_time, row_count, size_bytes, type"
    return f"(SELECT * FROM ({' UNION ALL '.join(parts) or nothing}) AS v({columns}))"


def _routine_rows(where: Where) -> Iterator[Row]:
    kinds = {"SCALAR_FUNCTION": "FUNCTION", "TABLE_VALUED_FUNCTION": "TABLE FUNCTION"}
    for names, resource in _routines(where):
        routine = routine_of(resource)
        external = routine.language != "SQL"
        yield {
            **names,
            **{key.replace("specific", "routine"): value for key, value in names.items()},
            "routine_type": kinds.get(routine.kind, routine.kind.replace("_", " ")),
            "data_type": routine.returns.sql() if routine.returns else None,
            "routine_body": "EXTERNAL" if external else "SQL",
            "routine_definition": routine.body,
            "external_language": routine.language if external else None,
            "is_deterministic": None,
            "security_type": None,
            "created": _time(resource.get("creationTime")),
            "last_altered": _time(resource.get("lastModifiedTime")),
            "ddl": routine_ddl(resource),
        }


def _parameters(where: Where) -> Iterator[Row]:
    for names, resource in _routines(where):
        routine = routine_of(resource)
        if routine.returns is not None:
            yield {**names, "ordinal_position": 0, "is_result": "YES", "data_type": routine.returns.sql()}
        for position, argument in enumerate(routine.arguments, 1):
            yield {
                **names,
                "ordinal_position": position,
                "parameter_mode": argument.mode if routine.kind == "PROCEDURE" else None,
                "is_result": "NO",
                "parameter_name": argument.name,
                "data_type": argument.type.sql() if argument.type else "ANY TYPE",
                "is_aggregate": None,
            }


def _keys(where: Where) -> Iterator[tuple[Row, str, list[tuple[str, str]]]]:
    """Each key: what all its rows share, its type, and (referencing, referenced) columns."""
    for names, table in _tables(where):
        constraints = table.get("tableConstraints") or {}
        primary = constraints.get("primaryKey")
        found = [("pk$", "PRIMARY KEY", [(column, column) for column in primary["columns"]])] if primary else []
        for key in constraints.get("foreignKeys", ()):
            pairs = [(pair["referencingColumn"], pair["referencedColumn"]) for pair in key["columnReferences"]]
            found.append((key["name"], "FOREIGN KEY", pairs))
        for name, kind, pairs in found:
            shared = {
                **names,
                "constraint_catalog": names["table_catalog"],
                "constraint_schema": names["table_schema"],
                "constraint_name": f"{names['table_name']}.{name}",
            }
            yield shared, kind, pairs


def _constraints(where: Where) -> Iterator[Row]:
    for shared, kind, _ in _keys(where):
        fixed = {"is_deferrable": "NO", "initially_deferred": "NO", "enforced": "NO"}
        yield {**shared, **fixed, "constraint_type": kind}


def _key_columns(where: Where) -> Iterator[Row]:
    for shared, kind, pairs in _keys(where):
        for position, (column, _) in enumerate(pairs, 1):
            foreign = position if kind == "FOREIGN KEY" else None
            yield {
                **shared,
                "column_name": column,
                "ordinal_position": position,
                "position_in_unique_constraint": foreign,
            }


TABLE = "table_catalog table_schema table_name"
OPTION = "option_name option_type option_value"
SPECIFIC = "specific_catalog specific_schema specific_name"
CONSTRAINT = "constraint_catalog constraint_schema constraint_name"
VIEWS: dict[str, tuple[str, Callable[[Where], Any]]] = {
    "SCHEMATA": (
        "catalog_name schema_name schema_owner creation_time:TIMESTAMP last_modified_time:TIMESTAMP location ddl",
        _schemata,
    ),
    "SCHEMATA_OPTIONS": (f"catalog_name schema_name {OPTION}", _schemata_options),
    "TABLES": (
        f"{TABLE} table_type is_insertable_into is_typed is_change_history_enabled creation_time:TIMESTAMP ddl",
        _table_rows,
    ),
    "TABLE_OPTIONS": (f"{TABLE} {OPTION}", _table_options),
    "COLUMNS": (
        f"{TABLE} column_name ordinal_position:INT64 is_nullable data_type is_generated generation_expression "
        "is_stored is_hidden is_updatable is_system_defined is_partitioning_column clustering_ordinal_position:INT64 "
        "collation_name column_default rounding_mode",
        _columns,
    ),
    "COLUMN_FIELD_PATHS": (
        f"{TABLE} column_name field_path data_type description collation_name rounding_mode",
        _field_paths,
    ),
    "VIEWS": (f"{TABLE} view_definition check_option use_standard_sql", _views),
    "PARTITIONS": (
        f"{TABLE} partition_id total_rows:INT64 total_logical_bytes:INT64 last_modified_time:TIMESTAMP storage_tier",
        _partitions,
    ),
    LEGACY: (
        "project_id dataset_id table_id creation_time:INT64 last_modified_time:INT64 row_count:INT64 size_bytes:INT64 "
        "type:INT64",
        _legacy_tables,
    ),
    "ROUTINES": (
        f"{SPECIFIC} routine_catalog routine_schema routine_name routine_type data_type routine_body "
        "routine_definition external_language is_deterministic security_type created:TIMESTAMP "
        "last_altered:TIMESTAMP ddl",
        _routine_rows,
    ),
    "PARAMETERS": (
        f"{SPECIFIC} ordinal_position:INT64 parameter_mode is_result parameter_name data_type parameter_default "
        "is_aggregate",
        _parameters,
    ),
    "TABLE_CONSTRAINTS": (
        f"{CONSTRAINT} {TABLE} constraint_type is_deferrable initially_deferred enforced",
        _constraints,
    ),
    "KEY_COLUMN_USAGE": (
        f"{CONSTRAINT} {TABLE} column_name ordinal_position:INT64 position_in_unique_constraint:INT64",
        _key_columns,
    ),
    "CONSTRAINT_COLUMN_USAGE": (f"{TABLE} column_name {CONSTRAINT}", _key_columns),
}
