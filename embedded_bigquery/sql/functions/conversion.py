"""CAST and SAFE_CAST between BigQuery's types, as DuckDB text.

Source: "Conversion functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/conversion_functions.
"""

from __future__ import annotations

from collections.abc import Callable

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql.functions.constants import constant
from embedded_bigquery.sql.functions.duckdb_text import at_zone, fail, instant_of, is_short, let, zone_or_default
from embedded_bigquery.sql.functions.parsing import from_string, unless_null
from embedded_bigquery.types import STRING, Type, quoted

NUMBERS = ("INT64", "FLOAT64", "NUMERIC", "BIGNUMERIC")
# What each type may be cast to, besides itself.
CASTABLE = {
    "INT64": (*NUMBERS, "BOOL", "STRING"),
    "FLOAT64": (*NUMBERS, "STRING"),
    "NUMERIC": (*NUMBERS, "STRING"),
    "BIGNUMERIC": (*NUMBERS, "STRING"),
    "BOOL": ("INT64", "STRING"),
    "STRING": (*NUMBERS, "BOOL", "BYTES", "DATE", "DATETIME", "TIME", "TIMESTAMP", "INTERVAL", "RANGE"),
    "BYTES": ("STRING",),
    "DATE": ("STRING", "DATETIME", "TIMESTAMP"),
    "DATETIME": ("STRING", "DATE", "TIME", "TIMESTAMP"),
    "TIME": ("STRING",),
    "TIMESTAMP": ("STRING", "DATE", "DATETIME", "TIME"),
    "INTERVAL": ("STRING",),
    "RANGE": ("STRING",),
    "JSON": (),
}


def cast(text: str, source: Type | None, target: Type, *, safe: bool = False, zone: str | None = None) -> str:
    """`text` of type `source` as `target`. `safe`: NULL instead of an error; `zone` is DuckDB text.

    Raises InvalidQuery for a pair that BigQuery does not cast. An unknown source is left to DuckDB.
    """
    if source == target:
        return text
    if source is None:
        return f"{'TRY_CAST' if safe else 'CAST'}({text} AS {target.duckdb()})"
    if source.is_array and target.is_array and source.element and target.element:
        inner = cast("item_", source.element, target.element, safe=safe, zone=zone)
        return f"list_transform({text}, lambda item_: {inner})"
    if source.is_struct and target.is_struct and len(source.fields) == len(target.fields):
        return _cast_struct(text, source, target, safe, zone)
    if target.kind not in CASTABLE.get(source.kind, ()):
        raise InvalidQuery(f"Invalid cast from {source} to {target}")
    if target.kind == "STRING":
        return to_string(text, source, zone=zone, safe=safe)
    if source.kind == "STRING":
        return constant(text, target, zone) or let_unless_short(
            text, lambda name: _from_string(name, target, safe, zone)
        )
    return _between(text, source.kind, target, safe, zone)


def _big(text: str, source: str, target: str) -> str:
    """Between BIGNUMERIC, which is kept as a whole number times 10 to the 38th, and another number."""
    if target == "BIGNUMERIC":
        digits = f"replace(CAST(CAST({text} AS DECIMAL(38, 9)) AS VARCHAR), '.', '')"
        return {
            "INT64": f"CAST(CAST({text} AS VARCHAR) || '{'0' * 38}' AS BIGNUM)",
            "NUMERIC": f"CAST({digits} || '{'0' * 29}' AS BIGNUM)",
            "FLOAT64": f"bq_big_of_double({text})",
        }[source]
    return {
        "INT64": f"bq_big_integer({text})",
        "NUMERIC": f"CAST(bq_big_numeric({text}) AS DECIMAL(38, 9))",
        "FLOAT64": f"CAST(bq_big_text({text}) AS DOUBLE)",
    }[target]


LIMITS = {
    "DATE": ("DATE '0001-01-01'", "DATE '9999-12-31'"),
    "DATETIME": ("TIMESTAMP '0001-01-01'", "TIMESTAMP '9999-12-31 23:59:59.999999'"),
    "TIMESTAMP": ("TIMESTAMPTZ '0001-01-01 00:00:00+00'", "TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'"),
}


def within(text: str, kind: str, message: str) -> str:
    """A date or time, or an error with `message` (DuckDB text) outside of the years 1 to 9999, which DuckDB exceeds."""
    low, high = LIMITS[kind]

    def checked(value: str) -> str:
        return f"CASE WHEN {value} < {low} OR {value} > {high} THEN {fail(message)} ELSE {value} END"

    return checked(text) if len(text) <= 120 and "SELECT " not in text else let(text, checked("v_"))


