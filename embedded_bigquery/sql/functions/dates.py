"""Constructors of dates and times, the clock, Unix time, and series of dates.

Source: "Date functions", "Timestamp functions" and their like of BigQuery's reference.
"""

from __future__ import annotations

from collections.abc import Callable

from embedded_bigquery.sql.functions.conversion import LIMITS, cast, within
from embedded_bigquery.sql.functions.duckdb_text import fail, let
from embedded_bigquery.sql.functions.registry import Call, Function
from embedded_bigquery.types import DATE, DATETIME, TIME, TIMESTAMP, Type


def _construct(target: Type, fields: Callable[[Call], str]) -> Callable[[Call], str]:
    """A constructor: from INT64 parts by `fields`, else a conversion, with the zone as last argument."""

    def render(call: Call) -> str:
        if call.kind(0) == "INT64":
            return fields(call)
        source = call.type(0)
        if call.name == "DATETIME" and call.count == 2 and call.kind(1) == "TIME":
            return f"(CAST({call.text(0)} AS DATE) + {call.text(1)})"
        zone = call.text(1) if call.count > 1 else None
        return cast(call.text(0), source, target, zone=zone)

    return render


def _made(make: str, form: str, kind: str) -> Callable[[Call], str]:
    """From INT64 parts, by a DuckDB function of them; what is no date or time is an error that shows the parts."""

    def render(call: Call) -> str:
        names = [f"v_.p{position}" for position in range(call.count)]
        parts = [f"CAST({name} AS INTEGER)" for name in names]
        value = f"TRY({make.format(*parts)})"
        if kind in LIMITS:
            low, high = LIMITS[kind]
            value = f"CASE WHEN {value} BETWEEN {low} AND {high} THEN {value} END"
        elif kind == "TIME":
            value = f"CASE WHEN {names[0]} < 24 THEN {value} END"
        given = " AND ".join(f"{name} IS NOT NULL" for name in names)
        message = f"'Input calculates to invalid {kind.lower()}: ' || printf('{form}', {', '.join(names)})"
        pairs = ", ".join(f"p{position} := {call.text(position)}" for position in range(call.count))
        return let(f"struct_pack({pairs})", f"coalesce({value}, CASE WHEN {given} THEN {fail(message)} END)")

    return render


_date = _made("make_date({0}, {1}, {2})", "%04d-%02d-%02d", "DATE")
_datetime = _made(
    "make_timestamp({0}, {1}, {2}, {3}, {4}, CAST({5} AS DOUBLE))", "%04d-%02d-%02d %02d:%02d:%02d", "DATETIME"
)
_time = _made("make_time({0}, {1}, CAST({2} AS DOUBLE))", "%02d:%02d:%02d", "TIME")


def _current(target: Type) -> Callable[[Call], str]:
    def render(call: Call) -> str:
        zone = call.text(0) if call.count else None
        return cast("now()", TIMESTAMP, target, zone=zone)

    return render


def _unix(divisor: int) -> Callable[[Call], str]:
    def render(call: Call) -> str:
        micros = f"epoch_us({call.text(0)})"
        if divisor == 1:
            return micros
        # Rounds down, before 1970 too.
        return f"({micros} // {divisor} - CASE WHEN {micros} % {divisor} < 0 THEN 1 ELSE 0 END)"

    return render


def _from_unix(factor: int) -> Callable[[Call], str]:
    def render(call: Call) -> str:
        message = (
            f"'Input value ' || {call.text(0)} || ' cannot be converted into a TIMESTAMP, because it would be out of "
            "the allowed range between -62135596800000000 to 253402300799999999 (microseconds)'"
        )
        return within(f"timezone('UTC', make_timestamp({call.text(0)} * {factor}::BIGINT))", "TIMESTAMP", message)

    return render


