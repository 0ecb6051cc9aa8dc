"""FORMAT_* and PARSE_* of dates and times, by format elements such as %Y-%m-%d.

Source: "Format elements for date and time parts", docs.cloud.google.com/bigquery/docs/reference/standard-sql/format-elements.
"""  # noqa: E501

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from embedded_bigquery.natives.format_elements import MONTHS, WEEKDAYS
from embedded_bigquery.natives.native import Native
from embedded_bigquery.natives.points import known_zone

EPOCH = datetime(1970, 1, 1)
ELEMENT = re.compile(r"%(?:E[*\d]+S|E4Y|E[zYyCcxX]|O[deHIMmSUwWyu]|.)", re.DOTALL)
SHORTHANDS = {
    "%F": "%Y-%m-%d",
    "%D": "%m/%d/%y",
    "%x": "%m/%d/%y",
    "%T": "%H:%M:%S",
    "%X": "%H:%M:%S",
    "%R": "%H:%M",
    "%r": "%I:%M:%S %p",
    "%c": "%a %b %e %H:%M:%S %Y",
    "%h": "%b",
}
DATE_ELEMENTS = frozenset("AaBbhCDdeFGgjmQUuVWwxYy") | {"E4Y"}
CLOCK_ELEMENTS = frozenset("HIklMPpRrSTX")
ZONE_ELEMENTS = frozenset("Zz") | {"Ez"}


def allowed(element: str, kind: str) -> bool:
    """Whether values of the type have what the element (without %) stands for."""
    if element in "%nt":
        return True
    if element in ("c", "s"):
        return kind in ("DATETIME", "TIMESTAMP")
    is_clock = element in CLOCK_ELEMENTS or re.fullmatch(r"E[*\d]+S", element) is not None
    if is_clock:
        return kind != "DATE"
    if element in ZONE_ELEMENTS:
        return kind == "TIMESTAMP"
    return element not in DATE_ELEMENTS or kind != "TIME"


@lru_cache(maxsize=256)
def pieces(form: str) -> tuple[str, ...]:
    """The format, cut into elements and single characters; Ey and Od count as y and d."""
    found: list[str] = []
    place = 0
    while place < len(form):
        match = ELEMENT.match(form, place)
        text = match.group() if match else form[place]
        place += len(text)
        plain = re.fullmatch(r"%[EO]([a-zA-Z])", text)
        found.append(f"%{plain[1]}" if plain and text != "%Ez" else text)
    return tuple(found)


# ---- writing


def _week(value: datetime, first: int) -> int:
    """Weeks of the year that have begun, from its first `first` (0 Sunday, 1 Monday) on."""
    return (value.timetuple().tm_yday + 6 - (value.isoweekday() - first) % 7) // 7


def _offset(minutes: int, colon: str = "") -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{colon}{abs(minutes) % 60:02d}"


def _zone(minutes: int) -> str:
    if minutes % 60:
        return f"UTC{_offset(minutes)}"
    return f"UTC{minutes // 60:+d}" if minutes else "UTC"


def _seconds(value: datetime, digits: str) -> str:
    if digits == "*":
        return (
            f"{value.second:02d}.{value.microsecond:06d}".rstrip("0").rstrip(".")
            if value.microsecond
            else (f"{value.second:02d}")
        )
    places = int(digits)
    fraction = f"{value.microsecond:06d}".ljust(places, "0")[:places]
    return f"{value.second:02d}" + (f".{fraction}" if places else "")


