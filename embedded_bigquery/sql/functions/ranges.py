"""RANGE values, and points in time put into buckets. An end that is UNBOUNDED is stored as an infinity.

Source: "Range functions" and "Time series functions" of BigQuery's reference.
"""

from __future__ import annotations

from collections.abc import Callable

from embedded_bigquery.sql.functions.conversion import interval_numbers, range_text
from embedded_bigquery.sql.functions.duckdb_text import fail, let
from embedded_bigquery.sql.functions.registry import Call, Function
from embedded_bigquery.types import Type

KINDS = ("DATE", "DATETIME", "TIMESTAMP")


def _range(call: Call) -> str:
    element = (call.result or Type("")).element
    assert element is not None
    name = element.duckdb()
    pair = (
        f"struct_pack(\"start\" := coalesce({call.text(0)}, CAST('-infinity' AS {name})), "
        f"\"end\" := coalesce({call.text(1)}, CAST('infinity' AS {name})))"
    )
    wrong = fail("'Range start element must be smaller than range end element'")
    return let(pair, f'CASE WHEN v_."start" < v_."end" THEN v_ ELSE {wrong} END')


def _end(part: str) -> Callable[[Call], str]:
    return lambda call: let(call.text(0), f'CASE WHEN isfinite(v_."{part}") THEN v_."{part}" END')


def _both(call: Call, body: str) -> str:
    """`body` over the ranges a and b; NULL when one of them is."""
    pair = f"struct_pack(a := {call.text(0)}, b := {call.text(1)})"
    return let(pair, f"CASE WHEN v_.a IS NOT NULL AND v_.b IS NOT NULL THEN {body} END")


OVERLAP = 'v_.a."start" < v_.b."end" AND v_.b."start" < v_.a."end"'


def _intersect(call: Call) -> str:
    first, second = (range_text(f"v_.{name}", call.type(0) or Type("")) for name in ("a", "b"))
    kind = call.type(0)
    message = (
        f"'Provided RANGE inputs: {kind}' || {first} || ' and {kind}' || {second} || "
        "' do not overlap. Please check RANGE_OVERLAPS before calling RANGE_INTERSECT'"
    )
    common = 'struct_pack("start" := greatest(v_.a."start", v_.b."start"), "end" := least(v_.a."end", v_.b."end"))'
    return _both(call, f"CASE WHEN {OVERLAP} THEN {common} ELSE {fail(message)} END")


def _contains(call: Call) -> str:
    if call.kind(1) == "RANGE":
        return _both(call, 'v_.a."start" <= v_.b."start" AND v_.b."end" <= v_.a."end"')
    return _both(call, 'v_.a."start" <= v_.b AND v_.b < v_.a."end"')


def _array(call: Call) -> str:
    """Steps are counted from the start, so that a step of months returns to its day."""
    kind = (call.type(0) or Type("")).element
    assert kind is not None
    name = kind.duckdb()
    months, days, micros = interval_numbers("v_.s")
    shortest = f"({months} * 28 + {days}) * 86400000000 + {micros}"
    start, end = 'v_.r."start"', 'v_.r."end"'
    count = f"(epoch_us({end}) - epoch_us({start})) // ({shortest}) + 1"
    ends = [f"CAST({start} + v_.s * {times} AS {name})" for times in ("i_", "(i_ + 1)")]
    pair = f'struct_pack("start" := {ends[0]}, "end" := {ends[1]})'
    pieces = f"list_transform(range(CAST({count} AS BIGINT)), lambda i_: {pair})"
    partial = call.option("include_last_partial_range", 2) or "TRUE"
    kept = f'list_filter({pieces}, lambda p_: p_."start" < {end} AND ({partial} OR p_."end" <= {end}))'
    cut = f'list_transform({kept}, lambda p_: struct_pack("start" := p_."start", "end" := least(p_."end", {end})))'
    checks = [
        (f"NOT isfinite({start}) OR NOT isfinite({end})", "input RANGE cannot have UNBOUNDED endpoints"),
        ("v_.s = to_days(0)", "step cannot be 0"),
        ("v_.s < to_days(0)", "step cannot be negative"),
    ]
    if kind.kind == "DATE":
        checks.append((f"{micros} <> 0", "step with non-zero (H:M:S[.F]) part is not supported"))
    wrong = " ".join(f"WHEN {test} THEN {fail(chr(39) + text + chr(39))}" for test, text in checks)
    return let(
        f"struct_pack(r := {call.text(0)}, s := {call.text(1)})",
        f"CASE WHEN v_.r IS NULL OR v_.s IS NULL THEN NULL {wrong} ELSE {cut} END",
    )


def _bucket(call: Call) -> str:
    kind = call.name.split("_")[0]

    def local(text: str) -> str:
        return f"timezone('UTC', {text})" if kind == "TIMESTAMP" else f"CAST({text} AS TIMESTAMP)"

    origin = local(call.text(2)) if call.count > 2 else "TIMESTAMP '1950-01-01'"
    numbers = ", ".join(f"CAST({number} AS BIGINT)" for number in interval_numbers("v_"))
    found = let(call.text(1), f"bq_bucket({local(call.text(0))}, {numbers}, {origin}, '{kind}')")
    return f"timezone('UTC', {found})" if kind == "TIMESTAMP" else f"CAST({found} AS {Type(kind).duckdb()})"


def _each(template: str) -> tuple[str, ...]:
    return tuple(template.replace("X", kind) for kind in KINDS)


FUNCTIONS = (
    Function("RANGE", _each("RANGE(X, X) -> RANGE<X>"), _range),
    Function("RANGE_START", _each("RANGE_START(RANGE<X>) -> X"), _end("start")),
    Function("RANGE_END", _each("RANGE_END(RANGE<X>) -> X"), _end("end")),
    Function(
        "RANGE_OVERLAPS",
        _each("RANGE_OVERLAPS(RANGE<X>, RANGE<X>) -> BOOL"),
        lambda call: _both(call, OVERLAP),
    ),
    Function("RANGE_INTERSECT", _each("RANGE_INTERSECT(RANGE<X>, RANGE<X>) -> RANGE<X>"), _intersect),
    Function(
        "RANGE_CONTAINS",
        (*_each("RANGE_CONTAINS(RANGE<X>, RANGE<X>) -> BOOL"), *_each("RANGE_CONTAINS(RANGE<X>, X) -> BOOL")),
        _contains,
    ),
    Function(
        "GENERATE_RANGE_ARRAY",
        _each("GENERATE_RANGE_ARRAY(RANGE<X>, INTERVAL, [BOOL]) -> ARRAY<RANGE<X>>"),
        _array,
        options=("include_last_partial_range BOOL",),
    ),
    *(Function(f"{kind}_BUCKET", (f"{kind}_BUCKET({kind}, INTERVAL, [{kind}]) -> {kind}",), _bucket) for kind in KINDS),
)
