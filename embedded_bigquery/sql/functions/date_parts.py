"""Date parts: truncating, differences, EXTRACT, LAST_DAY, and INTERVALs of a part.

Source: "Date functions", "Timestamp functions" and their like of BigQuery's reference.
"""

from __future__ import annotations

from collections.abc import Callable

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.functions.conversion import to_string, within
from embedded_bigquery.sql.functions.duckdb_text import at_zone, instant_of, let
from embedded_bigquery.sql.functions.registry import Call, Function
from embedded_bigquery.types import INT64, Type

WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
DATE_PARTS = ("YEAR", "ISOYEAR", "QUARTER", "MONTH", "WEEK", "ISOWEEK", "DAY")
TIME_PARTS = ("HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND")
MICROSECONDS = {
    "DAY": 86_400_000_000,
    "HOUR": 3_600_000_000,
    "MINUTE": 60_000_000,
    "SECOND": 1_000_000,
    "MILLISECOND": 1_000,
    "MICROSECOND": 1,
}
# How a count of a part becomes a DuckDB INTERVAL.
INTERVALS = {
    "YEAR": "to_years",
    "QUARTER": "to_quarters",
    "MONTH": "to_months",
    "WEEK": "to_weeks",
    "DAY": "to_days",
    "HOUR": "to_hours",
    "MINUTE": "to_minutes",
    "SECOND": "to_seconds",
    "MILLISECOND": "to_milliseconds",
    "MICROSECOND": "to_microseconds",
}


def interval(count: str, part: str) -> str:
    """INTERVAL `count` `part` as DuckDB text; raises InvalidQuery on an unknown part."""
    if part not in INTERVALS:
        raise InvalidQuery(f"A valid date part name is required but found {part}")
    # The calendar functions take an INTEGER, those of the clock a BIGINT (seconds and milliseconds a DOUBLE).
    if part in ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY"):
        return f"{INTERVALS[part]}(CAST({count} AS INTEGER))"
    return f"{INTERVALS[part]}({count})"


def allowed(call: Call, part: str, kind: str) -> str:
    """The part, when the type has it; raises InvalidQuery."""
    base = part.split("(")[0]
    parts = {"DATE": DATE_PARTS, "TIME": TIME_PARTS}.get(kind, DATE_PARTS + TIME_PARTS)
    if base not in parts or ("(" in part and (base != "WEEK" or part[5:-1] not in WEEKDAYS)):
        raise InvalidQuery(f"{call.name} does not support the {part} date part")
    return part


def truncated(text: str, part: str) -> str:
    """A DATE or DATETIME cut to the start of its part, as a DuckDB TIMESTAMP."""
    value = f"CAST({text} AS TIMESTAMP)"
    if part == "ISOYEAR":
        return f"date_trunc('week', CAST(make_date(isoyear({value}), 1, 4) AS TIMESTAMP))"
    if part.startswith("WEEK"):
        shift = WEEKDAYS.index(part[5:-1]) if "(" in part else 6
        return f"(date_trunc('week', {value} - to_days({shift})) + to_days({shift}))"
    return f"date_trunc('{'week' if part == 'ISOWEEK' else part.lower()}', {value})"


def _trunc(call: Call) -> str:
    value, kind = call.text(0), call.kind(0) or call.name.split("_")[0]
    part = allowed(call, call.keyword(1) if call.count > 1 else "DAY", kind)
    if kind == "DATE":
        text = f"CAST({truncated(value, part)} AS DATE)"
        # Only the first week of the year 1 begins before it.
        outside = f"'Truncating date to {part} resulted in an out of range date value'"
        return within(text, "DATE", outside) if part.startswith(("WEEK", "ISO")) else text
    if kind == "TIME":
        return f"CAST(date_trunc('{part.lower()}', DATE '1970-01-01' + {value}) AS TIME)"
    if kind == "TIMESTAMP":
        zone = call.text(2) if call.count > 2 else None
        if part in DATE_PARTS or "(" in part:
            return instant_of(zone, truncated(at_zone(zone, value), part))
        # Of the hour that comes twice when clocks are put back, the same one.
        return let(value, f"v_ - ({at_zone(zone, 'v_')} - {truncated(at_zone(zone, 'v_'), part)})")
    return truncated(value, part)


