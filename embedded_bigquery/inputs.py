"""Values that a client sends, as JSON, in Python's form (the one that `values.from_duckdb` gives)."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from embedded_bigquery.errors import InvalidValue
from embedded_bigquery.types import ALIASES, Field, Type, array_of
from embedded_bigquery.values import EPOCH, MICROSECOND

INTERVAL = re.compile(
    r"(?P<y>[-+]?\d+)-(?P<m>\d+) (?P<d>[-+]?\d+) (?P<sign>[-+]?)(?P<h>\d+):(?P<min>\d+):(?P<s>\d+)(?:\.(?P<f>\d{1,9}))?"
)
NUMBER = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")
ZONE = re.compile(r"\s*(?:UTC|[zZ])$")
RANGE = re.compile(r"\[(.+?), *(.+?)\)")
BOOLEANS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


# ---- query parameters


def parameter_type(resource: Mapping[str, Any]) -> Type:
    """The API's QueryParameterType; raises InvalidValue."""
    name = str(resource.get("type", "")).upper()
    if name == "ARRAY":
        return array_of(parameter_type(resource.get("arrayType", {})))
    if name == "RANGE":
        return Type("RANGE", element=parameter_type(resource.get("rangeElementType", {})))
    if name in ("STRUCT", "RECORD"):
        items = resource.get("structTypes", ())
        return Type("STRUCT", fields=tuple(Field(i.get("name", ""), parameter_type(i["type"])) for i in items))
    if name not in ALIASES:
        raise InvalidValue(f"Invalid query parameter type: {resource.get('type')}")
    return Type(ALIASES[name])


def from_api(value: Mapping[str, Any] | None, kind: Type) -> Any:
    """The API's QueryParameterValue of a known type; raises InvalidValue."""
    value = value or {}
    if kind.is_array and kind.element is not None:
        # A missing array cannot be told from an empty one, in BigQuery too.
        return [from_api(item, kind.element) for item in value.get("arrayValues") or ()]
    if kind.is_struct:
        parts = value.get("structValues")
        return None if parts is None else tuple(from_api(parts.get(f.name), f.type) for f in kind.fields)
    if kind.element is not None and "rangeValue" in value:
        ends = value["rangeValue"]
        return tuple(from_api(ends.get(end), kind.element) for end in ("start", "end"))
    return from_json(value.get("value"), kind)


# ---- rows


def from_json(value: Any, kind: Type) -> Any:
    """A value of a JSON row, for `insertAll`; raises InvalidValue."""
    if value is None:
        return [] if kind.is_array else None
    if kind.is_array and kind.element is not None:
        if not isinstance(value, list):
            raise InvalidValue("Array specified for non-repeated field" if kind.is_struct else "Expected an array")
        return [from_json(item, kind.element) for item in value]
    if kind.is_struct:
        if not isinstance(value, dict):
            raise InvalidValue("This field is a record")
        known = {name.lower(): item for name, item in value.items()}
        return tuple(from_json(known.get(field.name.lower()), field.type) for field in kind.fields)
    if kind.element is not None:
        return _range(value, kind.element)
    if kind.kind == "JSON":
        return value if isinstance(value, str) else json.dumps(value)
    if isinstance(value, dict | list):
        raise InvalidValue(f"This field is not a {'record' if isinstance(value, dict) else 'repeated field'}")
    return scalar(value, kind.kind)


def _range(value: Any, kind: Type) -> tuple[Any, Any]:
    if isinstance(value, dict):
        start, end = value.get("start"), value.get("end")
    else:
        match = RANGE.fullmatch(str(value))
        if match is None:
            raise InvalidValue(f"Invalid range: {value}")
        start, end = match.groups()
    return _range_end(start, kind), _range_end(end, kind)


def _range_end(value: Any, kind: Type) -> Any:
    return None if value is None or str(value).upper() in ("UNBOUNDED", "NULL") else scalar(value, kind.kind)


def scalar(value: Any, kind: str) -> Any:
    """A scalar from its text, or from a JSON number or boolean; raises InvalidValue."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        return _scalar(text, kind)
    except (ValueError, KeyError, InvalidOperation, binascii.Error) as error:
        raise InvalidValue(f"Bad {kind.lower()} value: {text}") from error


def _scalar(text: str, kind: str) -> Any:
    match kind:
        case "INT64":
            number = Decimal(text)
            if number != number.to_integral_value() or not -(2**63) <= number < 2**63:
                raise ValueError(text)
            return int(number)
        case "FLOAT64":
            return float(text)
        case "NUMERIC" | "BIGNUMERIC":
            return Decimal(text)
        case "BOOL":
            return BOOLEANS[text.lower()]
        case "BYTES":
            return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
        case "DATE":
            return date.fromisoformat(text)
        case "TIME":
            return time.fromisoformat(text)
        case "DATETIME":
            return datetime.fromisoformat(text.replace(" ", "T")).replace(tzinfo=None)
        case "TIMESTAMP":
            return timestamp(text)
        case "INTERVAL":
            return _interval(text)
        case "JSON":
            json.loads(text)
            return text
        case _:
            return text


def timestamp(text: str) -> datetime:
    """An instant from ISO 8601 text (UTC unless it says otherwise) or seconds since the epoch; raises ValueError."""
    if NUMBER.fullmatch(text):
        return EPOCH + int(Decimal(text) * 1_000_000) * MICROSECOND
    found = datetime.fromisoformat(ZONE.sub("+00:00", text))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _interval(text: str) -> tuple[int, int, int]:
    match = INTERVAL.fullmatch(text)
    if match is None:
        raise ValueError(text)
    months = abs(int(match["y"])) * 12 + int(match["m"])
    clock = timedelta(hours=int(match["h"]), minutes=int(match["min"]), seconds=int(match["s"])) // MICROSECOND
    clock += int((match["f"] or "0").ljust(6, "0")[:6])
    return (
        -months if match["y"].startswith("-") else months,
        int(match["d"]),
        -clock if match["sign"] == "-" else clock,
    )
