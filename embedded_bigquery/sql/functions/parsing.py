"""CAST of STRING to the other scalar types, as DuckDB text.

What DuckDB reads as BigQuery does, it reads; for the rest, and for the message, there is Python.
"""

from __future__ import annotations

from embedded_bigquery.sql.functions.duckdb_text import fail, instant_of, let
from embedded_bigquery.types import Type

NUMBERS = {
    "INT64": (r"\s*[+-]?(\d+|0[xX][0-9a-fA-F]+)\s*", "Bad int64 value: "),
    "FLOAT64": (
        r"\s*[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[iI][nN][fF]([iI][nN][iI][tT][yY])?|[nN][aA][nN])\s*",
        "Bad double value: ",
    ),
    "NUMERIC": (r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", "Invalid NUMERIC value: "),
}
# DuckDB has a year 0 and an hour 24.
DAY = r"(000[1-9]|00[1-9]\d|0[1-9]\d{2}|[1-9]\d{3})-\d{2}-\d{2}"
CLOCK = r"([01]\d|2[0-3]):\d{2}:\d{2}(\.\d{1,6})?"
# The forms that DuckDB reads without doubt.
PLAIN = {
    "DATE": DAY,
    "DATETIME": rf"{DAY}([ T]{CLOCK})?",
    "TIME": CLOCK,
    "TIMESTAMP": rf"{DAY} {CLOCK}([+-]\d{{2}}(:\d{{2}})?)",
}


def from_string(text: str, target: Type, safe: bool, zone: str | None) -> str:
    """`text` is a name or a literal: it is repeated. A local time stands in `zone`."""
    kind = target.kind
    if kind in PLAIN:
        return _point(text, kind, target, safe, zone)
    if kind == "BIGNUMERIC":
        return f"TRY(bq_big({text}))" if safe else f"bq_big({text})"
    if kind == "BYTES":
        return f"encode({text})"
    if kind == "BOOL":
        return (
            f"CASE lower({text}) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE "
            f"ELSE {unless_null(text, f'{chr(39)}Bad bool value: {chr(39)} || {text}', safe)} END"
        )
    pattern, words = NUMBERS[kind]
    message = f"'{words}' || {text}"
    value = f"coalesce({_number(text, target)}, {fail(message, safe=safe)})"
    return f"CASE WHEN regexp_full_match({text}, '{pattern}') THEN {value} ELSE {unless_null(text, message, safe)} END"


def unless_null(text: str, message: str, safe: bool) -> str:
    return "NULL" if safe else f"CASE WHEN {text} IS NOT NULL THEN {fail(message)} END"


def _number(text: str, target: Type) -> str:
    if target.kind != "INT64":
        return f"TRY_CAST(trim({text}) AS {target.duckdb()})"
    # "+5" and hexadecimal after a sign are beyond DuckDB's own cast.
    digits = f"ltrim(trim({text}), '+')"
    return (
        f"CASE WHEN starts_with(lower({digits}), '-0x') THEN -TRY_CAST(substr({digits}, 2) AS BIGINT) "
        f"ELSE TRY_CAST({digits} AS BIGINT) END"
    )


def _point(text: str, kind: str, target: Type, safe: bool, zone: str | None) -> str:
    plain = f"CASE WHEN regexp_full_match({text}, '{PLAIN[kind]}') THEN {text} END"
    slow = f"bq_{kind.lower()}({text})"
    slow = f"TRY({slow})" if safe else slow
    if kind == "TIMESTAMP":
        slow = let(slow, instant("v_", zone))
    return f"coalesce(TRY_CAST({plain} AS {target.duckdb()}), {slow})"


def instant(name: str, zone: str | None) -> str:
    """The TIMESTAMP of a STRUCT of local time, offset in minutes and name of a zone, of which at most one is given."""
    return (
        f"CASE WHEN {name}.minutes IS NOT NULL THEN timezone('UTC', {name}.local - to_minutes({name}.minutes)) "
        f"WHEN {name}.zone IS NOT NULL THEN {instant_of(f'{name}.zone', f'{name}.local')} "
        f"ELSE {instant_of(zone, f'{name}.local')} END"
    )
