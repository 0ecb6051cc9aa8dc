"""Array functions.

Source: "Array functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/array_functions.
"""

from __future__ import annotations

from collections.abc import Callable

from embedded_bigquery.sql.functions.duckdb_text import fail, let, literal
from embedded_bigquery.sql.functions.registry import Call, Function


def _concat(call: Call) -> str:
    if call.count == 1:
        return call.text(0)
    # DuckDB's list_concat skips NULL, BigQuery's answer is NULL then.
    text = call.text(0)
    for position in range(1, call.count):
        text = f"list_concat({text}, {call.text(position)})"
    nulls = " OR ".join(f"{call.text(position)} IS NULL" for position in range(call.count))
    return f"CASE WHEN {nulls} THEN NULL ELSE {text} END"


def _to_string(call: Call) -> str:
    separator = call.text(1)
    if call.count > 2:
        body = f"array_to_string(list_transform(v_, lambda e_: coalesce(e_, {call.text(2)})), {separator})"
    else:
        body = f"array_to_string(list_filter(v_, lambda e_: e_ IS NOT NULL), {separator})"
    return let(call.text(0), f"CASE WHEN v_ IS NOT NULL THEN coalesce({body}, '') END")


def _generate(call: Call) -> str:
    kind = call.result.element.kind if call.result is not None and call.result.element is not None else "INT64"
    start, end = call.text(0), call.text(1)
    step = call.text(2) if call.count > 2 else "1"
    if kind == "BIGNUMERIC":
        unit = step if call.count > 2 else f"CAST('1{'0' * 38}' AS BIGNUM)"
        return f"bq_big_series({start}, {end}, {unit})"
    wrong = fail("'Sequence step cannot be 0.'")
    is_sure = call.count == 2 or call.number(2)
    if kind == "INT64":
        series = f"generate_series({start}, {end}, {step})"
    else:
        count = f"CAST(floor(({end} - {start}) / {step}) AS BIGINT)"
        series = f"list_transform(generate_series(0, {count}), lambda i_: {start} + i_ * {step})"
    if is_sure:
        return series
    return f"CASE WHEN {step} = 0 THEN {wrong} ELSE {series} END"


def _edge(position: int) -> Callable[[Call], str]:
    def render(call: Call) -> str:
        which = "first" if position == 1 else "last"
        message = literal(f"{call.name} cannot get the {which} element of an empty array")
        body = f"CASE WHEN len(v_) = 0 THEN {fail(message)} ELSE v_[{position}] END"
        return let(call.text(0), body)

    return render


def _slice(call: Call) -> str:
    """Both ends inclusive, counted from 0 or from the end; what is outside counts as the edge."""
    start, end = call.text(1), call.text(2)
    first = f"CASE WHEN {start} < 0 THEN greatest(len(v_) + {start}, 0) ELSE {start} END + 1"
    last = f"CASE WHEN {end} < 0 THEN greatest(len(v_) + {end}, 0) ELSE least({end}, len(v_) - 1) END + 1"
    return let(
        call.text(0),
        f"CASE WHEN v_ IS NULL OR {start} IS NULL OR {end} IS NULL THEN NULL "
        f"ELSE list_filter(v_, lambda e_, i_: i_ BETWEEN {first} AND {last}) END",
    )


def _distinct(call: Call) -> str:
    return let(
        call.text(0),
        "CASE WHEN v_ IS NOT NULL THEN len(v_) = len(list_distinct(v_)) + "
        "CASE WHEN len(list_filter(v_, lambda e_: e_ IS NULL)) > 0 THEN 1 ELSE 0 END END",
    )


FUNCTIONS = (
    Function("ARRAY_LENGTH", ("ARRAY_LENGTH(ARRAY<T>) -> INT64",), "len({0})"),
    Function("ARRAY_CONCAT", ("ARRAY_CONCAT(ARRAY<T>, ...) -> ARRAY<T>",), _concat),
    Function("ARRAY_REVERSE", ("ARRAY_REVERSE(ARRAY<T>) -> ARRAY<T>",), "list_reverse({0})"),
    Function("ARRAY_TO_STRING", ("ARRAY_TO_STRING(ARRAY<STRING>, STRING, [STRING]) -> STRING",), _to_string),
    Function("ARRAY_FIRST", ("ARRAY_FIRST(ARRAY<T>) -> T",), _edge(1)),
    Function("ARRAY_LAST", ("ARRAY_LAST(ARRAY<T>) -> T",), _edge(-1)),
    Function("ARRAY_SLICE", ("ARRAY_SLICE(ARRAY<T>, INT64, INT64) -> ARRAY<T>",), _slice),
    Function("ARRAY_IS_DISTINCT", ("ARRAY_IS_DISTINCT(ARRAY<T>) -> BOOL",), _distinct),
    Function(
        "GENERATE_ARRAY",
        tuple(
            f"GENERATE_ARRAY({kind}, {kind}, [{kind}]) -> ARRAY<{kind}>"
            for kind in ("INT64", "NUMERIC", "BIGNUMERIC", "FLOAT64")
        ),
        _generate,
    ),
)