def _diff(call: Call) -> str:
    later, earlier, kind = call.text(0), call.text(1), call.kind(0) or call.name.split("_")[0]
    part = allowed(call, call.keyword(2), kind)
    if kind == "TIMESTAMP":
        if part not in MICROSECONDS:
            raise InvalidQuery(f"TIMESTAMP_DIFF does not support the {part} date part")
        # Whole units that have passed, not boundaries: integer division rounds toward zero.
        return f"((epoch_us({later}) - epoch_us({earlier})) // {MICROSECONDS[part]})"
    if part == "ISOYEAR":
        return f"(isoyear({later}) - isoyear({earlier}))"
    if part == "ISOWEEK" or part.startswith("WEEK"):
        return f"(date_diff('day', {truncated(earlier, part)}, {truncated(later, part)}) // 7)"
    return f"date_diff('{part.lower()}', {earlier}, {later})"


def _shift(sign: str) -> Callable[[Call], str]:
    def render(call: Call) -> str:
        kind = call.kind(0) or call.name.split("_")[0]
        text = f"({call.text(0)} {sign} {call.text(1)})"
        _refuse_calendar(call, kind)
        if kind == "TIME":
            return text
        return within(f"CAST({text} AS DATE)" if kind == "DATE" else text, kind, _overflow(call, kind, sign))

    return render


def _overflow(call: Call, kind: str, sign: str) -> str:
    step = call.nodes[1] if len(call.nodes) > 1 else None
    amount = "an INTERVAL"
    if isinstance(step, nodes.Interval) and isinstance(step.value, nodes.Number | nodes.String):
        number = step.value.text if isinstance(step.value, nodes.Number) else step.value.value
        amount = f"{number} {step.part}"
    verb, word = ("Adding", "to") if sign == "+" else ("Subtracting", "from")
    text = call.text(0)
    shown = to_string(text, Type(kind)) if len(text) <= 120 else "''"
    return f"'{verb} {amount} {word} {kind.lower()} ' || {shown} || ' causes overflow'"


