"""CAST … FORMAT of dates and times: values from and to text by format elements such as YYYY-MM-DD.

Source: "Format elements", docs.cloud.google.com/bigquery/docs/reference/standard-sql/format-elements.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from embedded_bigquery.natives.native import Native

MONTHS = tuple(calendar.month_name)[1:]
WEEKDAYS = tuple(calendar.day_name)

# The longest first. What BigQuery knows the name of and does not support is named to be refused.
CATEGORIES = {
    "YEAR": ("YYYY", "YYY", "YY", "Y", "RRRR", "RR"),
    "MONTH": ("MONTH", "MON", "MM"),
    "DAY": ("DDD", "DD", "DAY", "DY", "D"),
    "HOUR": ("HH24", "HH12", "HH"),
    "MINUTE": ("MI",),
    "SECOND": ("SSSSS", "SS", *(f"FF{digits}" for digits in range(1, 10))),
    "MERIDIAN_INDICATOR": ("A.M.", "P.M.", "AM", "PM"),
    "TIME_ZONE": ("TZH", "TZM"),
    "UNSUPPORTED": (
        *("SYYYY", "Y,YYY", "YEAR", "SYEAR", "IYYY", "IYY", "IY", "I", "CC", "SCC", "Q", "RM", "WW", "W", "IW", "J"),
        *("DL", "DS", "TS", "B.C.", "A.D.", "BC", "AD", "FM", "FX", "TH", "SP", "SPTH", "THSP"),
    ),
}
CATEGORY = {element: category for category, elements in CATEGORIES.items() for element in elements}
ELEMENT = re.compile("|".join(re.escape(name) for name in sorted(CATEGORY, key=len, reverse=True)), re.IGNORECASE)
DATE_CATEGORIES = ("YEAR", "MONTH", "DAY")
CLOCK_CATEGORIES = ("HOUR", "MINUTE", "SECOND", "MERIDIAN_INDICATOR")
ALLOWED = {
    "DATE": DATE_CATEGORIES,
    "TIME": CLOCK_CATEGORIES,
    "DATETIME": DATE_CATEGORIES + CLOCK_CATEGORIES,
    "TIMESTAMP": (*DATE_CATEGORIES, *CLOCK_CATEGORIES, "TIME_ZONE"),
}
NOT_PARSED = ("DDD", "DAY", "DY", "D", "AM", "PM")


@dataclass(frozen=True, slots=True)
class Piece:
    """One element of a format; `literal` is set for text that stands for itself."""

    text: str
    name: str = ""
    literal: str | None = None

    @property
    def category(self) -> str:
        return CATEGORY.get(self.name, "LITERAL")


@lru_cache(maxsize=256)
def pieces(form: str) -> tuple[Piece, ...]:
    """A format, cut into its elements; raises ValueError."""
    found: list[Piece] = []
    place = 0
    while place < len(form):
        if form[place] in "-./,';: \t\n":
            space = re.compile(r"\s+").match(form, place)
            text = space.group() if space else form[place]
            found.append(Piece(text, literal=text))
        elif form[place] == '"':
            quoted = re.compile(r'"((?:[^"\\]|\\["\\])*)"').match(form, place)
            if quoted is None:
                raise ValueError(f'Cannot find matching " for quoted literal at {place}')
            text = quoted.group()
            found.append(Piece(text, literal=re.sub(r"\\(.)", r"\1", quoted.group(1))))
        else:
            match = ELEMENT.match(form, place)
            if match is None:
                raise ValueError(f"Cannot find matched format element at {place}")
            text = match.group()
            found.append(Piece(text, text.upper()))
        place += len(text)
    return tuple(found)


def _cased(word: str, like: str) -> str:
    if like[0].islower():
        return word.lower()
    return word.upper() if like[1].isupper() else word.capitalize()


def _sixth(value: datetime) -> str:
    return f"{value.microsecond:06d}000"


WRITERS: dict[str, Callable[[datetime, int, str], str]] = {
    "YYYY": lambda v, _, form: f"{v.year:04d}",
    "RRRR": lambda v, _, form: f"{v.year:04d}",
    "YYY": lambda v, _, form: f"{v.year % 1000:03d}",
    "YY": lambda v, _, form: f"{v.year % 100:02d}",
    "RR": lambda v, _, form: f"{v.year % 100:02d}",
    "Y": lambda v, _, form: str(v.year % 10),
    "MONTH": lambda v, _, form: _cased(MONTHS[v.month - 1], form),
    "MON": lambda v, _, form: _cased(MONTHS[v.month - 1][:3], form),
    "MM": lambda v, _, form: f"{v.month:02d}",
    "DAY": lambda v, _, form: _cased(WEEKDAYS[v.weekday()], form),
    "DY": lambda v, _, form: _cased(WEEKDAYS[v.weekday()][:3], form),
    "D": lambda v, _, form: str(v.isoweekday() % 7 + 1),
    "DD": lambda v, _, form: f"{v.day:02d}",
    "DDD": lambda v, _, form: f"{v.timetuple().tm_yday:03d}",
    "HH": lambda v, _, form: f"{(v.hour + 11) % 12 + 1:02d}",
    "HH12": lambda v, _, form: f"{(v.hour + 11) % 12 + 1:02d}",
    "HH24": lambda v, _, form: f"{v.hour:02d}",
    "MI": lambda v, _, form: f"{v.minute:02d}",
    "SS": lambda v, _, form: f"{v.second:02d}",
    "SSSSS": lambda v, _, form: f"{v.hour * 3600 + v.minute * 60 + v.second:05d}",
    **{f"FF{digits}": lambda v, _, form: _sixth(v)[: int(form[2:])] for digits in range(1, 10)},
    **dict.fromkeys(("AM", "PM"), lambda v, _, form: _cased("PM" if v.hour >= 12 else "AM", form[0] * 2)),
    **dict.fromkeys(("A.M.", "P.M."), lambda v, _, form: _cased("P.M." if v.hour >= 12 else "A.M.", form[0] * 2)),
    "TZH": lambda v, offset, form: f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02d}",
    "TZM": lambda v, offset, form: f"{abs(offset) % 60:02d}",
}


def written(value: datetime, offset: int, form: str, kind: str) -> str:
    """The local time as text; `offset` is its zone's, in minutes. Raises ValueError."""
    text = ""
    for piece in pieces(form):
        if piece.literal is not None:
            text += piece.literal
            continue
        if piece.category == "UNSUPPORTED" and piece.name in ("SYYYY", "Y,YYY", "YEAR", "SYEAR"):
            raise ValueError(f"Unsupported format element '{piece.text}'")
        if piece.category not in ALLOWED[kind]:
            raise ValueError(f"{kind} does not support '{piece.text}'")
        text += WRITERS[piece.name](value, offset, piece.text)
    return text


