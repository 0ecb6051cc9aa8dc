"""Values: DuckDB -> Python -> the API's JSON.

DuckDB's TIMESTAMPTZ needs pytz to be fetched and its INTERVAL loses months, so neither is fetched
raw: `fetch_sql` wraps a query so that they arrive as integers, and `from_duckdb` builds Python
values from those. INTERVAL is (months, days, microseconds), STRUCT a tuple by position, RANGE (start, end).
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.natives.decimals import from_text, text_of
from embedded_bigquery.types import Field, Type, quoted

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
TimestampText = Callable[[datetime], str]


def needs_wrap(kind: Type) -> bool:
    """Whether a value of this type holds something that DuckDB must not hand over as it is."""
    if kind.kind in ("TIMESTAMP", "INTERVAL", "RANGE"):
        return True
    if kind.element is not None:
        return needs_wrap(kind.element)
    return any(needs_wrap(field.type) for field in kind.fields)


def fetch_sql(sql: str, fields: Sequence[Field]) -> str:
    """The query `sql` with its columns in a form that can be fetched without loss."""
    if not any(needs_wrap(field.type) for field in fields):
        return sql
    names = [f"c{position}" for position in range(len(fields))]
    columns = ", ".join(_wrapped(name, field.type) for name, field in zip(names, fields, strict=True))
    return f"SELECT {columns} FROM ({sql}) AS _rows({', '.join(names)})"


def _wrapped(value: str, kind: Type, depth: int = 0) -> str:
    if not needs_wrap(kind):
        return value
    if kind.kind == "TIMESTAMP":
        return f"epoch_us({value})"
    if kind.kind == "INTERVAL":
        return (
            f"CASE WHEN {value} IS NOT NULL THEN [date_part('year', {value}) * 12 + date_part('month', {value}), "
            f"date_part('day', {value}), date_part('hour', {value}) * 3600000000 + "
            f"date_part('minute', {value}) * 60000000 + date_part('microseconds', {value})] END"
        )
    if kind.is_array and kind.element is not None:
        item = f"v{depth}"
        return f"list_transform({value}, lambda {item}: {_wrapped(item, kind.element, depth + 1)})"
    if kind.element is not None:  # RANGE: an end that is unbounded is stored as an infinity
        ends = {part: f'({value})."{part}"' for part in ("start", "end")}
        inner = ", ".join(
            f'"{part}" := CASE WHEN isfinite({end}) THEN {_wrapped(end, kind.element, depth)} END'
            for part, end in ends.items()
        )
    else:
        parts = [(name, field.type) for name, field in kind.storage_fields()]
        inner = ", ".join(f"{quoted(n)} := {_wrapped(f'({value}).{quoted(n)}', t, depth)}" for n, t in parts)
    return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({inner}) END"


def from_duckdb(value: Any, kind: Type) -> Any:
    """The Python value of what `fetch_sql` fetched."""
    if value is None:
        return None
    if kind.kind == "TIMESTAMP":
        return EPOCH + timedelta(microseconds=value)
    if kind.kind == "INTERVAL":
        return tuple(value)
    if kind.kind == "BIGNUMERIC":
        return Decimal(text_of(value))
    if kind.is_array and kind.element is not None:
        return [from_duckdb(item, kind.element) for item in value]
    if kind.element is not None:
        return tuple(from_duckdb(item, kind.element) for item in value.values())
    if kind.is_struct:
        pairs = zip(value.values(), kind.fields, strict=True)
        return tuple(from_duckdb(item, field.type) for item, field in pairs)
    return value


def sized(value: Any, kind: Type, sizes: tuple[int, ...]) -> Any:
    """The value within its declared sizes, such as STRING(5) or NUMERIC(10, 2); raises InvalidQuery."""
    if kind.kind in ("STRING", "BYTES"):
        if len(value) > sizes[0]:
            raise InvalidQuery(f"Out of range: value of {len(value)} is too long for {kind}({sizes[0]})")
        return value
    precision, scale = sizes[0], sizes[1] if len(sizes) > 1 else 0
    rounded = value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    if abs(rounded) >= Decimal(10) ** (precision - scale):
        raise InvalidQuery(f"Out of range: value {value} does not fit {kind}({precision}, {scale})")
    return rounded


def to_duckdb(value: Any, kind: Type) -> Any:
    """A Python value in a form that can be bound to `CAST($1 AS <DuckDB type>)` without loss."""
    if value is None:
        return None
    if kind.kind == "BIGNUMERIC":
        return from_text(str(value))
    if kind.kind == "TIMESTAMP":
        return value.isoformat()  # an aware datetime would need pytz
    if kind.kind == "INTERVAL":
        months, days, micros = value
        return f"{months} months {days} days {micros} microseconds"
    if kind.is_array and kind.element is not None:
        return [to_duckdb(item, kind.element) for item in value]
    if kind.element is not None:
        start, end = value
        return {
            "start": "-infinity" if start is None else to_duckdb(start, kind.element),
            "end": "infinity" if end is None else to_duckdb(end, kind.element),
        }
    if kind.is_struct:
        pairs = zip(kind.storage_fields(), value, strict=True)
        return {name: to_duckdb(item, field.type) for (name, field), item in pairs}
    return value


def timestamp_micros(value: datetime) -> str:
    """Microseconds since 1970, exactly."""
    return str((value - EPOCH) // MICROSECOND)


def timestamp_seconds(value: datetime) -> str:
    """Seconds since 1970 as a FLOAT64, which keeps microseconds until 2255: `1.3575168E9`."""
    seconds = (value - EPOCH) // MICROSECOND / 1_000_000
    if seconds == 0 or 1e-3 <= abs(seconds) < 1e7:
        return repr(seconds)
    sign, digits, _ = (exact := Decimal(repr(seconds)).normalize()).as_tuple()
    first, *rest = map(str, digits)
    return f"{'-' if sign else ''}{first}.{''.join(rest) or '0'}E{exact.adjusted()}"


def timestamp_iso(value: datetime) -> str:
    return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def to_api(value: Any, kind: Type, timestamp: TimestampText = timestamp_micros) -> Any:
    """The API's JSON for a Python value: text, or {"f": [{"v": …}]} and [{"v": …}] when nested."""
    if value is None:
        return [] if kind.is_array else None
    if kind.is_array and kind.element is not None:
        return [{"v": to_api(item, kind.element, timestamp)} for item in value]
    if kind.element is not None:
        start, end = ("UNBOUNDED" if item is None else _scalar(item, kind.element.kind, timestamp) for item in value)
        return f"[{start}, {end})"
    if kind.is_struct:
        return {"f": [{"v": to_api(v, f.type, timestamp)} for v, f in zip(value, kind.fields, strict=True)]}
    return _scalar(value, kind.kind, timestamp)


