"""The JSON text of a value of any type, as TO_JSON_STRING and TO_JSON write it.

Source: "JSON encodings", docs.cloud.google.com/bigquery/docs/reference/standard-sql/json_functions.
"""

from __future__ import annotations

import json

from embedded_bigquery.errors import NotSupported
from embedded_bigquery.sql.functions.conversion import interval_text, let_unless_short, to_string
from embedded_bigquery.sql.functions.duckdb_text import let, literal
from embedded_bigquery.types import Type, quoted

SAFE_INTEGER = 2**53


def json_text(text: str, kind: Type | None, depth: int = 0, *, stringify: bool = True) -> str:
    """DuckDB text that writes the value as JSON; NULL becomes null. `stringify`: integers beyond 2**53 are quoted."""
    if kind is None:
        return f"coalesce(CAST(to_json({text}) AS VARCHAR), 'null')"
    if kind.is_array and kind.element is not None:
        name = f"j{depth}_"
        item = json_text(name, kind.element, depth + 1, stringify=stringify)
        items = f"array_to_string(list_transform({text}, lambda {name}: {item}), ',')"
        return f"coalesce('[' || coalesce({items}, '') || CASE WHEN {text} IS NULL THEN NULL ELSE ']' END, '[]')"
    if kind.is_struct:
        name = f"j{depth}_"
        parts = [
            f"{literal(('' if n == 0 else ',') + json.dumps(field.name, ensure_ascii=False) + ':')} || "
            + json_text(f"{name}.{quoted(stored)}", field.type, depth + 1, stringify=stringify)
            for n, (stored, field) in enumerate(kind.storage_fields())
        ]
        body = f"CASE WHEN {name} IS NULL THEN 'null' ELSE '{{' || {' || '.join(parts) or chr(39) * 2} || '}}' END"
        return let(text, body, name)
    return f"coalesce({_scalar(text, kind, stringify)}, 'null')"


def _scalar(text: str, kind: Type, stringify: bool) -> str:
    if kind.kind == "STRING":
        return f"CAST(to_json({text}) AS VARCHAR)"
    if kind.kind == "BOOL":
        return f"CAST({text} AS VARCHAR)"
    if kind.kind == "INT64":
        if not stringify:
            return f"CAST({text} AS VARCHAR)"
        big = f"{text} > {SAFE_INTEGER} OR {text} < -{SAFE_INTEGER}"
        return f"CASE WHEN {big} THEN '\"' || {text} || '\"' ELSE CAST({text} AS VARCHAR) END"
    if kind.kind == "FLOAT64":
        plain = to_string(text, kind)
        return f"CASE WHEN isnan({text}) OR isinf({text}) THEN {_infinite(text)} ELSE {plain} END"
    if kind.kind in ("NUMERIC", "BIGNUMERIC"):
        return to_string(text, kind)
    if kind.kind == "JSON":
        return f"CAST(json({text}) AS VARCHAR)"
    if kind.kind == "BYTES":
        return f"'\"' || to_base64({text}) || '\"'"
    if kind.kind in ("DATETIME", "TIMESTAMP"):
        zone = "|| 'Z'" if kind.kind == "TIMESTAMP" else ""
        value = to_string(text, kind)
        bare = f"regexp_replace({value}, '[+]00$', '')"
        return f"'\"' || replace({bare}, ' ', 'T') {zone} || '\"'"
    if kind.kind in ("DATE", "TIME"):
        return f"'\"' || ({to_string(text, kind)}) || '\"'"
    if kind.kind == "INTERVAL":
        return f"'\"' || ({let_unless_short(text, interval_text)}) || '\"'"
    raise NotSupported(f"{kind} as JSON")


def _infinite(text: str) -> str:
    return f"CASE WHEN isnan({text}) THEN '\"NaN\"' WHEN {text} > 0 THEN '\"Infinity\"' ELSE '\"-Infinity\"' END"
