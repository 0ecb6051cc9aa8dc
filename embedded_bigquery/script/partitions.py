"""PARTITION BY as the table's resource has it.

Source: "Creating partitioned tables", docs.cloud.google.com/bigquery/docs/creating-partitioned-tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from embedded_bigquery.catalog import Resource
from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.types import Field

NAME = r"`?([A-Za-z_][A-Za-z0-9_]*)`?"
DATED = rf"(?:DATE\s*\(\s*)?{NAME}\s*\)?"
PATTERNS = {
    "plain": rf"{NAME}",
    "date": rf"DATE\s*\(\s*{NAME}\s*\)",
    "trunc": rf"(?:DATE|TIMESTAMP|DATETIME)_TRUNC\s*\(\s*{DATED}\s*,\s*(HOUR|DAY|MONTH|YEAR)\s*\)",
    "range": rf"RANGE_BUCKET\s*\(\s*{NAME}\s*,\s*GENERATE_ARRAY\s*\((.+)\)\s*\)",
}


def partitioning(expression: str, columns: tuple[Field, ...], constant: Callable[[str], Any]) -> Resource:
    """`timePartitioning` or `rangePartitioning` for the text after PARTITION BY; raises InvalidQuery."""
    text = expression.strip()
    for kind, pattern in PATTERNS.items():
        match = re.fullmatch(pattern, text, re.IGNORECASE | re.DOTALL)
        if match is None:
            continue
        if kind == "range":
            return _range(match[1], constant(f"[{match[2]}]"), columns)
        return _time(match[1], match[2].upper() if kind == "trunc" else "DAY", kind, columns)
    raise InvalidQuery(
        "PARTITION BY expression must be DATE(<timestamp_column>), DATE(<datetime_column>), DATE_TRUNC(<date_column>, "
        "MONTH/YEAR), a DATE column, TIMESTAMP_TRUNC(<timestamp_column>, HOUR/DAY/MONTH/YEAR), "
        "DATETIME_TRUNC(<datetime_column>, HOUR/DAY/MONTH/YEAR), or "
        "RANGE_BUCKET(<int64_column>, GENERATE_ARRAY(<int64_value>, <int64_value>[, <int64_value>]))"
    )


def _time(name: str, granularity: str, kind: str, columns: tuple[Field, ...]) -> Resource:
    made: Resource = {"type": granularity}
    if name.upper() in ("_PARTITIONTIME", "_PARTITIONDATE"):
        return {"timePartitioning": made}
    column = _column(name, columns)
    if column.type.kind not in ("DATE", "TIMESTAMP", "DATETIME") or (kind == "plain" and column.type.kind != "DATE"):
        raise InvalidQuery(f"PARTITION BY column {name} has type {column.type}, which this expression cannot partition")
    made["field"] = column.name
    return {"timePartitioning": made}


def _range(name: str, bounds: list[int], columns: tuple[Field, ...]) -> Resource:
    column = _column(name, columns)
    start, end, interval = (*bounds, 1)[:3]
    values = {"start": str(start), "end": str(end), "interval": str(interval)}
    return {"rangePartitioning": {"field": column.name, "range": values}}


def _column(name: str, columns: tuple[Field, ...]) -> Field:
    for column in columns:
        if column.name.lower() == name.lower():
            return column
    raise InvalidQuery(f"Unrecognized name: {name} in PARTITION BY")
