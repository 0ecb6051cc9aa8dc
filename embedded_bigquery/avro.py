"""Avro files, read and written with fastavro, which is an optional requirement.

Source: "Loading Avro data from Cloud Storage" and "Exporting table data", docs.cloud.google.com/bigquery/docs.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from embedded_bigquery.errors import InvalidValue, NotSupported
from embedded_bigquery.types import Field, Type

EPOCH = date(1970, 1, 1)
SCALARS = {
    **dict.fromkeys(("int", "long"), "INT64"),
    **dict.fromkeys(("float", "double"), "FLOAT64"),
    **dict.fromkeys(("string", "enum"), "STRING"),
    **dict.fromkeys(("bytes", "fixed"), "BYTES"),
    "boolean": "BOOL",
}
LOGICAL = {
    "date": "DATE",
    "time-millis": "TIME",
    "time-micros": "TIME",
    "timestamp-millis": "TIMESTAMP",
    "timestamp-micros": "TIMESTAMP",
    "local-timestamp-millis": "DATETIME",
    "local-timestamp-micros": "DATETIME",
}


def _library() -> Any:
    try:
        import fastavro
    except ImportError as error:
        raise NotSupported("Avro without its package; install sid-publisher-job[avro] or fastavro") from error
    return fastavro


def to_ndjson(source: Path, target: Path, has_logical_types: bool) -> tuple[Field, ...]:
    """Writes the records as lines of JSON, and gives their columns; raises InvalidValue for a file that is no Avro.

    Without logical types a date is the number of its day, as BigQuery has it by default.
    """
    fastavro = _library()
    with source.open("rb") as stream, target.open("w", encoding="utf-8") as lines:
        try:
            reader = fastavro.reader(stream)
        except (ValueError, EOFError, IndexError) as error:
            raise InvalidValue(f"Error while reading data, error message: not an Avro file: {error}") from error
        schema = reader.writer_schema
        if not isinstance(schema, dict) or schema.get("type") != "record":
            raise InvalidValue("Error while reading data, error message: the Avro file's schema is not a record")
        names: dict[str, Any] = {}
        fields = tuple(_field(item["name"], item["type"], has_logical_types, names) for item in schema["fields"])
        for record in reader:
            values = {field.name: _value(record[field.name], field.type) for field in fields}
            lines.write(json.dumps(values) + "\n")
    return fields


def _field(name: str, schema: Any, has_logical_types: bool, names: dict[str, Any]) -> Field:
    required = True
    if isinstance(schema, list):
        others = [item for item in schema if item != "null"]
        if len(others) != 1:
            raise NotSupported(f"Avro union of {len(others)} types in field {name}")
        [schema], required = others, len(others) == len(schema)
    kind = _type(name, schema, has_logical_types, names)
    return Field(name, kind, required=required and not kind.is_array)


def _type(name: str, schema: Any, has_logical_types: bool, names: dict[str, Any]) -> Type:
    if isinstance(schema, str) and schema in names:
        schema = names[schema]
    own: Mapping[str, Any] = schema if isinstance(schema, dict) else {"type": schema}
    if "name" in own:
        names[own["name"]] = own
    kind = own["type"]
    if isinstance(kind, dict | list):
        return _type(name, kind, has_logical_types, names)
    if kind == "record":
        return Type(
            "STRUCT",
            fields=tuple(_field(item["name"], item["type"], has_logical_types, names) for item in own["fields"]),
        )
    if kind == "array":
        return Type("ARRAY", element=_type(name, own["items"], has_logical_types, names))
    if kind == "map":
        value = _field("value", own["values"], has_logical_types, names)
        return Type("ARRAY", element=Type("STRUCT", fields=(Field("key", Type("STRING"), required=True), value)))
    logical = own.get("logicalType")
    if logical == "decimal":
        whole = int(own["precision"]) - int(own.get("scale", 0))
        return Type("NUMERIC" if int(own.get("scale", 0)) <= 9 and whole <= 29 else "BIGNUMERIC")
    if has_logical_types and logical in LOGICAL:
        return Type(LOGICAL[logical])
    if kind not in SCALARS:
        raise NotSupported(f"Avro type {kind} in field {name}")
    return Type(SCALARS[kind])


def _value(value: Any, kind: Type) -> Any:
    """The value as a line of JSON has it."""
    if kind.is_array and kind.element is not None:
        if isinstance(value, dict):
            value = [{"key": key, "value": item} for key, item in value.items()]
        return [_value(item, kind.element) for item in value or ()]
    if value is None:
        return None
    if kind.is_struct:
        return {field.name: _value(value[field.name], field.type) for field in kind.fields}
    if kind.kind == "INT64":
        return _number(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _number(value: Any) -> Any:
    """What a logical type was in the file: days, or microseconds."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    if isinstance(value, date):
        return (value - EPOCH).days
    if isinstance(value, time):
        seconds = (value.hour * 60 + value.minute) * 60 + value.second
        return seconds * 1_000_000 + value.microsecond
    return value
