"""The JSON text of a value of any type, as TO_JSON_STRING and TO_JSON write it.

Source: "JSON encodings", docs.cloud.google.com/bigquery/docs/reference/standard-sql/json_functions.
"""

from __future__ import annotations

import json

from embedded_bigquery.errors import NotSupported
from embedded_bigquery.sql.functions.conversion import interval_numbers, let_unless_short, to_string
from embedded_bigquery.sql.functions.duckdb_text import UTC, default_zone, let, literal
from embedded_bigquery.types import Type, quoted

SAFE_INTEGER = 2**53


def json_value(text: str, kind: Type | None, *, stringify: bool = False) -> str:
    """DuckDB text that writes the value as a JSON value does: keys sorted, 1.0 for a FLOAT64."""
    written = json_text(text, kind, stringify=stringify, value=True)
    return written if kind is not None and kind.kind == "JSON" else f"bq_parse_json({written}, 'exact')"


def json_text(text: str, kind: Type | None, depth: int = 0, *, stringify: bool = True, value: bool = False) -> str:
    """DuckDB text that writes the value as JSON; NULL becomes null. `stringify`: what a FLOAT64 cannot hold is quoted.

    `value`: for a JSON value, not for TO_JSON_STRING.
    """
    if kind is None:
        return f"coalesce(CAST(to_json({text}) AS VARCHAR), 'null')"
    if kind.is_array and kind.element is not None:
        name = f"j{depth}_"
        item = json_text(name, kind.element, depth + 1, stringify=stringify, value=value)
        items = f"array_to_string(list_transform({text}, lambda {name}: {item}), ',')"
        return f"coalesce('[' || coalesce({items}, '') || CASE WHEN {text} IS NULL THEN NULL ELSE ']' END, '[]')"
    if kind.is_struct:
        name = f"j{depth}_"
        parts = [
            f"{literal(('' if n == 0 else ',') + json.dumps(field.name, ensure_ascii=False) + ':')} || "
            + json_text(f"{name}.{quoted(stored)}", field.type, depth + 1, stringify=stringify, value=value)
            for n, (stored, field) in enumerate(kind.storage_fields())
        ]
        body = f"CASE WHEN {name} IS NULL THEN 'null' ELSE '{{' || {' || '.join(parts) or chr(39) * 2} || '}}' END"
        return let(text, body, name)
    if kind.kind == "RANGE" and kind.element is not None:
        ends = [f'({text})."{part}"' for part in ("start", "end")]
        start, end = (
            f"CASE WHEN isfinite({part}) THEN {_scalar(part, kind.element, stringify, value)} ELSE 'null' END"
            for part in ends
        )
        body = f"""'{{"start":' || {start} || ',"end":' || {end} || '}}'"""
        return f"CASE WHEN ({text}) IS NULL THEN 'null' ELSE {body} END"
    return f"coalesce({_scalar(text, kind, stringify, value)}, 'null')"


def _scalar(text: str, kind: Type, stringify: bool, value: bool) -> str:
    if kind.kind == "STRING":
        written = f"CAST(to_json({text}) AS VARCHAR)"
        # Line ends to JavaScript: BigQuery escapes them.
        return f"replace(replace({written}, chr(8232), '\\u2028'), chr(8233), '\\u2029')"
    if kind.kind == "BOOL":
        return f"CAST({text} AS VARCHAR)"
    if kind.kind == "INT64":
        if not stringify:
            return f"CAST({text} AS VARCHAR)"
        big = f"{text} > {SAFE_INTEGER} OR {text} < -{SAFE_INTEGER}"
        return f"CASE WHEN {big} THEN '\"' || {text} || '\"' ELSE CAST({text} AS VARCHAR) END"
    if kind.kind == "FLOAT64":
        plain = to_string(text, kind)
        if value:
            plain = f"regexp_replace({plain}, '^(-?\\d+)$', '\\1.0')"
        return f"CASE WHEN isnan({text}) OR isinf({text}) THEN {_infinite(text)} ELSE {plain} END"
    if kind.kind in ("NUMERIC", "BIGNUMERIC"):
        plain = to_string(text, kind)
        return f"bq_json_number({plain})" if stringify else plain
    if kind.kind == "JSON":
        return f"CAST({text} AS VARCHAR)"
    if kind.kind == "BYTES":
        return f"'\"' || to_base64({text}) || '\"'"
    if kind.kind in ("DATETIME", "TIMESTAMP"):
        zone = "|| 'Z'" if kind.kind == "TIMESTAMP" else ""
        with default_zone(UTC):
            local = to_string(text, kind)
        bare = f"regexp_replace({local}, '[+]00$', '')"
        return f"'\"' || replace({bare}, ' ', 'T') {zone} || '\"'"
    if kind.kind in ("DATE", "TIME"):
        return f"'\"' || ({to_string(text, kind)}) || '\"'"
    if kind.kind == "INTERVAL":
        return f"'\"' || ({let_unless_short(text, iso_interval)}) || '\"'"
    raise NotSupported(f"{kind} as JSON")


def iso_interval(text: str) -> str:
    return f"bq_iso_interval({', '.join(interval_numbers(text))})"


def _infinite(text: str) -> str:
    return f"CASE WHEN isnan({text}) THEN '\"NaN\"' WHEN {text} > 0 THEN '\"Infinity\"' ELSE '\"-Infinity\"' END"
