"""BigQuery's types as written in SQL, which is how definitions keep them, and as GoogleSQL's messages have them."""

from __future__ import annotations

import re

from zetasql.wasi._pb2.zetasql.public import type_pb2 as types

KINDS = {
    "INT64": types.TYPE_INT64,
    "BOOL": types.TYPE_BOOL,
    "FLOAT64": types.TYPE_DOUBLE,
    "STRING": types.TYPE_STRING,
    "BYTES": types.TYPE_BYTES,
    "DATE": types.TYPE_DATE,
    "DATETIME": types.TYPE_DATETIME,
    "TIME": types.TYPE_TIME,
    "TIMESTAMP": types.TYPE_TIMESTAMP,
    "NUMERIC": types.TYPE_NUMERIC,
    "BIGNUMERIC": types.TYPE_BIGNUMERIC,
    "JSON": types.TYPE_JSON,
    "GEOGRAPHY": types.TYPE_GEOGRAPHY,
    "INTERVAL": types.TYPE_INTERVAL,
}
NAMES = {kind: name for name, kind in KINDS.items()}
ALIASES = {
    **dict.fromkeys(("INT", "SMALLINT", "INTEGER", "BIGINT", "TINYINT", "BYTEINT"), "INT64"),
    "BOOLEAN": "BOOL",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
}
TOKEN = re.compile(r"`[^`]*`|\w+|\S")


class UnknownType(Exception):
    """No type of BigQuery's."""


def message_of(text: str) -> types.TypeProto:
    """Raises UnknownType."""
    words = TOKEN.findall(text)
    made, rest = _message(words, 0)
    if rest != len(words):
        raise UnknownType(text)
    return made


def _message(words: list[str], at: int) -> tuple[types.TypeProto, int]:
    made = types.TypeProto()
    name = words[at].upper() if at < len(words) else ""
    opens = at + 1 < len(words) and words[at + 1] == "<"
    if name in ("ARRAY", "RANGE") and opens:
        made.type_kind = types.TYPE_ARRAY if name == "ARRAY" else types.TYPE_RANGE
        inner, at = _message(words, at + 2)
        (made.array_type if name == "ARRAY" else made.range_type).element_type.CopyFrom(inner)
        return made, _closed(words, at)
    if name == "STRUCT" and opens:
        made.type_kind = types.TYPE_STRUCT
        made.struct_type.SetInParent()
        at += 2
        while at < len(words) and words[at] != ">":
            field = made.struct_type.field.add()
            is_named = at + 1 < len(words) and words[at + 1] not in ("<", ",", ">")
            field.field_name = words[at].strip("`") if is_named else ""
            inner, at = _message(words, at + is_named)
            field.field_type.CopyFrom(inner)
            at += at < len(words) and words[at] == ","
        return made, _closed(words, at)
    kind = KINDS.get(ALIASES.get(name, name))
    if kind is None:
        raise UnknownType(name)
    made.type_kind = kind
    return made, at + 1


def _closed(words: list[str], at: int) -> int:
    if words[at : at + 1] != [">"]:
        raise UnknownType(" ".join(words))
    return at + 1


def text_of(message: types.TypeProto) -> str:
    """Raises UnknownType for what BigQuery has not."""
    if message.type_kind == types.TYPE_ARRAY:
        return f"ARRAY<{text_of(message.array_type.element_type)}>"
    if message.type_kind == types.TYPE_RANGE:
        return f"RANGE<{text_of(message.range_type.element_type)}>"
    if message.type_kind == types.TYPE_STRUCT:
        fields = (
            (f"`{field.field_name}` " if field.field_name else "") + text_of(field.field_type)
            for field in message.struct_type.field
        )
        return f"STRUCT<{', '.join(fields)}>"
    if message.type_kind not in NAMES:
        raise UnknownType(types.TypeKind.Name(message.type_kind))
    return NAMES[message.type_kind]