def _scalar(value: Any, kind: str, timestamp: TimestampText) -> str:
    if kind == "BOOL":
        return "true" if value else "false"
    if kind == "FLOAT64":
        return _float_text(float(value))
    if kind in ("NUMERIC", "BIGNUMERIC"):
        return decimal_text(Decimal(value))
    if kind == "BYTES":
        return base64.b64encode(value).decode("ascii")
    if kind == "TIMESTAMP":
        return timestamp(value)
    if kind == "INTERVAL":
        return interval_text(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


def _float_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def decimal_text(value: Decimal) -> str:
    """A NUMERIC as BigQuery prints it: no exponent, no trailing zeros."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def interval_text(value: tuple[int, int, int]) -> str:
    """BigQuery's canonical form: years-months days hours:minutes:seconds."""
    months, days, micros = value
    years, month = divmod(abs(months), 12)
    seconds, fraction = divmod(abs(micros), 1_000_000)
    clock = f"{seconds // 3600}:{seconds // 60 % 60}:{seconds % 60}"
    if fraction:
        clock += f".{fraction:06d}" if fraction % 1000 else f".{fraction // 1000:03d}"
    return f"{'-' if months < 0 else ''}{years}-{month} {days} {'-' if micros < 0 else ''}{clock}"


def row_to_api(
    row: Sequence[Any], fields: Sequence[Field], timestamp: TimestampText = timestamp_micros
) -> dict[str, Any]:
    """One row of a result as tabledata.list and getQueryResults give it."""
    return {"f": [{"v": to_api(value, field.type, timestamp)} for value, field in zip(row, fields, strict=True)]}