def let_unless_short(text: str, build: Callable[[str], str]) -> str:
    """`build(name)` with the value bound to a name, or used as it is when it is but a name or literal."""
    return build(text) if is_short(text) else let(text, build("v_"))


def _cast_struct(text: str, source: Type, target: Type, safe: bool, zone: str | None) -> str:
    pairs = zip(source.storage_fields(), target.storage_fields(), strict=True)
    parts = ", ".join(
        f"{quoted(new)} := {cast(f'({text}).{quoted(old)}', a.type, b.type, safe=safe, zone=zone)}"
        for (old, a), (new, b) in pairs
    )
    return f"CASE WHEN ({text}) IS NULL THEN NULL ELSE struct_pack({parts}) END"


def _between(text: str, source: str, target: Type, safe: bool, zone: str | None) -> str:
    word = "TRY_CAST" if safe else "CAST"
    if source in ("DATE", "DATETIME") and target.kind == "TIMESTAMP":
        return instant_of(zone, f"CAST({text} AS TIMESTAMP)")
    if source == "TIMESTAMP":
        local = at_zone(zone, text)
        return local if target.kind == "DATETIME" else f"CAST({local} AS {target.duckdb()})"
    if source == "INT64" and target.kind == "BOOL":
        return f"({text} <> 0)"
    if target.kind == "INT64" and source == "FLOAT64":
        # DuckDB rounds half to even here, BigQuery half away from zero.
        return f"{word}(round({text}) AS BIGINT)"
    if "BIGNUMERIC" in (source, target.kind):
        found = _big(text, source, target.kind)
        return f"TRY({found})" if safe else found
    if source == "FLOAT64" and target.kind == "NUMERIC":
        # DuckDB multiplies by ten to the scale: beyond 2**53 that is inexact.
        exact = let_unless_short(
            text,
            lambda v: f"CASE WHEN abs({v}) < 4000000 THEN CAST({v} AS VARCHAR) ELSE bq_exact_decimal({v}, 9) END",
        )
        return f"{word}({f'TRY({exact})' if safe else exact} AS {target.duckdb()})"
    return f"{word}({text} AS {target.duckdb()})"


def to_string(text: str, source: Type, *, zone: str | None = None, safe: bool = False) -> str:
    """What CAST(… AS STRING) gives, as DuckDB text."""
    kind = source.kind
    if kind == "FLOAT64":
        # 15 digits when they suffice to read the number back, else 17; -0.0 prints as "-0", 1.0 as "1".
        return let_unless_short(
            text,
            lambda v: (
                f"CASE WHEN isnan({v}) THEN 'nan' WHEN CAST(printf('%.15g', CAST({v} AS DOUBLE)) AS DOUBLE) = {v} "
                f"THEN printf('%.15g', CAST({v} AS DOUBLE)) ELSE printf('%.17g', CAST({v} AS DOUBLE)) END"
            ),
        )
    if kind == "BIGNUMERIC":
        return f"bq_big_text({text})"
    if kind == "NUMERIC":
        return f"rtrim(rtrim(CAST(CAST({text} AS {source.duckdb()}) AS VARCHAR), '0'), '.')"
    if kind == "BYTES":
        return f"TRY(decode({text}))" if safe else f"decode({text})"
    if kind == "TIME":
        return let_unless_short(text, lambda v: f"left(CAST({v} AS VARCHAR), 8) || {_fraction(v)}")
    if kind == "DATETIME":
        return let_unless_short(text, lambda v: f"strftime({v}, '%Y-%m-%d %H:%M:%S') || {_fraction(v)}")
    if kind == "TIMESTAMP":
        return let_unless_short(text, lambda v: _timestamp_text(v, zone))
    if kind == "INTERVAL":
        return let_unless_short(text, interval_text)
    if kind == "RANGE":
        return let_unless_short(text, lambda v: range_text(v, source))
    return f"CAST({text} AS VARCHAR)"


def _fraction(text: str) -> str:
    micros = f"(date_part('microseconds', {text}) % 1000000)"
    return (
        f"CASE WHEN {micros} = 0 THEN '' "
        f"WHEN {micros} % 1000 = 0 THEN printf('.%03d', CAST({micros} // 1000 AS BIGINT)) "
        f"ELSE printf('.%06d', CAST({micros} AS BIGINT)) END"
    )


