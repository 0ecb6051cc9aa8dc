"""JSON functions that read values. JSON is kept as canonical text: keys sorted, numbers in their shortest form.

Source: "JSON functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/json_functions.
"""

from __future__ import annotations

from collections.abc import Callable

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.natives.json_paths import steps
from embedded_bigquery.sql.functions.conversion import to_string
from embedded_bigquery.sql.functions.duckdb_text import fail, let, literal
from embedded_bigquery.sql.functions.registry import Call, Function


def path(call: Call, position: int) -> str | None:
    """The JSONPath argument as DuckDB's, every key quoted; None when only Python reads it. The default is "$"."""
    if call.count <= position:
        return "'$'"
    given = call.literal(position)
    if given is None or given.lower().startswith("lax "):
        return None
    try:
        found = steps(given)
    except ValueError as error:
        raise InvalidQuery(str(error)) from error
    if any(isinstance(step, str) and ('"' in step or "\\" in step) for step in found):
        return None
    return literal("$" + "".join(f"[{step}]" if isinstance(step, int) else f'."{step}"' for step in found))


def _readable(call: Call) -> str:
    """The JSON argument; text that is no JSON counts as NULL."""
    value = call.text(0)
    return f"CASE WHEN json_valid({value}) THEN {value} END" if call.kind(0) == "STRING" else value


def _value(call: Call) -> str:
    where = path(call, 1)
    if where is None:
        return f"bq_json_value({_readable(call)}, {call.text(1)})"
    body = (
        f"CASE WHEN json_type(v_, {where}) IN ('OBJECT', 'ARRAY') THEN NULL ELSE json_extract_string(v_, {where}) END"
    )
    return let(_readable(call), body)


def _query(call: Call) -> str:
    where = path(call, 1)
    if where is None:
        text = f"CAST(bq_json_query({_readable(call)}, {call.text(1)}) AS JSON)"
    else:
        text = f"json_extract({_readable(call)}, {where})"
    return f"nullif(CAST({text} AS VARCHAR), 'null')" if call.kind(0) == "STRING" else text


def _items(call: Call) -> tuple[str, str]:
    """What holds the array, and DuckDB's path to it."""
    where = path(call, 1)
    if where is None:
        return f"CAST(bq_json_query({_readable(call)}, {call.text(1)}) AS JSON)", "'$'"
    return _readable(call), where


def _query_array(call: Call) -> str:
    holder, where = _items(call)
    item = "CAST(e_ AS VARCHAR)" if call.kind(0) == "STRING" else "e_"
    items = f"list_transform(json_extract(v_, {where[:-1]}[*]'), lambda e_: {item})"
    return let(holder, f"CASE WHEN json_type(v_, {where}) = 'ARRAY' THEN {items} END")


def _value_array(call: Call) -> str:
    holder, where = _items(call)
    items = f"json_extract(v_, {where[:-1]}[*]')"
    nested = f"len(list_filter({items}, lambda e_: json_type(e_) IN ('OBJECT', 'ARRAY'))) > 0"
    texts = f"list_transform({items}, lambda e_: json_extract_string(e_, '$'))"
    return let(
        holder,
        f"CASE WHEN json_type(v_, {where}) = 'ARRAY' THEN CASE WHEN {nested} THEN NULL ELSE {texts} END END",
    )


def _type(call: Call) -> str:
    return let(
        call.text(0),
        "CASE json_type(v_) WHEN 'VARCHAR' THEN 'string' WHEN 'BOOLEAN' THEN 'boolean' WHEN 'OBJECT' THEN 'object' "
        "WHEN 'ARRAY' THEN 'array' WHEN 'NULL' THEN 'null' ELSE CASE WHEN v_ IS NOT NULL THEN 'number' END END",
    )


NUMBER_TYPES = "('BIGINT', 'UBIGINT', 'DOUBLE', 'HUGEINT')"
# Of each type that JSON converts to: DuckDB's, the JSON types that it takes, and what the message calls it.
STRICT = {
    "BOOL": ("BOOLEAN", "('BOOLEAN')", "a boolean"),
    "INT64": ("BIGINT", NUMBER_TYPES, "an integer"),
    "FLOAT64": ("DOUBLE", NUMBER_TYPES, "a number"),
    "STRING": ("VARCHAR", "('VARCHAR')", "a string"),
}


def _strict(kind: str, name: str) -> str:
    """The JSON value `name` as INT64 and its like: an error when it is of another kind."""
    target, types, words = STRICT[kind]
    wrong = fail(literal(f"The provided JSON input is not {words}"))
    text = f"json_extract_string({name}, '$')"
    value = text if kind == "STRING" else f"CAST({text} AS {target})"
    if kind == "INT64":
        whole = f"CAST({text} AS DOUBLE) = floor(CAST({text} AS DOUBLE)) AND abs(CAST({text} AS DOUBLE)) < 1e19"
        message = f"'The provided JSON number: ' || {text} || ' cannot be converted to an int64'"
        exact = f"coalesce(TRY_CAST({text} AS BIGINT), CAST(CAST({text} AS DOUBLE) AS BIGINT))"
        value = f"CASE WHEN {whole} THEN {exact} ELSE {fail(message)} END"
    return f"CASE WHEN {name} IS NULL THEN NULL WHEN json_type({name}) IN {types} THEN {value} ELSE {wrong} END"


