"""JSON functions that read and build values.

Source: "JSON functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/json_functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql.functions.conversion import to_string
from embedded_bigquery.sql.functions.duckdb_text import fail, let, literal
from embedded_bigquery.sql.functions.json_text import json_text
from embedded_bigquery.sql.functions.registry import Call, Function, refused

STEP = re.compile(r"""\.([A-Za-z_][\w-]*|\d+)|\."((?:[^"\\]|\\.)*)"|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["([^"]*)"\]""")


def path(call: Call, position: int) -> str:
    """The JSONPath argument as DuckDB text, every key quoted; the default is the whole value."""
    if call.count <= position:
        return "'$'"
    given = call.literal(position)
    if given is None:
        raise NotSupported(f"{call.name} with a JSONPath that is no literal")
    if not given.startswith("$"):
        raise InvalidQuery(f"JSONPath must start with '$': {given}")
    steps, place = "", 1
    while place < len(given):
        found = STEP.match(given, place)
        if found is None:
            raise NotSupported(f"JSONPath {given}")
        plain, double, index, single, bracket = found.groups()
        key = next((part for part in (plain, double, single, bracket) if part is not None), None)
        steps += f"[{index}]" if key is None else f'."{key}"'
        place = found.end()
    return literal("$" + steps)


def _readable(call: Call) -> str:
    """The JSON argument; text that is no JSON counts as NULL."""
    value = call.text(0)
    return f"CASE WHEN json_valid({value}) THEN {value} END" if call.kind(0) == "STRING" else value


def _value(call: Call) -> str:
    where = path(call, 1)
    body = (
        f"CASE WHEN json_type(v_, {where}) IN ('OBJECT', 'ARRAY') THEN NULL ELSE json_extract_string(v_, {where}) END"
    )
    return let(_readable(call), body)


def _query(call: Call) -> str:
    text = f"json_extract({_readable(call)}, {path(call, 1)})"
    return f"nullif(CAST({text} AS VARCHAR), 'null')" if call.kind(0) == "STRING" else text


def _query_array(call: Call) -> str:
    where = path(call, 1)
    item = "CAST(e_ AS VARCHAR)" if call.kind(0) == "STRING" else "e_"
    items = f"list_transform(json_extract(v_, {where[:-1]}[*]'), lambda e_: {item})"
    return let(_readable(call), f"CASE WHEN json_type(v_, {where}) = 'ARRAY' THEN {items} END")


def _value_array(call: Call) -> str:
    where = path(call, 1)
    items = f"json_extract(v_, {where[:-1]}[*]')"
    nested = f"len(list_filter({items}, lambda e_: json_type(e_) IN ('OBJECT', 'ARRAY'))) > 0"
    texts = f"list_transform({items}, lambda e_: json_extract_string(e_, '$'))"
    return let(
        _readable(call),
        f"CASE WHEN json_type(v_, {where}) = 'ARRAY' THEN CASE WHEN {nested} THEN NULL ELSE {texts} END END",
    )


def _to_json_string(call: Call) -> str:
    if call.count > 1:
        raise NotSupported("TO_JSON_STRING with pretty_print")
    return json_text(call.raw(0), call.types[0])


def _to_json(call: Call) -> str:
    if call.count > 1:
        raise NotSupported("TO_JSON with stringify_wide_numbers")
    return f"CAST({json_text(call.raw(0), call.types[0], stringify=False)} AS JSON)"


def _parse(call: Call) -> str:
    if call.count > 1:
        raise NotSupported("PARSE_JSON with wide_number_mode")
    value = call.text(0)
    message = "'syntax error while parsing value'"
    return let(
        value,
        f"CASE WHEN v_ IS NULL THEN NULL WHEN json_valid(v_) THEN json(v_) ELSE {fail(message, safe=call.safe)} END",
    )


def _object(call: Call) -> str:
    if call.count % 2:
        raise NotSupported("JSON_OBJECT of arrays")
    pairs = []
    for position in range(0, call.count, 2):
        if call.types[position] is None or call.kind(position) != "STRING":
            raise NotSupported("JSON_OBJECT with keys that are no STRING")
        value = json_text(call.raw(position + 1), call.types[position + 1], stringify=False)
        pairs.append(f"CAST(to_json({call.raw(position)}) AS VARCHAR) || ':' || {value}")
    return "CAST('{' || " + " || ',' || ".join([*pairs] or ["''"]) + " || '}' AS JSON)"


def _array(call: Call) -> str:
    items = [json_text(call.raw(n), call.types[n], stringify=False) for n in range(call.count)]
    return "CAST('[' || " + " || ',' || ".join(items or ["''"]) + " || ']' AS JSON)"


def _type(call: Call) -> str:
    return let(
        call.text(0),
        "CASE json_type(v_) WHEN 'VARCHAR' THEN 'string' WHEN 'BOOLEAN' THEN 'boolean' WHEN 'OBJECT' THEN 'object' "
        "WHEN 'ARRAY' THEN 'array' WHEN 'NULL' THEN 'null' ELSE CASE WHEN v_ IS NOT NULL THEN 'number' END END",
    )


NUMBER_TYPES = "('BIGINT', 'UBIGINT', 'DOUBLE', 'HUGEINT')"


def _strict(target: str, types: str, words: str) -> Callable[[Call], str]:
    """INT64(json) and its like: an error when the value is of another kind."""

    def render(call: Call) -> str:
        wrong = fail(literal(f"The provided JSON input is not {words}"), safe=call.safe)
        text = "json_extract_string(v_, '$')"
        value = text if target == "VARCHAR" else f"CAST({text} AS {target})"
        if target == "BIGINT":
            whole = f"CAST({text} AS DOUBLE) = floor(CAST({text} AS DOUBLE))"
            message = f"'The provided JSON number: ' || {text} || ' cannot be converted to an int64'"
            exact = f"coalesce(TRY_CAST({text} AS BIGINT), CAST(CAST({text} AS DOUBLE) AS BIGINT))"
            value = f"CASE WHEN {whole} THEN {exact} ELSE {fail(message, safe=call.safe)} END"
        return let(
            call.text(0),
            f"CASE WHEN v_ IS NULL THEN NULL WHEN json_type(v_) IN {types} THEN {value} ELSE {wrong} END",
        )

    return render


def _string(call: Call) -> str:
    if call.kind(0) == "JSON":
        return _strict("VARCHAR", "('VARCHAR')", "a string")(call)
    kind = call.type(0)
    assert kind is not None
    return to_string(call.text(0), kind, zone=call.text(1) if call.count > 1 else None)


def _lax(target: str) -> Callable[[Call], str]:
    def render(call: Call) -> str:
        text = "json_extract_string(v_, '$')"
        scalar = "json_type(v_) NOT IN ('OBJECT', 'ARRAY', 'NULL')"
        value = {
            "VARCHAR": text,
            "BIGINT": f"CASE json_type(v_) WHEN 'BOOLEAN' THEN CAST(CAST({text} AS BOOLEAN) AS BIGINT) "
            f"ELSE coalesce(TRY_CAST({text} AS BIGINT), TRY_CAST(round(TRY_CAST({text} AS DOUBLE)) AS BIGINT)) END",
            "DOUBLE": f"CASE json_type(v_) WHEN 'BOOLEAN' THEN NULL ELSE TRY_CAST({text} AS DOUBLE) END",
            "BOOLEAN": f"CASE json_type(v_) WHEN 'BOOLEAN' THEN CAST({text} AS BOOLEAN) WHEN 'VARCHAR' THEN "
            f"CASE lower({text}) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END "
            f"ELSE TRY_CAST({text} AS DOUBLE) <> 0 END",
        }[target]
        return let(call.text(0), f"CASE WHEN {scalar} THEN {value} END")

    return render


def _reader(name: str, render: Callable[[Call], str], result: str) -> Function:
    """Of JSON and of STRING; `{}` in `result` is the argument's own type."""
    kinds = ("JSON", "STRING")
    return Function(name, tuple(f"{name}({kind}, [STRING]) -> {result.format(kind)}" for kind in kinds), render)


NOT_WRITTEN = """
JSON_SET JSON_REMOVE JSON_STRIP_NULLS JSON_ARRAY_APPEND JSON_ARRAY_INSERT JSON_KEYS JSON_FLATTEN
"""

FUNCTIONS = (
    _reader("JSON_VALUE", _value, "STRING"),
    _reader("JSON_EXTRACT_SCALAR", _value, "STRING"),
    _reader("JSON_QUERY", _query, "{}"),
    _reader("JSON_EXTRACT", _query, "{}"),
    _reader("JSON_QUERY_ARRAY", _query_array, "ARRAY<{}>"),
    _reader("JSON_EXTRACT_ARRAY", _query_array, "ARRAY<{}>"),
    _reader("JSON_VALUE_ARRAY", _value_array, "ARRAY<STRING>"),
    _reader("JSON_EXTRACT_STRING_ARRAY", _value_array, "ARRAY<STRING>"),
    Function("TO_JSON_STRING", ("TO_JSON_STRING(ANY, [BOOL]) -> STRING",), _to_json_string),
    Function("TO_JSON", ("TO_JSON(ANY, [ANY]) -> JSON",), _to_json),
    Function("PARSE_JSON", ("PARSE_JSON(STRING, [ANY]) -> JSON",), _parse),
    Function("JSON_OBJECT", ("JSON_OBJECT([ANY, ...]) -> JSON",), _object),
    Function("JSON_ARRAY", ("JSON_ARRAY([ANY, ...]) -> JSON",), _array),
    Function("JSON_TYPE", ("JSON_TYPE(JSON) -> STRING",), _type),
    Function(
        "STRING",
        (
            "STRING(JSON) -> STRING",
            "STRING(TIMESTAMP, [STRING]) -> STRING",
            "STRING(DATE) -> STRING",
            "STRING(DATETIME) -> STRING",
            "STRING(TIME) -> STRING",
        ),
        _string,
    ),
    Function("INT64", ("INT64(JSON) -> INT64",), _strict("BIGINT", NUMBER_TYPES, "an integer")),
    Function("FLOAT64", ("FLOAT64(JSON) -> FLOAT64",), _strict("DOUBLE", NUMBER_TYPES, "a number")),
    Function("BOOL", ("BOOL(JSON) -> BOOL",), _strict("BOOLEAN", "('BOOLEAN')", "a boolean")),
    Function("LAX_STRING", ("LAX_STRING(JSON) -> STRING",), _lax("VARCHAR")),
    Function("LAX_INT64", ("LAX_INT64(JSON) -> INT64",), _lax("BIGINT")),
    Function("LAX_FLOAT64", ("LAX_FLOAT64(JSON) -> FLOAT64",), _lax("DOUBLE")),
    Function("LAX_BOOL", ("LAX_BOOL(JSON) -> BOOL",), _lax("BOOLEAN")),
    *(refused(name) for name in NOT_WRITTEN.split()),
)
