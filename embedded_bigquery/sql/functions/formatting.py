"""FORMAT: printf's specifiers and BigQuery's %t and %T. The format must be a literal.

Source: "FORMAT" in "String functions" of BigQuery's reference.
"""

from __future__ import annotations

import re

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql.functions.conversion import to_string
from embedded_bigquery.sql.functions.duckdb_text import literal
from embedded_bigquery.sql.functions.registry import Call, Function
from embedded_bigquery.types import Type

SPECIFIER = re.compile(r"%([-+ #0']*)(\d*)(\.\d+)?([a-zA-Z%])")


def _printable(text: str, kind: Type) -> str:
    """%t: the value as CAST to STRING has it, and what that does not cast."""
    if kind.is_array and kind.element is not None:
        items = f"list_transform({text}, lambda f_: {_printable('f_', kind.element)})"
        return f"coalesce('[' || array_to_string({items}, ', ') || ']', 'NULL')"
    if kind.is_struct or kind.kind == "RANGE":
        raise NotSupported(f"FORMAT of {kind}")
    value = f"CAST({text} AS VARCHAR)" if kind.kind == "JSON" else to_string(text, kind)
    return f"coalesce({value}, 'NULL')"


def _source(text: str, kind: Type) -> str:
    """%T: a GoogleSQL literal of the value."""
    if kind.is_array and kind.element is not None:
        items = f"list_transform({text}, lambda f_: {_source('f_', kind.element)})"
        return f"coalesce('[' || array_to_string({items}, ', ') || ']', 'NULL')"
    if kind.kind in ("INT64", "BOOL"):
        return f"coalesce(CAST({text} AS VARCHAR), 'NULL')"
    if kind.kind == "FLOAT64":
        plain = to_string(text, kind)
        special = f"isnan({text}) OR isinf({text})"
        return (
            f"coalesce(CASE WHEN {special} THEN 'CAST(\"' || ({plain}) || '\" AS FLOAT64)' "
            f"WHEN regexp_matches({plain}, '[.e]') THEN {plain} ELSE ({plain}) || '.0' END, 'NULL')"
        )
    if kind.kind == "STRING":
        escaped = f"replace(replace(replace({text}, '\\', '\\\\'), chr(10), '\\n'), '\"', '\\\"')"
        return f"coalesce('\"' || {escaped} || '\"', 'NULL')"
    if kind.kind in ("DATE", "DATETIME", "TIME", "TIMESTAMP", "NUMERIC", "BIGNUMERIC"):
        return f"coalesce('{kind.kind} \"' || ({to_string(text, kind)}) || '\"', 'NULL')"
    raise NotSupported(f"FORMAT %T of {kind}")


def _format(call: Call) -> str:
    form = call.literal(0)
    if form is None:
        raise NotSupported("FORMAT with a format that is no literal")
    pieces: list[str] = []
    nullable: list[str] = []
    place, used = 0, 1
    for found in SPECIFIER.finditer(form):
        if "%" in form[place : found.start()]:
            raise NotSupported(f"FORMAT {form}")
        pieces += [literal(form[place : found.start()])] if found.start() > place else []
        place = found.end()
        flags, width, precision, letter = found.groups()
        if letter == "%":
            pieces.append("'%'")
            continue
        if used >= call.count:
            raise InvalidQuery("Too few arguments to FORMAT for pattern " + literal(form))
        pieces.append(_piece(call, used, flags, width, precision or "", letter))
        nullable += [call.raw(used)] if letter not in "tT" else []
        used += 1
    if "%" in form[place:]:
        raise NotSupported(f"FORMAT {form}")
    if used < call.count:
        raise InvalidQuery("Too many arguments to FORMAT for pattern " + literal(form))
    pieces += [literal(form[place:])] if form[place:] else []
    text = "(" + (" || ".join(pieces) or "''") + ")"
    nulls = " OR ".join(f"{value} IS NULL" for value in nullable)
    return f"CASE WHEN {nulls} THEN NULL ELSE {text} END" if nulls else text


def _piece(call: Call, position: int, flags: str, width: str, precision: str, letter: str) -> str:
    text, kind = call.raw(position), call.types[position]
    if kind is None:
        raise NotSupported("FORMAT of a value whose type is unknown")
    if letter in "tT":
        value = _printable(text, kind) if letter == "t" else _source(text, kind)
        return f"printf('%{flags}{width}s', {value})" if width else value
    if letter == "s" and kind.kind == "STRING":
        value = f"left({text}, {precision[1:]})" if precision else text
        return f"printf('%{flags}{width}s', {value})" if width else value
    if letter in "dixXo" and kind.kind == "INT64":
        if "'" in flags:
            return _grouped(text, flags, width)
        return f"printf('%{flags}{width}{'d' if letter == 'i' else letter}', CAST({text} AS BIGINT))"
    if letter in "feEgGF" and kind.is_numeric:
        if kind.kind == "INT64":
            raise InvalidQuery(f"Invalid type for argument {position + 1} to FORMAT; Expected FLOAT64; Got INT64")
        if "'" in flags:
            raise NotSupported("FORMAT with the flag ' for fractions")
        return f"printf('%{flags}{width}{precision}{letter}', CAST({text} AS DOUBLE))"
    raise InvalidQuery(f"Invalid type for argument {position + 1} to FORMAT: %{letter} does not take {kind}")


def _grouped(text: str, flags: str, width: str) -> str:
    if width or flags != "'":
        raise NotSupported("FORMAT with the flag ' and a width")
    return f"format('{{:,}}', CAST({text} AS BIGINT))"


FUNCTIONS = (Function("FORMAT", ("FORMAT(STRING, [ANY, ...]) -> STRING",), _format),)
