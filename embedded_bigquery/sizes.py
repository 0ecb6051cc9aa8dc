"""Logical bytes as BigQuery counts them, as DuckDB text.

Source: "Estimate and control costs", section "Data size calculation".
"""

from __future__ import annotations

from collections.abc import Sequence

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


MEGABYTE = 1 << 20
LEAST_MEGABYTES = 10  # that a query which reads anything is billed


def billed(processed: int) -> int:
    """Bytes that a query is billed for so many that it processed."""
    return 0 if processed == 0 else max(LEAST_MEGABYTES, -(-processed // MEGABYTE)) * MEGABYTE


def bytes_sql(fields: Sequence[Field]) -> str:
    """A DuckDB aggregate over a table: the bytes of these columns."""
    return " + ".join(_column(quoted(field.name), field.type) for field in fields) or "0"


def _column(name: str, kind: Type) -> str:
    if kind.kind in FIXED:
        return f"count({name}) * {FIXED[kind.kind]}"  # a NULL has no size
    return f"coalesce(sum({_size(name, kind)}), 0)"


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
