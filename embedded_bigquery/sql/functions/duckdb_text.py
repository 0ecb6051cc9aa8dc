"""Small pieces of DuckDB text that the topics share."""

from __future__ import annotations

import re
from collections.abc import Sequence

LITERAL = re.compile(r"CAST\([-'\w.+]* AS \w+\)")


def literal(value: str) -> str:
    """A DuckDB string literal."""
    return "'" + value.replace("'", "''") + "'"


def fail(message: str, *, safe: bool = False) -> str:
    """An expression that raises `message` (DuckDB text) when it is evaluated, or is NULL where `safe`.

    It fits where any type is wanted.
    """
    return "NULL" if safe else f"bq_error({message})"


def finite(text: str, arguments: Sequence[str], message: str) -> str:
    """`text`, a FLOAT64, or an error with `message` (DuckDB text) where it is no number though all arguments are."""
    proper = " AND ".join(f"isfinite({argument})" for argument in arguments)
    wrong = f"CASE WHEN {proper} THEN {fail(message)} ELSE {text} END"
    return f"CASE WHEN isfinite({text}) THEN {text} ELSE {wrong} END"


def let(value: str, body: str, name: str = "v_") -> str:
    """`body` with `name` standing for `value`, which is then evaluated (and written) once."""
    return f"list_transform([{value}], lambda {name}: {body})[1]"


def is_short(text: str) -> bool:
    """Whether repeating the text costs less than binding it to a name."""
    return len(text) <= 40 and ("(" not in text or LITERAL.fullmatch(text) is not None)
