"""The size of tables: rows, and logical bytes as BigQuery counts them.

Source: "Estimate and control costs", section "Data size calculation".
"""

from __future__ import annotations

from collections.abc import Sequence

from embedded_bigquery.catalog import Resource, fields_of, path_of
from embedded_bigquery.duck import execute, fetch
from embedded_bigquery.engine import Engine
from embedded_bigquery.types import Field, Type, quoted

FIXED = {
    "INT64": 8,
    "FLOAT64": 8,
    "NUMERIC": 16,
    "BIGNUMERIC": 32,
    "BOOL": 1,
    "DATE": 8,
    "DATETIME": 8,
    "TIME": 8,
    "TIMESTAMP": 8,
    "INTERVAL": 16,
}


def measured(engine: Engine, resource: Resource) -> tuple[int, int]:
    """Rows and logical bytes of a stored table."""
    name = engine.catalog.duckdb_name(path_of(resource))
    with engine.connection() as connection:
        [(rows, size)] = fetch(execute(connection, f"SELECT count(*), {bytes_sql(fields_of(resource))} FROM {name}"))
    return int(rows), int(size or 0)


def bytes_sql(fields: Sequence[Field]) -> str:
    """A DuckDB aggregate over a table: the bytes of these columns; NULL when there are no rows."""
    return " + ".join(f"sum({_size(quoted(field.name), field.type)})" for field in fields) or "0"


def _size(value: str, kind: Type, depth: int = 0) -> str:
    if kind.is_array and kind.element is not None:
        item = f"v{depth}"
        inner = f"list_transform({value}, lambda {item}: {_size(item, kind.element, depth + 1)})"
        return f"coalesce(list_sum({inner}), 0)"
    if kind.is_struct:
        parts = (_size(f"({value}).{quoted(name)}", field.type, depth) for name, field in kind.storage_fields())
        return f"({' + '.join(parts) or '0'})"
    if kind.element is not None:
        return f"CASE WHEN {value} IS NULL THEN 0 ELSE {2 * FIXED[kind.element.kind]} END"
    if kind.kind in FIXED:
        return f"CASE WHEN {value} IS NULL THEN 0 ELSE {FIXED[kind.kind]} END"
    measured = f"octet_length({value})" if kind.kind == "BYTES" else f"strlen(CAST({value} AS VARCHAR))"
    return f"coalesce(2 + {measured}, 0)"