NUMBERS = {"MM": (1, 12), "DD": (1, 31), "HH24": (0, 23), "HH12": (1, 12), "HH": (1, 12), "MI": (0, 59), "SS": (0, 59)}


def _check(form: tuple[Piece, ...], kind: str) -> None:
    seen: dict[str, Piece] = {}
    for piece in form:
        if piece.literal is not None:
            continue
        if piece.category == "UNSUPPORTED" or piece.name in NOT_PARSED:
            raise ValueError(f"Format element '{piece.text}' is not supported for parsing")
        if piece.category not in ALLOWED[kind]:
            raise ValueError(
                f"Format element in category {piece.category} ('{piece.text}') is not allowed for output type {kind}"
            )
        group = piece.name if piece.category in ("SECOND", "TIME_ZONE") else piece.category
        group = "FF" if group.startswith("FF") else group
        if group in seen:
            both = f"'{seen[group].text}' and '{piece.text}'"
            raise ValueError(f"More than one format element in category {piece.category} exist: {both}")
        seen[group] = piece
    hour = seen.get("HOUR")
    if hour is not None and hour.name != "HH24" and "MERIDIAN_INDICATOR" not in seen:
        raise ValueError(
            f"Format element in category MERIDIAN_INDICATOR is required when format element '{hour.text}' exists"
        )


