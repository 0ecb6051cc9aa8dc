"""Small pieces of DuckDB text that the topics share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

LITERAL = re.compile(r"CAST\([-'\w.+]* AS \w+\)")
UTC = "UTC"
# The zone of every conversion that names none: @@time_zone, of the statement that is being translated.
_default_zone = ContextVar("default_zone", default=UTC)


@contextmanager
def default_zone(name: str) -> Iterator[None]:
    """Local times stand in this zone unless they say otherwise."""
    token = _default_zone.set(name)
    try:
        yield
    finally:
        _default_zone.reset(token)


def zone_or_default(zone: str | None) -> str | None:
    """The zone as DuckDB text; None is UTC."""
    if zone is None and (name := _default_zone.get()) != UTC:
        return literal(name)
    return zone


def literal(value: str) -> str:
    """A DuckDB string literal."""
    return "'" + value.replace("'", "''") + "'"


def fail(message: str, *, safe: bool = False) -> str:
    """An expression that raises `message` (DuckDB text) when it is evaluated, or is NULL where `safe`.

    It fits where any type is wanted.
    """
    return "NULL" if safe else f"bq_error({message})"


def at_zone(zone: str | None, text: str) -> str:
    """The local time of an instant, or the instant of a local time; `zone` is DuckDB text."""
    zone = zone_or_default(zone)
    if zone is None:
        return f"timezone('UTC', {text})"
    if zone.startswith("'"):
        # An offset has a name of its own in DuckDB.
        return f"timezone({zone.replace(chr(39), chr(39) + 'GMT', 1) if zone[1:2] in ('+', '-') else zone}, {text})"
    return f"timezone(CASE WHEN regexp_matches({zone}, '^[+-]') THEN 'GMT' || {zone} ELSE {zone} END, {text})"


def instant_of(zone: str | None, local: str) -> str:
    """The instant of a local time; of the two when clocks are put back the earlier, where DuckDB takes the later."""
    zone = zone_or_default(zone)
    if zone is None or zone.upper() in ("'UTC'", "'GMT'"):
        return f"timezone('UTC', {local})"
    here, before = at_zone(zone, "z_.i"), at_zone(zone, "z_.i - to_hours(1)")
    pair = f"struct_pack(l := {local}, i := {at_zone(zone, local)})"
    return let(pair, f"CASE WHEN {before} = z_.l AND {here} = z_.l THEN z_.i - to_hours(1) ELSE z_.i END", "z_")


def finite(text: str, arguments: Sequence[str], message: str) -> str:
    """`text`, a FLOAT64, or an error with `message` (DuckDB text) where it is no number though all arguments are."""
    proper = " AND ".join(f"isfinite({argument})" for argument in arguments)
    wrong = f"CASE WHEN {proper} THEN {fail(message)} ELSE {text} END"
    return f"CASE WHEN isfinite({text}) THEN {text} ELSE {wrong} END"


def let(value: str, body: str, name: str = "v_") -> str:
    """`body` with `name` standing for `value`, which is then evaluated (and written) once."""
    if "SELECT " in body:  # DuckDB takes no subquery inside a lambda
        return f"(SELECT {body} FROM (SELECT {value} AS {name}))"
    return f"list_transform([{value}], lambda {name}: {body})[1]"


def is_short(text: str) -> bool:
    """Whether repeating the text costs less than binding it to a name."""
    return len(text) <= 40 and ("(" not in text or LITERAL.fullmatch(text) is not None)