def _date_array(call: Call) -> str:
    step = call.text(2) if call.count > 2 else "to_days(1)"
    series = f"generate_series(CAST({call.text(0)} AS TIMESTAMP), CAST({call.text(1)} AS TIMESTAMP), {step})"
    return _stepped(step, f"list_transform({series}, lambda d_: CAST(d_ AS DATE))")


def _stepped(step: str, series: str) -> str:
    wrong = fail("'Sequence step cannot be 0.'")
    return f"CASE WHEN {step} = to_days(0) THEN {wrong} ELSE {series} END"


ZONED = ("TIMESTAMP, [STRING]", "DATETIME", "DATE", "STRING")

FUNCTIONS = (
    Function(
        "DATE",
        ("DATE(INT64, INT64, INT64) -> DATE", *(f"DATE({text}) -> DATE" for text in ZONED)),
        _construct(DATE, _date),
    ),
    Function(
        "DATETIME",
        (
            "DATETIME(INT64, INT64, INT64, INT64, INT64, INT64) -> DATETIME",
            "DATETIME(DATE, TIME) -> DATETIME",
            *(f"DATETIME({text}) -> DATETIME" for text in ZONED),
        ),
        _construct(DATETIME, _datetime),
    ),
    Function(
        "TIME",
        (
            "TIME(INT64, INT64, INT64) -> TIME",
            "TIME(TIMESTAMP, [STRING]) -> TIME",
            "TIME(DATETIME) -> TIME",
            "TIME(TIME) -> TIME",
        ),
        _construct(TIME, _time),
    ),
    Function(
        "TIMESTAMP",
        (
            "TIMESTAMP(STRING, [STRING]) -> TIMESTAMP",
            "TIMESTAMP(DATETIME, [STRING]) -> TIMESTAMP",
            "TIMESTAMP(DATE, [STRING]) -> TIMESTAMP",
            "TIMESTAMP(TIMESTAMP) -> TIMESTAMP",
        ),
        _construct(TIMESTAMP, _datetime),
    ),
    Function("CURRENT_TIMESTAMP", ("CURRENT_TIMESTAMP() -> TIMESTAMP",), "now()"),
    Function("CURRENT_DATE", ("CURRENT_DATE([STRING]) -> DATE",), _current(DATE)),
    Function("CURRENT_DATETIME", ("CURRENT_DATETIME([STRING]) -> DATETIME",), _current(DATETIME)),
    Function("CURRENT_TIME", ("CURRENT_TIME([STRING]) -> TIME",), _current(TIME)),
    Function("UNIX_DATE", ("UNIX_DATE(DATE) -> INT64",), "date_diff('day', DATE '1970-01-01', {0})"),
    Function(
        "DATE_FROM_UNIX_DATE",
        ("DATE_FROM_UNIX_DATE(INT64) -> DATE",),
        "(DATE '1970-01-01' + CAST({0} AS INTEGER))",
    ),
    *(
        Function(f"UNIX_{unit}", (f"UNIX_{unit}(TIMESTAMP) -> INT64",), _unix(size))
        for unit, size in (("SECONDS", 1_000_000), ("MILLIS", 1_000), ("MICROS", 1))
    ),
    *(
        Function(name, (f"{name}(INT64) -> TIMESTAMP",), _from_unix(size))
        for unit, size in (("SECONDS", 1_000_000), ("MILLIS", 1_000), ("MICROS", 1))
        for name in (f"TIMESTAMP_{unit}", f"TIMESTAMP_FROM_UNIX_{unit}")
    ),
    Function(
        "GENERATE_DATE_ARRAY",
        ("GENERATE_DATE_ARRAY(DATE, DATE, [INTERVAL]) -> ARRAY<DATE>",),
        _date_array,
    ),
    Function(
        "GENERATE_TIMESTAMP_ARRAY",
        ("GENERATE_TIMESTAMP_ARRAY(TIMESTAMP, TIMESTAMP, INTERVAL) -> ARRAY<TIMESTAMP>",),
        lambda call: _stepped(call.text(2), f"generate_series({call.arguments})"),
    ),
)