def _pattern(piece: Piece) -> str:
    if piece.literal is not None:
        return r"\s*" if piece.literal.isspace() else re.escape(piece.literal)
    if piece.category == "YEAR":
        return rf"\d{{1,{len(piece.name)}}}"
    names = {"MONTH": MONTHS, "MON": [month[:3] for month in MONTHS]}.get(piece.name)
    if names is not None:
        return f"(?i:{'|'.join(names)})"
    if piece.name.startswith("FF"):
        return rf"\d{{1,{piece.name[2:]}}}"
    if piece.category == "MERIDIAN_INDICATOR":
        return r"(?i:[ap]\.m\.)"
    return {"SSSSS": r"\d{5}", "TZH": r"[+-]?\s?\d{1,2}", "TZM": r"\d{1,2}"}.get(piece.name, r"\d{1,2}")


def read(text: str, form: str, kind: str, today: date) -> dict[str, Any]:
    """The local time that the text stands for, and its offset in minutes when it has one. Raises ValueError."""
    wanted = pieces(form)
    _check(wanted, kind)
    values: dict[str, Any] = {"YEAR": today.year, "MONTH": today.month, "DAY": 1}
    place = len(text) - len(text.lstrip())
    for piece in wanted:
        found = re.compile(_pattern(piece)).match(text, place)
        if found is None or not _take(values, piece, found.group(), today):
            raise ValueError(f"Failed to parse input timestamp string at {place} with format element '{piece.text}'")
        place = found.end()
    if text[place:].strip():
        raise ValueError(f"Illegal non-space trailing data '{text[place:].strip()}' in timestamp string")
    try:
        day = datetime(values["YEAR"], values["MONTH"], values["DAY"])
    except ValueError:
        raise ValueError("Invalid result from year, month, day values after parsing") from None
    hour = values.get("HOUR", 0)
    if "MERIDIAN_INDICATOR" in values:
        hour = hour % 12 + 12 * values["MERIDIAN_INDICATOR"]
    seconds = values.get("SSSSS", hour * 3600 + values.get("MI", 0) * 60 + values.get("SS", 0))
    local = day + timedelta(seconds=seconds, microseconds=values.get("FF", 0))
    offset = values.get("TZH")
    if "TZM" in values:
        offset = (offset or 0) + (-values["TZM"] if values.get("sign") == "-" else values["TZM"])
    return {"local": local, "minutes": offset}


def _take(values: dict[str, Any], piece: Piece, found: str, today: date) -> bool:
    """Puts what an element read among the values; False when it is out of range."""
    if piece.literal is not None:
        return True
    name = piece.name
    if piece.category == "YEAR":
        values["YEAR"] = _year(name, int(found), today.year)
        return 1 <= int(values["YEAR"]) <= 9999
    if name in ("MONTH", "MON"):
        values["MONTH"] = next(n for n, month in enumerate(MONTHS, 1) if month.lower().startswith(found.lower()))
        return True
    if name.startswith("FF"):
        values["FF"] = int(found.ljust(9, "0")[:6])
        return True
    if piece.category == "MERIDIAN_INDICATOR":
        values["MERIDIAN_INDICATOR"] = found[0] in "pP"
        return True
    if name == "TZH":
        values["sign"] = "-" if found.startswith("-") else "+"
        values["TZH"] = int(found.replace(" ", "")) * 60
        return abs(int(values["TZH"])) <= 14 * 60
    number = int(found)
    low, high = NUMBERS.get(name, (0, {"SSSSS": 86399, "TZM": 59}.get(name, 0)))
    values[piece.category if name in NUMBERS and name not in ("MI", "SS") else name] = number
    return low <= number <= high


def _year(name: str, value: int, current: int) -> int:
    if name == "RR":
        # The century that brings the year nearest to now.
        century = current // 100 * 100
        if value < 50 <= current % 100:
            century += 100
        if value >= 50 > current % 100:
            century -= 100
        return century + value
    modulus = {"Y": 10, "YY": 100, "YYY": 1000}.get(name)
    return value if modulus is None else current // modulus * modulus + value


NATIVES = (
    Native("bq_format_elements", written, ("TIMESTAMP", "INTEGER", "VARCHAR", "VARCHAR"), "VARCHAR"),
    Native(
        "bq_read_elements",
        read,
        ("VARCHAR", "VARCHAR", "VARCHAR", "DATE"),
        "STRUCT(local TIMESTAMP, minutes INTEGER)",
    ),
)
