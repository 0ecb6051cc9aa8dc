"""INTERVAL values from text: (months, days, microseconds).

Source: "Interval type", docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-types.
"""

from __future__ import annotations

import re
from decimal import Decimal

from embedded_bigquery.natives.native import Native

Interval = tuple[int, int, int]

# The canonical form is cut into these fields; a range of parts takes a run of them.
FIELDS = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND")
SEPARATORS = {"YEAR": "-", "MONTH": r"\s+", "DAY": r"\s+", "HOUR": ":", "MINUTE": ":"}
MONTHS = {"YEAR": 12, "QUARTER": 3, "MONTH": 1}
DAYS = {"WEEK": 7, "DAY": 1}
MICROSECONDS = {
    "HOUR": 3_600_000_000,
    "MINUTE": 60_000_000,
    "SECOND": 1_000_000,
    "MILLISECOND": 1_000,
    "MICROSECOND": 1,
}
LIMITS = (("months", 120_000), ("days", 3_660_000), ("microseconds", 316_224_000_000_000_000))
ISO = re.compile(
    r"P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)W)?(?:(-?\d+)D)?"
    r"(?:T(?=[-\d])(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?\d+(?:\.\d*)?|-?\.\d+)S)?)?"
)
# What CAST takes: the fewest separators tell which fields stand in the text.
CAST_RANGES = (
    ("YEAR", "SECOND"),
    ("YEAR", "MINUTE"),
    ("YEAR", "HOUR"),
    ("YEAR", "DAY"),
    ("YEAR", "MONTH"),
    ("MONTH", "SECOND"),
    ("DAY", "SECOND"),
    ("HOUR", "SECOND"),
)


def checked(months: int, days: int, micros: int) -> Interval:
    for value, (name, limit) in zip((months, days, micros), LIMITS, strict=True):
        if abs(value) > limit:
            raise ValueError(f"Interval field {name} '{value}' is out of range -{limit} to {limit}")
    return months, days, micros


def of_part(value: int, part: str) -> Interval:
    return checked(value * MONTHS.get(part, 0), value * DAYS.get(part, 0), value * MICROSECONDS.get(part, 0))


def of_literal(text: str, first: str, last: str) -> Interval:
    """INTERVAL 'text' first [TO last]."""
    if first == last:
        number = text.strip()
        if first == "SECOND" and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", number):
            return checked(0, 0, _micros(number))
        if not re.fullmatch(r"[+-]?\d+", number):
            raise ValueError(f"Invalid INTERVAL value '{text}'")
        return of_part(int(number), first)
    found = _of_range(text, first, last)
    if found is None:
        raise ValueError(f"Invalid INTERVAL value '{text}'")
    return checked(*found)


def _micros(seconds: str) -> int:
    return int(Decimal(seconds) * 1_000_000)


def _of_range(text: str, first: str, last: str) -> Interval | None:
    wanted = FIELDS[FIELDS.index(first) : FIELDS.index(last) + 1]
    pattern = r"\s*"
    for position, name in enumerate(wanted):
        # One sign for the years and months, one for the days, one for the clock.
        starts_group = position == 0 or name in ("DAY", "HOUR")
        number = r"\d+(?:\.\d*)?|\.\d+" if name == "SECOND" else r"\d+"
        pattern += (f"(?P<sign_{name}>[+-]?)" if starts_group else "") + f"(?P<{name}>{number})"
        pattern += SEPARATORS[name] if name != wanted[-1] else r"\s*"
    found = re.fullmatch(pattern, text)
    if found is None:
        return None
    months = days = micros = 0
    sign = 1
    for name in wanted:
        sign = {"-": -1}.get(found[f"sign_{name}"], 1) if f"sign_{name}" in found.groupdict() else sign
        months += sign * int(found[name]) * MONTHS[name] if name in MONTHS else 0
        days += sign * int(found[name]) if name == "DAY" else 0
        if name in MICROSECONDS:
            micros += sign * (_micros(found[name]) if name == "SECOND" else int(found[name]) * MICROSECONDS[name])
    return months, days, micros


def of_text(text: str) -> dict[str, int]:
    """What CAST AS INTERVAL reads: the canonical form, whole or in part, or ISO 8601's."""
    months, days, micros = checked(*(_of_iso(text) if text.startswith("P") else _of_canonical(text)))
    return {"months": months, "days": days, "micros": micros}


def _of_iso(text: str) -> Interval:
    found = ISO.fullmatch(text)
    if found is None or text == "P":
        raise ValueError(f"Invalid INTERVAL value '{text}'")
    years, months, weeks, days, hours, minutes = (int(part or 0) for part in found.groups()[:6])
    micros = hours * MICROSECONDS["HOUR"] + minutes * MICROSECONDS["MINUTE"] + _micros(found[7] or "0")
    return years * 12 + months, weeks * 7 + days, micros


def _of_canonical(text: str) -> Interval:
    for first, last in CAST_RANGES:
        found = _of_range(text, first, last)
        if found is not None:
            return found
    raise ValueError(f"Invalid INTERVAL value '{text}'")


def of_numbers(months: int, days: int, micros: int) -> dict[str, int]:
    checked(months, days, micros)
    return {"months": months, "days": days, "micros": micros}


def iso_text(months: int, days: int, micros: int) -> str:
    """ISO 8601's form, "P1Y2M3DT4H5M6.5S"."""
    parts = ""
    for value, sizes in ((months, (("Y", 12), ("M", 1))), (days, (("D", 1),))):
        parts += _iso_parts(value, sizes)
    clock = _iso_parts(micros, (("H", MICROSECONDS["HOUR"]), ("M", MICROSECONDS["MINUTE"]), ("S", 1_000_000)))
    return "P" + parts + (f"T{clock}" if clock else "") if parts or clock else "P0Y"


def _iso_parts(value: int, sizes: tuple[tuple[str, int], ...]) -> str:
    sign, rest, text = ("-" if value < 0 else ""), abs(value), ""
    for letter, size in sizes:
        count, rest = divmod(rest, size)
        fraction = f".{rest:06d}".rstrip("0") if letter == "S" and rest else ""
        if count or fraction:
            text += f"{sign}{count}{fraction}{letter}"
    return text


RESULT = "STRUCT(months INTEGER, days INTEGER, micros BIGINT)"
NATIVES = (
    Native("bq_interval", of_text, ("VARCHAR",), RESULT),
    Native("bq_iso_interval", iso_text, ("BIGINT", "BIGINT", "BIGINT"), "VARCHAR"),
    Native("bq_checked_interval", of_numbers, ("BIGINT", "BIGINT", "BIGINT"), RESULT),
)
