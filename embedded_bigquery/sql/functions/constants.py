"""Text that is known when a statement is translated, as a DuckDB constant of another type.

A constant is what DuckDB prunes and pushes down by; the general conversion, which can fail, is neither.
"""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from decimal import Decimal

from embedded_bigquery.natives import points
from embedded_bigquery.natives.decimals import from_text
from embedded_bigquery.sql.functions.duckdb_text import instant_of, literal, zone_or_default
from embedded_bigquery.types import Type

NUMBERS = {
    "INT64": re.compile(r"\s*[+-]?\d{1,18}\s*"),
    "NUMERIC": re.compile(r"\s*[+-]?\d{1,28}(?:\.\d{1,9})?\s*"),
    "FLOAT64": re.compile(r"\s*[+-]?\d{1,15}(?:\.\d{1,15})?\s*"),
}
LITERAL = re.compile(r"'((?:[^']|'')*)'")


def constant(text: str, kind: Type, zone: str | None = None) -> str | None:
    """The value of a DuckDB string literal as a constant of the type; None where the general conversion must decide.

    A local time stands in `zone` (DuckDB text).
    """
    found = LITERAL.fullmatch(text)
    if found is None:
        return None
    value = found[1].replace("''", "'")
    if kind.kind in NUMBERS:
        if not NUMBERS[kind.kind].fullmatch(value) or value.lstrip().startswith("-0"):
            return None
        return f"CAST({Decimal(value.strip()):f} AS {kind.duckdb()})"
    try:
        if kind.kind == "BIGNUMERIC":
            return f"CAST('{from_text(value)}' AS BIGNUM)"
        return _point(value, kind.kind, zone)
    except ValueError:
        return None


def _point(value: str, kind: str, zone: str | None) -> str | None:
    if kind == "DATE":
        return f"DATE '{points.to_date(value).isoformat()}'"
    if kind == "TIME":
        return f"TIME '{points.to_time(value).isoformat()}'"
    if kind == "DATETIME":
        return f"TIMESTAMP '{points.to_datetime(value).isoformat(' ')}'"
    if kind != "TIMESTAMP":
        return None
    found, zone = points.to_timestamp(value), zone_or_default(zone)
    local, minutes, named = found["local"], found["minutes"], found["zone"]
    if named is not None or (minutes is None and zone is not None):
        return instant_of(zone if named is None else literal(named), f"TIMESTAMP '{local.isoformat(' ')}'")
    instant = local.replace(tzinfo=UTC) - timedelta(minutes=minutes or 0)
    return f"TIMESTAMPTZ '{instant.isoformat(' ')}'"
