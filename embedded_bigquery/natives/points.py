"""Dates and times from text as CAST reads them.

Source: "Literals" and "Conversion rules", docs.cloud.google.com/bigquery/docs/reference/standard-sql/lexical.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from embedded_bigquery.natives.native import Native

DAY = r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2}):(?P<second>\d{1,2})(?:\.(?P<fraction>\d{1,6}))?"
OFFSET = r"(?:UTC)?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?"
ZONE = r"(?P<zone>[A-Za-z_]+(?:/[A-Za-z0-9_+-]+)*)"
DATE = re.compile(DAY)
DATETIME = re.compile(rf"{DAY}(?:[ Tt]{CLOCK})?")
TIME = re.compile(CLOCK)
TIMESTAMP = re.compile(rf"{DAY}(?:[ Tt]{CLOCK}(?:{OFFSET}|[Zz]| {ZONE})?| {OFFSET.replace('?P<', '?P<late_')})?")
# Names of zones that DuckDB knows and the tz database, which BigQuery follows, does not.
UNKNOWN_ZONES = frozenset(
    (
        *(
            "ACT",
            "AET",
            "AGT",
            "ART",
            "AST",
            "BET",
            "BST",
            "CAT",
            "CNT",
            "CST",
            "CTT",
            "EAT",
            "ECT",
            "IET",
            "IST",
            "JST",
        ),
        *("MIT", "NET", "NST", "PLT", "PNT", "PRT", "PST", "SST", "VST"),
    )
)


def _local(found: re.Match[str], day: date | None = None) -> datetime:
    """Raises ValueError. A 60th second is the next minute's first."""
    day = day or date(*(int(found[name]) for name in ("year", "month", "day")))
    if found["hour"] is None:
        return datetime(day.year, day.month, day.day)
    second = int(found["second"])
    fraction = "" if second == 60 else found["fraction"] or ""
    clock = time(int(found["hour"]), int(found["minute"]), second - (second == 60), int(fraction.ljust(6, "0") or 0))
    return datetime.combine(day, clock) + timedelta(seconds=second == 60)


def _read(pattern: re.Pattern[str], text: str, message: str, day: date | None = None) -> tuple[re.Match[str], datetime]:
    found = pattern.fullmatch(text)
    if found is not None:
        try:
            return found, _local(found, day)
        except (ValueError, OverflowError):
            pass
    raise ValueError(message)


def to_date(text: str) -> date:
    found = DATE.fullmatch(text)
    try:
        if found is not None:
            return date(*(int(part) for part in found.groups()))
    except ValueError:
        pass
    raise ValueError(f"Invalid date: '{text}'")


def to_datetime(text: str) -> datetime:
    return _read(DATETIME, text, f'Invalid datetime string "{text}"')[1]


def to_time(text: str) -> time:
    return _read(TIME, text, f'Invalid time string "{text}"', date(1970, 1, 1))[1].time()


def to_timestamp(text: str) -> dict[str, Any]:
    """The local time, with its offset in minutes or the zone that the text names."""
    found, local = _read(TIMESTAMP, text.strip(), f"Invalid timestamp: '{text}'")
    zone, minutes = found["zone"], None
    for prefix in ("", "late_"):
        if found[f"{prefix}sign"]:
            size = int(found[f"{prefix}hours"]) * 60 + int(found[f"{prefix}minutes"] or 0)
            if size > 14 * 60:
                raise ValueError(f"Invalid timestamp: '{text}'")
            minutes = -size if found[f"{prefix}sign"] == "-" else size
    if re.search(r"\d[Zz](?: |$)", text) and minutes is None:
        minutes = 0
    return {"local": local, "minutes": minutes, "zone": None if zone is None else known_zone(zone)}


def known_zone(name: str) -> str:
    """The name; raises ValueError for one that BigQuery does not know."""
    if name in UNKNOWN_ZONES:
        raise ValueError(f"Invalid time zone: {name}")
    return name


NATIVES = (
    Native("bq_date", to_date, ("VARCHAR",), "DATE"),
    Native("bq_datetime", to_datetime, ("VARCHAR",), "TIMESTAMP"),
    Native("bq_time", to_time, ("VARCHAR",), "TIME"),
    Native("bq_timestamp", to_timestamp, ("VARCHAR",), "STRUCT(local TIMESTAMP, minutes INTEGER, zone VARCHAR)"),
)
