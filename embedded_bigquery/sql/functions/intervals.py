"""INTERVAL: literals, MAKE_INTERVAL and JUSTIFY_*.

Source: "Interval functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/interval_functions.
"""

from __future__ import annotations

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.natives import intervals
from embedded_bigquery.sql.functions.conversion import interval_numbers, made_interval
from embedded_bigquery.sql.functions.duckdb_text import let
from embedded_bigquery.sql.functions.registry import Call, Function

DAY = 86_400_000_000
PARTS = ("year", "month", "day", "hour", "minute", "second")


def literal_interval(text: str, first: str, last: str) -> str:
    """INTERVAL 'text' first [TO last] as DuckDB text; raises InvalidQuery."""
    known = {*intervals.MONTHS, *intervals.DAYS, *intervals.MICROSECONDS}
    if first not in known or last not in known:
        raise InvalidQuery(f"A valid date part name is required but found {first if first not in known else last}")
    try:
        months, days, micros = intervals.of_literal(text, first, last)
    except ValueError as error:
        raise InvalidQuery(str(error)) from error
    return made_interval(str(months), str(days), f"CAST({micros} AS BIGINT)")


def _make(call: Call) -> str:
    years, months, days, hours, minutes, seconds = (
        call.option(name, position) or "CAST(0 AS BIGINT)" for position, name in enumerate(PARTS)
    )
    micros = f"({hours} * 3600000000 + {minutes} * 60000000 + {seconds} * 1000000)"
    checked = f"bq_checked_interval({years} * 12 + {months}, {days}, {micros})"
    return let(checked, made_interval("v_.months", "v_.days", "v_.micros"))


def _justify(call: Call) -> str:
    """Whole days out of the hours, whole months out of the days; all signs then agree where both move."""
    months, days, micros = interval_numbers("v_")
    if call.name == "JUSTIFY_DAYS":
        body = made_interval(f"{months} + {days} // 30", f"{days} % 30", micros)
    elif call.name == "JUSTIFY_HOURS":
        body = made_interval(months, f"({days} * {DAY} + {micros}) // {DAY}", f"({days} * {DAY} + {micros}) % {DAY}")
    else:
        whole = f"(CAST({months} * 30 + {days} AS HUGEINT) * {DAY} + {micros})"
        body = made_interval(f"{whole} // {30 * DAY}", f"{whole} // {DAY} % 30", f"CAST({whole} % {DAY} AS BIGINT)")
    return let(call.text(0), f"CASE WHEN v_ IS NOT NULL THEN {body} END")


FUNCTIONS = (
    Function(
        "MAKE_INTERVAL",
        ("MAKE_INTERVAL([INT64], [INT64], [INT64], [INT64], [INT64], [INT64]) -> INTERVAL",),
        _make,
        options=tuple(f"{name} INT64" for name in PARTS),
    ),
    *(
        Function(name, (f"{name}(INTERVAL) -> INTERVAL",), _justify)
        for name in ("JUSTIFY_DAYS", "JUSTIFY_HOURS", "JUSTIFY_INTERVAL")
    ),
)