def _refuse_calendar(call: Call, kind: str) -> None:
    node = call.nodes[1] if len(call.nodes) > 1 else None
    unit = node.part if isinstance(node, nodes.Interval) else ""
    wrong = (
        (kind == "TIMESTAMP" and unit in ("WEEK", "MONTH", "QUARTER", "YEAR"))
        or (kind == "DATE" and unit in TIME_PARTS)
        or (kind == "TIME" and unit in ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR"))
    )
    if wrong:
        raise InvalidQuery(f"{call.name} does not support the {unit} date part")


def extract(part: str, text: str, kind: str, zone: str | None = None) -> str:
    """EXTRACT(part FROM text [AT TIME ZONE zone]) as DuckDB text; raises InvalidQuery or NotSupported."""
    value = at_zone(zone, text) if kind == "TIMESTAMP" else text
    if kind == "INTERVAL":
        return _extract_interval(part, text)
    if (kind == "DATE" and part in TIME_PARTS) or (kind == "TIME" and part not in TIME_PARTS):
        raise InvalidQuery(f"EXTRACT from {kind} does not support the {part} date part")
    if part in ("DATE", "TIME", "DATETIME"):
        return value if part == "DATETIME" else f"CAST({value} AS {part})"
    if part == "WEEK" or part.startswith("WEEK("):
        # Weeks since the year's first such weekday; the days before it are week 0.
        first = truncated(f"date_trunc('year', CAST({value} AS TIMESTAMP))", part)
        start = f"date_trunc('year', CAST({value} AS TIMESTAMP))"
        weeks = f"(date_diff('day', {first}, {truncated(value, part)}) // 7)"
        return f"(CASE WHEN {first} = {start} THEN {weeks} + 1 ELSE {weeks} END)"
    simple = {
        "YEAR": "year",
        "QUARTER": "quarter",
        "MONTH": "month",
        "DAY": "day",
        "DAYOFYEAR": "dayofyear",
        "ISOYEAR": "isoyear",
        "ISOWEEK": "week",
        "HOUR": "hour",
        "MINUTE": "minute",
        "SECOND": "second",
    }
    if part in simple:
        return f"date_part('{simple[part]}', {value})"
    if part == "DAYOFWEEK":
        return f"(date_part('dayofweek', {value}) + 1)"
    if part == "MILLISECOND":
        return f"(date_part('microseconds', {value}) // 1000 % 1000)"
    if part == "MICROSECOND":
        return f"(date_part('microseconds', {value}) % 1000000)"
    raise InvalidQuery(f"A valid date part name is required but found {part}")


def _extract_interval(part: str, text: str) -> str:
    months = f"(date_part('year', {text}) * 12 + date_part('month', {text}))"
    micros = (
        f"(date_part('hour', {text}) * 3600000000 + date_part('minute', {text}) * 60000000 "
        f"+ date_part('microseconds', {text}))"
    )
    parts = {
        "YEAR": f"({months} // 12)",
        "MONTH": f"({months} % 12)",
        "DAY": f"date_part('day', {text})",
        "HOUR": f"({micros} // 3600000000)",
        "MINUTE": f"({micros} // 60000000 % 60)",
        "SECOND": f"({micros} // 1000000 % 60)",
        "MILLISECOND": f"({micros} // 1000 % 1000)",
        "MICROSECOND": f"({micros} % 1000000)",
    }
    if part not in parts:
        raise NotSupported(f"EXTRACT({part} FROM INTERVAL)")
    return parts[part]


def _extract(call: Call) -> str:
    zone = call.text(2) if call.count > 2 else None
    return extract(call.keyword(0), call.text(1), call.kind(1), zone)


def _extracted(call: Call) -> Type | None:
    return Type(call.keyword(0)) if call.keyword(0) in ("DATE", "TIME", "DATETIME") else INT64


def _last_day(call: Call) -> str:
    part = call.keyword(1) if call.count > 1 else "MONTH"
    if allowed(call, part, "DATE") == "DAY":
        raise InvalidQuery("LAST_DAY does not support the DAY date part")
    step = {"ISOYEAR": "", "ISOWEEK": "WEEK"}.get(part, part.split("(")[0])
    if not step:
        # The next ISO year starts in the week of its 4 January.
        return (
            f"CAST(date_trunc('week', CAST(make_date(isoyear({call.text(0)}) + 1, 1, 4) AS TIMESTAMP)) "
            "- to_days(1) AS DATE)"
        )
    return f"CAST({truncated(call.text(0), part)} + {interval('1', step)} - to_days(1) AS DATE)"


KINDS = ("DATE", "DATETIME", "TIME", "TIMESTAMP")


def _signatures(name: str, template: str) -> tuple[str, ...]:
    """The function's own type first; the names that have no own type take the others as well."""
    own = name.split("_")[0]
    kinds = {"TIME": ("TIME",), "TIMESTAMP": ("TIMESTAMP", "DATETIME")}.get(own, (own, "DATETIME", "TIMESTAMP"))
    return tuple(f"{name}({template.replace('X', kind)}" for kind in dict.fromkeys(kinds))


FUNCTIONS = (
    *(
        Function(f"{kind}_{verb}", _signatures(f"{kind}_{verb}", "X, INTERVAL) -> X"), _shift(sign))
        for kind in KINDS
        for verb, sign in (("ADD", "+"), ("SUB", "-"))
    ),
    *(
        Function(f"{kind}_TRUNC", _signatures(f"{kind}_TRUNC", "X, [KEYWORD], [STRING]) -> X"), _trunc)
        for kind in KINDS
    ),
    *(Function(f"{kind}_DIFF", _signatures(f"{kind}_DIFF", "X, X, KEYWORD) -> INT64"), _diff) for kind in KINDS),
    Function(
        "EXTRACT",
        tuple(f"EXTRACT(KEYWORD, {kind}, [STRING]) -> INT64" for kind in (*KINDS, "INTERVAL")),
        _extract,
        infer=_extracted,
    ),
    Function("LAST_DAY", ("LAST_DAY(DATE, [KEYWORD]) -> DATE", "LAST_DAY(DATETIME, [KEYWORD]) -> DATE"), _last_day),
)
