"""Regular expressions: RE2 on both sides, so patterns need no translation.

Source: "String functions" (REGEXP_*), docs.cloud.google.com/bigquery/docs/reference/standard-sql/string_functions.
"""

from __future__ import annotations

import re

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql.functions.duckdb_text import let
from embedded_bigquery.sql.functions.registry import Call, Function
from embedded_bigquery.sql.functions.strings import both, is_bytes


def _text_only(call: Call) -> None:
    if is_bytes(call):
        raise NotSupported(f"{call.name} of BYTES")


def _group(call: Call) -> int:
    """1 when the pattern has a capturing group, whose match is then what is returned, else 0."""
    pattern = call.literal(1)
    if pattern is None:
        raise NotSupported(f"{call.name} with a pattern that is no literal")
    bare = re.sub(r"\\.|\[\^?\]?[^\]]*\]", "", pattern)
    groups = len(re.findall(r"\((?!\?)|\(\?P<|\(\?<[A-Za-z_]", bare))
    if groups > 1:
        raise InvalidQuery(
            f"Regular expressions passed into extraction functions must not have more than 1 capturing "
            f"group; found {groups}"
        )
    return groups


def _contains(call: Call) -> str:
    _text_only(call)
    return f"regexp_matches({call.text(0)}, {call.text(1)})"


def _extract(call: Call) -> str:
    _text_only(call)
    value, pattern, group = call.text(0), call.text(1), _group(call)
    if call.count == 2:
        # DuckDB answers '' for no match, BigQuery NULL; a match may be empty too.
        return f"CASE WHEN regexp_matches({value}, {pattern}) THEN regexp_extract({value}, {pattern}, {group}) END"
    start, occurrence = call.text(2), call.text(3) if call.count > 3 else "1"
    return f"regexp_extract_all(substr({value}, {start}), {pattern}, {group})[{occurrence}]"


def _extract_all(call: Call) -> str:
    _text_only(call)
    return f"regexp_extract_all({call.text(0)}, {call.text(1)}, {_group(call)})"


def _replace(call: Call) -> str:
    _text_only(call)
    return f"regexp_replace({call.arguments}, 'g')"


def _instr(call: Call) -> str:
    _text_only(call)
    if call.count > 2:
        raise NotSupported("REGEXP_INSTR with a position")
    value, pattern, group = call.text(0), call.text(1), _group(call)
    if group:
        raise NotSupported("REGEXP_INSTR with a capturing group")
    # The shortest text that a match follows.
    before = f"regexp_extract(v_, '(?s)^(.*?)(?:' || {pattern} || ')', 1)"
    body = f"CASE WHEN v_ IS NULL THEN NULL WHEN regexp_matches(v_, {pattern}) THEN length({before}) + 1 ELSE 0 END"
    return let(value, body)


FUNCTIONS = (
    Function("REGEXP_CONTAINS", both("REGEXP_CONTAINS", "X, X", "BOOL"), _contains),
    Function("REGEXP_EXTRACT", both("REGEXP_EXTRACT", "X, X, [INT64], [INT64]"), _extract),
    Function("REGEXP_SUBSTR", both("REGEXP_SUBSTR", "X, X, [INT64], [INT64]"), _extract),
    Function("REGEXP_EXTRACT_ALL", both("REGEXP_EXTRACT_ALL", "X, X", "ARRAY<X>"), _extract_all),
    Function("REGEXP_REPLACE", both("REGEXP_REPLACE", "X, X, X"), _replace),
    Function("REGEXP_INSTR", both("REGEXP_INSTR", "X, X, [INT64], [INT64], [INT64]", "INT64"), _instr),
)
