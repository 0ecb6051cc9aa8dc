"""Regular expressions: RE2 on both sides, so patterns need no translation. What DuckDB's functions lack is in Python.

Source: "String functions" (REGEXP_*), docs.cloud.google.com/bigquery/docs/reference/standard-sql/string_functions.
"""

from __future__ import annotations

import re

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.natives.patterns import compiled
from embedded_bigquery.sql.functions.registry import Call, Function
from embedded_bigquery.sql.functions.strings import both, on_bytes


def _group(call: Call) -> int | None:
    """1 when the pattern has a capturing group, whose match is then what is returned, else 0.

    None when that is not known here, or when the group may match nothing, which DuckDB shows as an empty text.
    """
    pattern = call.literal(1)
    if pattern is None:
        return None
    bare = re.sub(r"\\.|\[\^?\]?[^\]]*\]", "", pattern)
    groups = len(re.findall(r"\((?!\?)|\(\?P<|\(\?<[A-Za-z_]", bare))
    if groups > 1:
        raise InvalidQuery(
            "Regular expressions passed into extraction functions must not have more than 1 capturing group"
        )
    return None if groups and re.search(r"[|?*{]", bare.replace("(?", "(")) else groups


def _extract(call: Call) -> str:
    value, pattern, group = call.text(0), call.text(1), _group(call)
    if call.count == 2 and group is not None:
        # DuckDB answers '' for no match, BigQuery NULL; a match may be empty too.
        return f"CASE WHEN regexp_matches({value}, {pattern}) THEN regexp_extract({value}, {pattern}, {group}) END"
    start, occurrence = (call.text(n) if call.count > n else "1" for n in (2, 3))
    return f"bq_regexp_extract({value}, {pattern}, {start}, {occurrence})"


def _may_be_empty(pattern: str) -> bool:
    try:
        return compiled(pattern).search("") is not None
    except ValueError:
        return False


def _extract_all(call: Call) -> str:
    group, pattern = _group(call), call.literal(1)
    if group is None or pattern is None or _may_be_empty(pattern):
        return f"bq_regexp_extract_all({call.text(0)}, {call.text(1)})"
    return f"regexp_extract_all({call.text(0)}, {call.text(1)}, {group})"


def _instr(call: Call) -> str:
    start, occurrence, after = (
        call.text(n) if call.count > n else other for n, other in ((2, "1"), (3, "1"), (4, "0"))
    )
    return f"bq_regexp_instr({call.text(0)}, {call.text(1)}, {start}, {occurrence}, {after})"


FUNCTIONS = (
    Function("REGEXP_CONTAINS", both("REGEXP_CONTAINS", "X, X", "BOOL"), on_bytes("regexp_matches({0}, {1})")),
    *(
        Function(name, both(name, "X, X, [INT64], [INT64]"), on_bytes(_extract))
        for name in ("REGEXP_EXTRACT", "REGEXP_SUBSTR")
    ),
    Function("REGEXP_EXTRACT_ALL", both("REGEXP_EXTRACT_ALL", "X, X", "ARRAY<X>"), on_bytes(_extract_all)),
    Function("REGEXP_REPLACE", both("REGEXP_REPLACE", "X, X, X"), on_bytes("regexp_replace({0}, {1}, {2}, 'g')")),
    Function("REGEXP_INSTR", both("REGEXP_INSTR", "X, X, [INT64], [INT64], [INT64]", "INT64"), on_bytes(_instr)),
)
