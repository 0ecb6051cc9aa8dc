"""CAST(value AS type FORMAT text [AT TIME ZONE zone]) as DuckDB text.

Source: "Format clause for CAST", docs.cloud.google.com/bigquery/docs/reference/standard-sql/format-elements.
"""

from __future__ import annotations

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql.functions.conversion import to_string
from embedded_bigquery.sql.functions.duckdb_text import at_zone, instant_of, let
from embedded_bigquery.types import Type

POINTS = ("DATE", "DATETIME", "TIME", "TIMESTAMP")


def cast_by_format(text: str, source: Type | None, target: Type, form: str, *, safe: bool, zone: str | None) -> str:
    """`form` and `zone` are DuckDB text. Raises InvalidQuery for types that take no format."""
    given, wanted = source.kind if source else target.kind, target.kind
    if source is None:
        return f"CAST(NULL AS {target.duckdb()})"
    if wanted == "STRING" and given in POINTS:
        made = let(text, _written("v_", given, form, zone))
    elif wanted in POINTS and given == "STRING":
        made = _read(text, wanted, form, zone, safe)
    elif wanted == "STRING" and source.is_numeric:
        number = to_string(text, source) if given == "BIGNUMERIC" else f"CAST({text} AS VARCHAR)"
        made = f"bq_format_number({number}, {form})"
    elif (given, wanted) == ("BYTES", "STRING"):
        made = f"bq_encode_bytes({text}, {form})"
    elif (given, wanted) == ("STRING", "BYTES"):
        made = f"bq_decode_bytes({text}, {form})"
    else:
        raise InvalidQuery(f"FORMAT is not allowed for cast from {source} to {target}")
    return f"TRY({made})" if safe and wanted not in POINTS else made


def _written(value: str, kind: str, form: str, zone: str | None) -> str:
    local = {
        "TIMESTAMP": at_zone(zone, value),
        "TIME": f"(DATE '1970-01-01' + {value})",
    }.get(kind, f"CAST({value} AS TIMESTAMP)")
    offset = f"date_diff('minute', timezone('UTC', {value}), {local})" if kind == "TIMESTAMP" else "0"
    return f"bq_format_elements({local}, CAST({offset} AS INTEGER), {form}, '{kind}')"


def _read(text: str, kind: str, form: str, zone: str | None, safe: bool) -> str:
    found = f"bq_read_elements({text}, {form}, '{kind}', CAST({at_zone(zone, 'now()')} AS DATE))"
    if kind == "TIMESTAMP":
        instant = "timezone('UTC', v_.local - to_minutes(v_.minutes))"
        value = f"CASE WHEN v_.minutes IS NULL THEN {instant_of(zone, 'v_.local')} ELSE {instant} END"
    else:
        value = "v_.local" if kind == "DATETIME" else f"CAST(v_.local AS {kind})"
    return let(f"TRY({found})" if safe else found, value)