def _timestamp_text(text: str, zone: str | None) -> str:
    zone = zone_or_default(zone)
    local = at_zone(zone, text)
    offset = "'+00'"
    if zone is not None:
        minutes = f"date_diff('minute', timezone('UTC', {text}), {local})"
        offset = (
            f"printf('%s%02d', CASE WHEN {minutes} < 0 THEN '-' ELSE '+' END, CAST(abs({minutes}) // 60 AS BIGINT)) || "
            f"CASE WHEN {minutes} % 60 = 0 THEN '' ELSE printf(':%02d', CAST(abs({minutes}) % 60 AS BIGINT)) END"
        )
    return f"strftime({local}, '%Y-%m-%d %H:%M:%S') || {_fraction(local)} || {offset}"


def made_interval(months: str, days: str, micros: str) -> str:
    """DuckDB text of an INTERVAL of these numbers."""
    return f"(to_months(CAST({months} AS INTEGER)) + to_days(CAST({days} AS INTEGER)) + to_microseconds({micros}))"


def interval_numbers(text: str) -> tuple[str, str, str]:
    """DuckDB text of an INTERVAL's months, days and microseconds."""
    return (
        f"(date_part('year', {text}) * 12 + date_part('month', {text}))",
        f"date_part('day', {text})",
        # DuckDB's "microseconds" holds the seconds as well.
        f"(date_part('hour', {text}) * 3600000000 + date_part('minute', {text}) * 60000000 "
        f"+ date_part('microseconds', {text}))",
    )


def interval_text(text: str) -> str:
    """BigQuery's "years-months days hours:minutes:seconds" of an INTERVAL."""
    months, days, micros = interval_numbers(text)
    rest = f"(abs({micros}) % 1000000)"
    return (
        f"printf('%s%d-%d %d %s%d:%d:%d', CASE WHEN {months} < 0 THEN '-' ELSE '' END, "
        f"CAST(abs({months}) // 12 AS BIGINT), CAST(abs({months}) % 12 AS BIGINT), "
        f"CAST({days} AS BIGINT), CASE WHEN {micros} < 0 THEN '-' ELSE '' END, "
        f"CAST(abs({micros}) // 3600000000 AS BIGINT), CAST(abs({micros}) // 60000000 % 60 AS BIGINT), "
        f"CAST(abs({micros}) // 1000000 % 60 AS BIGINT)) || CASE WHEN {rest} = 0 THEN '' "
        f"WHEN {rest} % 1000 = 0 THEN printf('.%03d', CAST({rest} // 1000 AS BIGINT)) "
        f"ELSE printf('.%06d', CAST({rest} AS BIGINT)) END"
    )


def range_text(text: str, source: Type) -> str:
    """A RANGE as "[start, end)"; an end at infinity is UNBOUNDED."""
    assert source.element is not None
    parts = [f'({text})."{part}"' for part in ("start", "end")]
    start, end = (
        f"CASE WHEN isfinite({part}) THEN {to_string(part, source.element)} ELSE 'UNBOUNDED' END" for part in parts
    )
    return f"CASE WHEN ({text}) IS NULL THEN NULL ELSE '[' || {start} || ', ' || {end} || ')' END"


def _from_string(text: str, target: Type, safe: bool, zone: str | None) -> str:
    """`text` is a name or a literal: it is repeated."""
    if target.kind == "INTERVAL":
        found = f"bq_interval({text})"
        return let(f"TRY({found})" if safe else found, made_interval("v_.months", "v_.days", "v_.micros"))
    if target.kind == "RANGE":
        return _range_from_string(text, target, safe)
    return from_string(text, target, safe, zone)


def _range_from_string(text: str, target: Type, safe: bool) -> str:
    assert target.element is not None
    name = target.element.duckdb()
    form = r"^\[\s*(.*?)\s*, \s*(.*?)\s*\)$"
    parts = []
    for position, infinity in ((1, "-infinity"), (2, "infinity")):
        piece = f"regexp_extract({text}, '{form}', {position})"
        value = cast(piece, STRING, target.element, safe=safe)
        parts.append(
            f"CASE WHEN upper({piece}) IN ('UNBOUNDED', 'NULL') THEN CAST('{infinity}' AS {name}) ELSE {value} END"
        )
    message = f"'Failed to parse range: range must be formatted exactly as [START, END) (found ' || {text} || ')'"
    order = "'Range start element must be smaller than range end element'"
    pair = f'struct_pack("start" := {parts[0]}, "end" := {parts[1]})'
    checked = let(pair, f'CASE WHEN v_."start" < v_."end" THEN v_ ELSE {fail(order, safe=safe)} END')
    return f"CASE WHEN regexp_matches({text}, '{form}') THEN {checked} ELSE {unless_null(text, message, safe)} END"
