"""JSON values as text in the form that BigQuery keeps them: keys sorted, no spaces, numbers in their shortest form.

Source: "JSON functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/json_functions.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from embedded_bigquery.natives.native import Native

Json = Any  # what the json module reads
MODES = ("exact", "round")


def _first_wins(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


def _integer(text: str) -> int | float:
    value = int(text)
    if -(2**63) <= value < 2**64 and text != "-0":
        return value
    return 0 if text == "-0" else float(text)


def _exact_integer(text: str) -> int | float:
    found = _integer(text)
    return found if isinstance(found, int) else _exact(text)


def _exact(text: str) -> float:
    value = float(text)
    if Decimal(repr(value)) != Decimal(text):
        raise ValueError(f"Input number: {text} cannot round-trip through string representation")
    return value


def _no_constant(text: str) -> Json:
    raise ValueError(f"syntax error while parsing value - invalid literal; last read: '{text}'")


def load(text: str) -> Json:
    """The value of canonical JSON text."""
    return json.loads(text)


def parse(text: str, mode: str) -> str:
    """PARSE_JSON: the canonical text; "exact" refuses numbers that a FLOAT64 would round. Raises ValueError."""
    if mode not in MODES:
        raise ValueError(f"Invalid `wide_number_mode` specified for PARSE_JSON: {mode}")
    if not text.strip():
        raise ValueError(
            "Invalid input to PARSE_JSON: attempting to parse an empty input; "
            "check that your input string or stream contains the expected JSON"
        )
    exact = mode == "exact"
    try:
        value = json.loads(
            text,
            object_pairs_hook=_first_wins,
            parse_int=_exact_integer if exact else _integer,
            parse_float=_exact if exact else float,
            parse_constant=_no_constant,
            strict=True,
        )
    except json.JSONDecodeError as error:
        what = "unexpected end of input" if error.pos >= len(text.rstrip()) else "invalid literal"
        raise ValueError(
            f"Invalid input to PARSE_JSON: syntax error while parsing value - {what}; "
            f"last read: '{text[max(0, error.pos - 1) : error.pos + 3]}'"
        ) from None
    except ValueError as error:
        raise ValueError(f"Invalid input to PARSE_JSON: {error}") from None
    return dump(value)


def number_text(value: float) -> str:
    """A FLOAT64 as BigQuery prints it in JSON: 1.0, 1e+20."""
    text = repr(value)
    if text.endswith(".0") and abs(value) >= 1e15:
        digits = text[:-2].lstrip("-").rstrip("0")
        exponent = len(text[:-2].lstrip("-")) - 1
        mantissa = digits[0] + ("." + digits[1:] if digits[1:] else "")
        return f"{'-' if value < 0 else ''}{mantissa}e+{exponent:02d}"
    return text


def dump(value: Json) -> str:
    """Canonical text."""
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{dump(key)}:{dump(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


class _Number(str):
    """A number's own text."""


class _Object(list[Any]):
    """An object as its (key, value) pairs, in the order of the text."""


def pretty(text: str) -> str:
    """JSON text over several lines, keys and numbers as they stand."""
    return _pretty(json.loads(text, object_pairs_hook=_Object, parse_int=_Number, parse_float=_Number), 0)


def _pretty(value: Any, level: int) -> str:
    if isinstance(value, _Number):
        return str(value)
    if not isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    brackets = "{}" if isinstance(value, _Object) else "[]"
    if not value:
        return brackets
    if isinstance(value, _Object):
        items = [f"{json.dumps(key, ensure_ascii=False)}: {_pretty(item, level + 1)}" for key, item in value]
    else:
        items = [_pretty(item, level + 1) for item in value]
    start, end = "\n" + "  " * (level + 1), "\n" + "  " * level
    return brackets[0] + start + f",{start}".join(items) + end + brackets[1]


NATIVES = (
    Native("bq_parse_json", parse, ("VARCHAR", "VARCHAR"), "VARCHAR"),
    Native("bq_pretty_json", pretty, ("VARCHAR",), "VARCHAR"),
)