WRITERS: dict[str, Callable[[datetime, int], str]] = {
    "%A": lambda v, o: WEEKDAYS[v.weekday()],
    "%a": lambda v, o: WEEKDAYS[v.weekday()][:3],
    "%B": lambda v, o: MONTHS[v.month - 1],
    "%b": lambda v, o: MONTHS[v.month - 1][:3],
    "%C": lambda v, o: f"{v.year // 100:02d}",
    "%d": lambda v, o: f"{v.day:02d}",
    "%e": lambda v, o: f"{v.day:2d}",
    "%G": lambda v, o: f"{v.isocalendar().year:04d}",
    "%g": lambda v, o: f"{v.isocalendar().year % 100:02d}",
    "%H": lambda v, o: f"{v.hour:02d}",
    "%I": lambda v, o: f"{(v.hour + 11) % 12 + 1:02d}",
    "%j": lambda v, o: f"{v.timetuple().tm_yday:03d}",
    "%k": lambda v, o: f"{v.hour:2d}",
    "%l": lambda v, o: f"{(v.hour + 11) % 12 + 1:2d}",
    "%M": lambda v, o: f"{v.minute:02d}",
    "%m": lambda v, o: f"{v.month:02d}",
    "%n": lambda v, o: "\n",
    "%P": lambda v, o: "pm" if v.hour >= 12 else "am",
    "%p": lambda v, o: "PM" if v.hour >= 12 else "AM",
    "%Q": lambda v, o: str((v.month + 2) // 3),
    "%S": lambda v, o: f"{v.second:02d}",
    "%s": lambda v, o: str((v - EPOCH) // timedelta(seconds=1) - o * 60),
    "%t": lambda v, o: "\t",
    "%U": lambda v, o: f"{_week(v, 0):02d}",
    "%u": lambda v, o: str(v.isoweekday()),
    "%V": lambda v, o: f"{v.isocalendar().week:02d}",
    "%W": lambda v, o: f"{_week(v, 1):02d}",
    "%w": lambda v, o: str(v.isoweekday() % 7),
    "%Y": lambda v, o: str(v.year),
    "%y": lambda v, o: f"{v.year % 100:02d}",
    "%Z": lambda v, o: _zone(o),
    "%z": lambda v, o: _offset(o),
    "%Ez": lambda v, o: _offset(o, ":"),
    "%E4Y": lambda v, o: f"{v.year:04d}",
    "%%": lambda v, o: "%",
}


def written(value: datetime, offset: int, form: str, kind: str) -> str:
    """The local time by the format; `offset` is its zone's, in minutes. What the type has not stays as it is."""
    text = ""
    for piece in pieces(form):
        if len(piece) < 2 or piece[0] != "%" or not allowed(piece[1:], kind):
            text += piece
        elif piece in SHORTHANDS:
            text += written(value, offset, SHORTHANDS[piece], "DATETIME" if kind != "TIMESTAMP" else kind)
        elif piece in WRITERS:
            text += WRITERS[piece](value, offset)
        elif piece[1] == "E" and piece[-1] == "S":
            text += _seconds(value, piece[2:-1])
        elif piece == "%J":
            raise ValueError("Format element %J not supported yet")
    return text


# ---- reading


def _fail(text: str) -> ValueError:
    return ValueError(f'Failed to parse input string "{text}"')


NUMBERS = {  # digits at most, lowest, highest
    "%Y": (4, 0, 9999), "%E4Y": (4, 0, 9999), "%y": (2, 0, 99), "%C": (2, 0, 99), "%G": (4, 0, 9999),
    "%g": (2, 0, 99), "%m": (2, 1, 12), "%d": (2, 1, 31), "%e": (2, 1, 31), "%H": (2, 0, 23), "%k": (2, 0, 23),
    "%I": (2, 1, 12), "%l": (2, 1, 12), "%M": (2, 0, 59), "%S": (2, 0, 60), "%j": (3, 1, 366), "%Q": (1, 1, 4),
    "%U": (2, 0, 53), "%W": (2, 0, 53), "%V": (2, 1, 53), "%w": (1, 0, 6), "%u": (1, 1, 7),
}  # fmt: skip
SAME = {"%E4Y": "%Y", "%e": "%d", "%k": "%H", "%l": "%I"}


class Reader:
    """Reads one text by a format; `values` gathers what its elements said."""

    def __init__(self, text: str, kind: str) -> None:
        self.text, self.kind, self.place = text, kind, 0
        self.values: dict[str, Any] = {}
        self.skip()

    def skip(self) -> None:
        while self.place < len(self.text) and self.text[self.place].isspace():
            self.place += 1

    def take(self, pattern: str) -> re.Match[str]:
        found = re.compile(pattern, re.IGNORECASE).match(self.text, self.place)
        if found is None:
            raise _fail(self.text)
        self.place = found.end()
        return found

    def read(self, form: str) -> None:
        if re.search(r"(?<!%)(%%)*%$", form):
            raise ValueError("Format string cannot end with a single '%'")
        for piece in pieces(form):
            if piece.isspace() or piece in ("%n", "%t"):
                self.skip()
            elif len(piece) == 1 or piece == "%%":
                self.character(piece[0], form)
            elif not allowed(piece[1:], self.kind):
                raise ValueError(f"Invalid format: {piece} is not allowed for the {self.kind} type.")
            elif piece in SHORTHANDS:
                self.read(SHORTHANDS[piece])
            else:
                self.element(piece)

    def character(self, wanted: str, form: str) -> None:
        if self.place >= len(self.text):
            raise _fail(self.text)
        given = self.text[self.place]
        if given != wanted:
            raise ValueError(
                f"Mismatch between format character '{wanted}' and string character '{given}' "
                f"at string index: {self.place} with format: '{form}'"
            )
        self.place += 1

    def element(self, piece: str) -> None:
        if piece in NUMBERS:
            digits, low, high = NUMBERS[piece]
            number = int(self.take(rf"\d{{{digits if piece == '%E4Y' else 1},{digits}}}").group())
            if not low <= number <= high:
                raise _fail(self.text)
            name = SAME.get(piece, piece)
            self.values.pop(name, None)
            self.values[name] = number  # the order of the keys tells which came last
        elif piece in ("%a", "%A"):
            self.take("|".join(f"{name}|{name[:3]}" for name in WEEKDAYS))
        elif piece in ("%b", "%B"):
            found = self.take("|".join(f"{name}|{name[:3]}" for name in MONTHS)).group().lower()[:3]
            self.values["%m"] = next(n for n, name in enumerate(MONTHS, 1) if name.lower().startswith(found))
        elif piece in ("%p", "%P"):
            self.values["%p"] = self.take("[ap]m").group().lower() == "pm"
        elif piece == "%s":
            self.values["%s"] = int(self.take(r"-?\d+").group())
        elif piece in ("%z", "%Ez"):
            self.offset(piece)
        elif piece == "%Z":
            self.values["zone"] = known_zone(self.take(r"\S+").group())
            self.values.pop("offset", None)
        elif piece[1] == "E" and piece[-1] == "S":
            self.fraction(piece[2:-1])
        else:
            raise _fail(self.text)

    def offset(self, piece: str) -> None:
        colon = ":?" if piece == "%Ez" else ""
        found = self.take(rf"([+-])(\d\d)(?:{colon}(\d\d))?{'|Z' if piece == '%Ez' else ''}")
        minutes = int(found[2] or 0) * 60 + int(found[3] or 0)
        self.values["offset"] = -minutes if found[1] == "-" else minutes
        self.values.pop("zone", None)

    def fraction(self, digits: str) -> None:
        most = "" if digits == "*" else digits
        found = self.take(r"(\d{1,2})" + ("" if digits == "0" else rf"(?:\.(\d{{1,{most}}}))?"))
        if int(found[1]) > 60:
            raise _fail(self.text)
        self.values["%S"] = int(found[1])
        if digits != "0" and found[2]:
            self.values["micros"] = int(found[2].ljust(6, "0")[:6])


def read(text: str, form: str, kind: str) -> dict[str, Any]:
    """The local time that the text stands for, with the offset in minutes or the zone that it names.

    Raises ValueError.
    """
    reader = Reader(text, kind)
    reader.read(form)
    reader.skip()
    if reader.place < len(text):
        raise _fail(text)
    values = reader.values
    if "%s" in values:
        return {"local": EPOCH + timedelta(seconds=values["%s"]), "minutes": 0, "zone": None}
    try:
        day = _day(values)
        hour = values.get("%H", 0)
        if "%I" in values:
            hour = values["%I"] % 12 + 12 * values.get("%p", values["%I"] == 12)
        local = datetime(day.year, day.month, day.day) + timedelta(
            hours=hour,
            minutes=values.get("%M", 0),
            seconds=values.get("%S", 0),
            microseconds=values.get("micros", 0),
        )
    except (ValueError, OverflowError) as error:
        message = str(error)
        is_range = "month" in message or "day is out" in message
        plain = (
            "Out-of-range datetime field in parsing function" if is_range else "Invalid result from parsing function"
        )
        raise ValueError(message if message.startswith(("Year ", "Weekday")) else plain) from None
    return {"local": local, "minutes": values.get("offset"), "zone": values.get("zone")}


def _day(values: dict[str, Any]) -> date:
    year = values.get("%Y")
    if year is None and ("%y" in values or "%C" in values):
        short = values.get("%y")
        century = values.get("%C", (19 if short is not None and short > 68 else 20))
        year = century * 100 + (short or 0)
    if year is None and ("%G" in values or "%g" in values):
        if "%w" in values or "%u" in values:
            raise ValueError("Weekday parse elements are not supported yet")
        short = values.get("%g", 0)
        iso = values.get("%G", short + (1900 if short > 68 else 2000))
        return date.fromisocalendar(iso, values.get("%V", 1), 1)
    year = 1970 if year is None else year
    week = "%U" if "%U" in values else "%W" if "%W" in values else None
    if week is not None:
        if "%w" in values or "%u" in values:
            raise ValueError("Weekday parse elements are not supported yet")
        first = date(year, 1, 1)
        start = first + timedelta(days=(7 - first.isoweekday()) % 7 if week == "%U" else -first.weekday() % 7)
        return start + timedelta(days=7 * (values[week] - 1)) if values[week] else first
    month, day = values.get("%m", values.get("%Q", 1) * 3 - 2), values.get("%d", 1)
    if "%j" in values:
        number = values["%j"]
        size = date(year, 12, 31).timetuple().tm_yday
        if number > size:
            raise ValueError(f"Year {year} has {size} days, but the specified day of year was {number}")
        found = date(year, 1, 1) + timedelta(days=number - 1)
        later = list(values)[list(values).index("%j") :]
        month = values["%m"] if "%m" in later else found.month
        day = values["%d"] if "%d" in later else found.day
    return date(year, month, day)


NATIVES = (
    Native("bq_strftime", written, ("TIMESTAMP", "INTEGER", "VARCHAR", "VARCHAR"), "VARCHAR"),
    Native(
        "bq_strptime",
        read,
        ("VARCHAR", "VARCHAR", "VARCHAR"),
        "STRUCT(local TIMESTAMP, minutes INTEGER, zone VARCHAR)",
    ),
)