def _lax(kind: str, name: str) -> str:
    """LAX_INT64 and its like: NULL when there is no conversion."""
    text = f"json_extract_string({name}, '$')"
    number = f"TRY_CAST({text} AS DOUBLE)"
    value = {
        "STRING": f"CASE json_type({name}) WHEN 'DOUBLE' THEN regexp_replace({text}, '\\.0$', '') ELSE {text} END",
        "INT64": f"CASE json_type({name}) WHEN 'BOOLEAN' THEN CAST(CAST({text} AS BOOLEAN) AS BIGINT) "
        f"ELSE coalesce(TRY_CAST(CASE WHEN regexp_full_match({text}, '[+-]?\\d+') THEN {text} END AS BIGINT), "
        f"TRY_CAST(round({number}) AS BIGINT)) END",
        "FLOAT64": f"CASE json_type({name}) WHEN 'BOOLEAN' THEN NULL ELSE {number} END",
        "BOOL": f"CASE json_type({name}) WHEN 'BOOLEAN' THEN CAST({text} AS BOOLEAN) WHEN 'VARCHAR' THEN "
        f"CASE lower({text}) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END ELSE {number} <> 0 END",
    }[kind]
    return f"CASE WHEN json_type({name}) NOT IN ('OBJECT', 'ARRAY', 'NULL') THEN {value} END"


Conversion = Callable[[str, str], str]


def _one(kind: str, convert: Conversion) -> Callable[[Call], str]:
    return lambda call: let(call.text(0), convert(kind, "v_"))


def _many(kind: str, convert: Conversion, lax: bool) -> Callable[[Call], str]:
    def render(call: Call) -> str:
        wrong = "NULL" if lax else fail("'The provided JSON input is not an array'")
        items = f"list_transform(json_extract(v_, '$[*]'), lambda e_: {convert(kind, 'e_')})"
        return let(
            call.text(0), f"CASE WHEN v_ IS NULL THEN NULL WHEN json_type(v_) = 'ARRAY' THEN {items} ELSE {wrong} END"
        )

    return render


def _string(call: Call) -> str:
    if call.kind(0) == "JSON":
        return _one("STRING", _strict)(call)
    kind = call.type(0)
    assert kind is not None
    return to_string(call.text(0), kind, zone=call.text(1) if call.count > 1 else None)


def _keys(call: Call) -> str:
    depth, mode = call.option("max_depth", 1) or "NULL", call.option("mode") or "'strict'"
    return let(call.text(0), f"CASE WHEN v_ IS NOT NULL THEN bq_json_keys(v_, {depth}, {mode}) END")


def _reader(name: str, render: Callable[[Call], str], result: str) -> Function:
    """Of JSON and of STRING; `{}` in `result` is the argument's own type."""
    kinds = ("JSON", "STRING")
    return Function(name, tuple(f"{name}({kind}, [STRING]) -> {result.format(kind)}" for kind in kinds), render)


FUNCTIONS = (
    _reader("JSON_VALUE", _value, "STRING"),
    _reader("JSON_EXTRACT_SCALAR", _value, "STRING"),
    _reader("JSON_QUERY", _query, "{}"),
    _reader("JSON_EXTRACT", _query, "{}"),
    _reader("JSON_QUERY_ARRAY", _query_array, "ARRAY<{}>"),
    _reader("JSON_EXTRACT_ARRAY", _query_array, "ARRAY<{}>"),
    _reader("JSON_VALUE_ARRAY", _value_array, "ARRAY<STRING>"),
    _reader("JSON_EXTRACT_STRING_ARRAY", _value_array, "ARRAY<STRING>"),
    Function("JSON_TYPE", ("JSON_TYPE(JSON) -> STRING",), _type),
    Function(
        "JSON_KEYS",
        ("JSON_KEYS(JSON, [INT64]) -> ARRAY<STRING>",),
        _keys,
        options=("max_depth INT64", "mode STRING"),
    ),
    Function("JSON_CONTAINS", ("JSON_CONTAINS(JSON, JSON) -> BOOL",), "bq_json_contains({0}, {1})"),
    Function("JSON_FLATTEN", ("JSON_FLATTEN(JSON) -> ARRAY<JSON>",), "CAST(bq_json_flatten({0}) AS JSON[])"),
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
    *(
        Function(kind, (f"{kind}(JSON) -> {kind}",), _one(kind, _strict), options=("wide_number_mode STRING",))
        for kind in ("BOOL", "INT64", "FLOAT64")
    ),
    *(Function(f"LAX_{kind}", (f"LAX_{kind}(JSON) -> {kind}",), _one(kind, _lax)) for kind in STRICT),
    *(
        Function(
            f"{prefix}{kind}_ARRAY",
            (f"{prefix}{kind}_ARRAY(JSON) -> ARRAY<{kind}>",),
            _many(kind, convert, bool(prefix)),
        )
        for kind in STRICT
        for prefix, convert in (("", _strict), ("LAX_", _lax))
    ),
)
