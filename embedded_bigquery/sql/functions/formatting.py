"""FORMAT, and the text of a value of any type as %t and %T print it.

Source: "FORMAT" in "String functions" of BigQuery's reference.
"""

from __future__ import annotations

import re

from embedded_bigquery.sql.functions.conversion import to_string
from embedded_bigquery.sql.functions.duckdb_text import let, literal
from embedded_bigquery.sql.functions.registry import Call, Function
from embedded_bigquery.types import Type, quoted


def printed(text: str, kind: Type | None, *, source: bool = False, depth: int = 0) -> str:
    """DuckDB text of what %t prints, or a GoogleSQL literal of the value (%T) where `source`; NULL prints NULL."""
    if kind is None:
        return f"coalesce(CAST({text} AS VARCHAR), 'NULL')"
    name = f"f{depth}_"
    if kind.is_array and kind.element is not None:
        items = f"list_transform({text}, lambda {name}: {printed(name, kind.element, source=source, depth=depth + 1)})"
        return f"coalesce('[' || array_to_string({items}, ', ') || ']', 'NULL')"
    if kind.is_struct:
        parts = " || ', ' || ".join(
            printed(f"{name}.{quoted(stored)}", field.type, source=source, depth=depth + 1)
            for stored, field in kind.storage_fields()
        )
        start = "STRUCT(" if source and len(kind.fields) < 2 else "("
        body = f"CASE WHEN {name} IS NULL THEN 'NULL' ELSE '{start}' || {parts or chr(39) * 2} || ')' END"
        return let(text, body, name)
    return f"coalesce({_scalar(text, kind, source)}, 'NULL')"


def _scalar(text: str, kind: Type, source: bool) -> str:
    name = kind.kind
    if name == "STRING":
        return f"bq_quoted({text})" if source else text
    if name == "BYTES":
        return f"bq_quoted_bytes({text})" if source else f"bq_escaped_bytes({text})"
    if name in ("INT64", "BOOL"):
        return f"CAST({text} AS VARCHAR)"
    if name == "JSON":
        return f"'JSON ' || bq_quoted(CAST({text} AS VARCHAR))" if source else f"CAST({text} AS VARCHAR)"
    plain = f"({to_string(text, kind)})"
    if name == "FLOAT64":
        shown = f"regexp_replace({plain}, '^(-?\\d+)$', '\\1.0')"
        special = f"isnan({text}) OR isinf({text})"
        return (
            f"CASE WHEN {special} THEN 'CAST(\"' || {plain} || '\" AS FLOAT64)' ELSE {shown} END" if source else shown
        )
    if not source:
        return plain
    unit = " YEAR TO SECOND" if name == "INTERVAL" else ""
    return f"'{kind.sql()} \"' || {plain} || '\"{unit}'"


def _format(call: Call) -> str:
    form = call.literal(0)
    letters = set("tTs") if form is None else set(re.findall(r"[a-zA-Z]", form))
    kinds, values, texts, sources = [], [], [], []
    for position in range(1, call.count):
        text, kind = call.raw(position), call.types[position]
        kinds.append(literal(kind.kind if kind else ""))
        is_plain = kind is None or kind.is_numeric or kind.kind in ("STRING", "JSON")
        value = to_string(text, kind) if kind is not None and kind.kind == "BIGNUMERIC" else f"CAST({text} AS VARCHAR)"
        values.append(value if is_plain else "NULL")
        texts.append(printed(text, kind) if "t" in letters else "NULL")
        sources.append(printed(text, kind, source=True) if "T" in letters else "NULL")
    lists = ", ".join(f"CAST([{', '.join(items)}] AS VARCHAR[])" for items in (kinds, values, texts, sources))
    return f"bq_format({call.text(0)}, {lists})"


FUNCTIONS = (Function("FORMAT", ("FORMAT(STRING, [ANY, ...]) -> STRING",), _format),)
