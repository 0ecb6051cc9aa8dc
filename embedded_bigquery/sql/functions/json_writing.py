"""JSON functions that make values, and that give a changed copy of one.

Source: "JSON functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/json_functions.
"""

from __future__ import annotations

from collections.abc import Callable

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql.functions.json_text import json_text, json_value
from embedded_bigquery.sql.functions.registry import Call, Function


def _json(text: str) -> str:
    return f"CAST({text} AS JSON)"


def _is_true(call: Call, name: str, position: int | None = None) -> bool:
    given = call.option(name, position)
    if given is not None and given.upper() not in ("TRUE", "FALSE"):
        raise InvalidQuery(f"Argument {name} to {call.name} must be TRUE or FALSE")
    return given is not None and given.upper() == "TRUE"


def _to_json_string(call: Call) -> str:
    text = json_text(call.raw(0), call.types[0])
    pretty = call.option("pretty_print", 1)
    if pretty is None or pretty.upper() == "FALSE":
        return text
    return (
        f"bq_pretty_json({text})"
        if pretty.upper() == "TRUE"
        else f"CASE WHEN {pretty} THEN bq_pretty_json({text}) ELSE {text} END"
    )


def _to_json(call: Call) -> str:
    return _json(json_value(call.raw(0), call.types[0], stringify=_is_true(call, "stringify_wide_numbers")))


def _parse(call: Call) -> str:
    return _json(f"bq_parse_json({call.text(0)}, {call.option('wide_number_mode') or chr(39) + 'exact' + chr(39)})")


def _value(call: Call, position: int) -> str:
    return json_value(call.raw(position), call.types[position])


def _object(call: Call) -> str:
    first = call.types[0] if call.count else None
    if call.count == 2 and first is not None and first.is_array:
        kind = call.types[1].element if call.types[1] is not None else None
        values = f"list_transform({call.raw(1)}, lambda e_: {json_value('e_', kind)})"
        return _json(f"bq_json_object({call.raw(0)}, {values})")
    if call.count % 2:
        raise InvalidQuery(f"No matching signature for function JSON_OBJECT for {call.count} arguments")
    keys = ", ".join(call.raw(n) for n in range(0, call.count, 2))
    values = ", ".join(_value(call, n) for n in range(1, call.count, 2))
    return _json(f"bq_json_object(CAST([{keys}] AS VARCHAR[]), CAST([{values}] AS VARCHAR[]))")


def _array(call: Call) -> str:
    items = [_value(call, n) for n in range(call.count)]
    return _json("'[' || " + " || ',' || ".join(items or ["''"]) + " || ']'")


def _pairs(call: Call) -> tuple[str, str]:
    """The paths and the values of JSON_SET(json, path, value, …), as lists."""
    if call.count < 3 or call.count % 2 == 0:
        raise InvalidQuery(f"No matching signature for function {call.name} for {call.count} arguments")
    paths = ", ".join(call.raw(n) for n in range(1, call.count, 2))
    values = ", ".join(_value(call, n) for n in range(2, call.count, 2))
    return f"CAST([{paths}] AS VARCHAR[])", f"CAST([{values}] AS VARCHAR[])"


def _set(call: Call) -> str:
    paths, values = _pairs(call)
    return _json(f"bq_json_set({call.text(0)}, {paths}, {values}, {call.option('create_if_missing') or 'TRUE'})")


def _array_edit(native: str, option: str) -> Callable[[Call], str]:
    def render(call: Call) -> str:
        paths, values = _pairs(call)
        each = call.option(option) or "TRUE"
        arrays = [(kind is not None and kind.is_array) for kind in call.types[2::2]]
        flags = ", ".join(each if is_array else "FALSE" for is_array in arrays)
        return _json(f"{native}({call.text(0)}, {paths}, {values}, [{flags}])")

    return render


def _remove(call: Call) -> str:
    paths = ", ".join(call.text(n) for n in range(1, call.count))
    return _json(f"bq_json_remove({call.text(0)}, CAST([{paths}] AS VARCHAR[]))")


def _strip(call: Call) -> str:
    path = call.option("json_path", 1) or "'$'"
    arrays = call.option("include_arrays", 2) or "TRUE"
    empty = call.option("remove_empty", 3) or "FALSE"
    return _json(f"bq_json_strip_nulls({call.text(0)}, {path}, {arrays}, {empty})")


FUNCTIONS = (
    Function(
        "TO_JSON_STRING", ("TO_JSON_STRING(ANY, [BOOL]) -> STRING",), _to_json_string, options=("pretty_print BOOL",)
    ),
    Function("TO_JSON", ("TO_JSON(ANY) -> JSON",), _to_json, options=("stringify_wide_numbers BOOL",)),
    Function("PARSE_JSON", ("PARSE_JSON(STRING) -> JSON",), _parse, options=("wide_number_mode STRING",)),
    Function("JSON_OBJECT", ("JSON_OBJECT([ANY, ...]) -> JSON",), _object),
    Function("JSON_ARRAY", ("JSON_ARRAY([ANY, ...]) -> JSON",), _array),
    Function("JSON_SET", ("JSON_SET(JSON, ANY, ANY, ...) -> JSON",), _set, options=("create_if_missing BOOL",)),
    Function("JSON_REMOVE", ("JSON_REMOVE(JSON, STRING, ...) -> JSON",), _remove),
    Function(
        "JSON_STRIP_NULLS",
        ("JSON_STRIP_NULLS(JSON, [STRING], [BOOL], [BOOL]) -> JSON",),
        _strip,
        options=("json_path STRING", "include_arrays BOOL", "remove_empty BOOL"),
    ),
    *(
        Function(
            f"JSON_ARRAY_{verb}",
            (f"JSON_ARRAY_{verb}(JSON, ANY, ANY, ...) -> JSON",),
            _array_edit(f"bq_json_array_{verb.lower()}", f"{verb.lower()}_each_element"),
            options=(f"{verb.lower()}_each_element BOOL",),
        )
        for verb in ("APPEND", "INSERT")
    ),
)
