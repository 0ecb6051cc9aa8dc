"""Text that is known when a statement is translated, as a DuckDB constant of another type.

A constant is what DuckDB prunes and pushes down by; the general conversion, which can fail, is neither.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal

from embedded_bigquery.types import Type

DATE = r"(\d{4})-(\d{1,2})-(\d{1,2})"
CLOCK = r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6}))?)?"
PATTERNS = {
    "DATE": re.compile(DATE),
    "DATETIME": re.compile(f"{DATE}(?:[ Tt]{CLOCK})?"),
    "TIMESTAMP": re.compile(rf"{DATE}(?:[ Tt]{CLOCK})?(?:Z|z| ?UTC|[+-]00?(?::?00)?)?"),
    "TIME": re.compile(CLOCK),
    "INT64": re.compile(r"[+-]?\d{1,18}"),
    "NUMERIC": re.compile(r"[+-]?\d{1,28}(?:\.\d{1,9})?"),
    "FLOAT64": re.compile(r"[+-]?\d{1,15}(?:\.\d{1,15})?"),
}
LITERAL = re.compile(r"'((?:[^']|'')*)'")


def constant(text: str, kind: Type) -> str | None:
    """The value of a DuckDB string literal as a constant of the type; None where the general conversion must decide."""
    literal, pattern = LITERAL.fullmatch(text), PATTERNS.get(kind.kind)
    if literal is None or pattern is None or kind.element is not None:
        return None
    found = pattern.fullmatch(literal[1].strip())
    if found is None:
        return None
    if kind.kind in ("INT64", "NUMERIC", "FLOAT64"):
        return f"CAST({Decimal(found[0]):f} AS {kind.duckdb()})" if not found[0].startswith("-0") else None
    try:
        return _moment(kind.kind, found)
    except ValueError:
        return None


def _moment(kind: str, found: re.Match[str]) -> str:
    groups = found.groups()
    clock = groups if kind == "TIME" else groups[3:] if kind != "DATE" else ()
    hour, minute, second = (int(part or 0) for part in clock[:3]) if clock else (0, 0, 0)
    micros = int((clock[3] or "0").ljust(6, "0")) if clock else 0
    if kind == "TIME":
        return f"TIME '{time(hour, minute, second, micros).isoformat()}'"
    year, month, day = (int(part) for part in groups[:3])
    if kind == "DATE":
        return f"DATE '{date(year, month, day).isoformat()}'"
    text = datetime(year, month, day, hour, minute, second, micros).isoformat(" ")
    return f"TIMESTAMP '{text}'" if kind == "DATETIME" else f"TIMESTAMPTZ '{text}+00'"
