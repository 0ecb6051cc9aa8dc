"""String functions. Those that take BYTES work on them as text that has a character for each byte.

Source: "String functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/string_functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql.functions.conversion import cast, to_string
from embedded_bigquery.sql.functions.duckdb_text import fail, let, literal
from embedded_bigquery.sql.functions.registry import Call, Function, Renderer
from embedded_bigquery.types import BYTES, STRING, Type, array_of, quoted

WHITESPACE = r"\s\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}"
FORMS = ("NFC", "NFKC", "NFD", "NFKD")


def both(name: str, parameters: str, result: str = "") -> tuple[str, ...]:
    """The signature for STRING and the same for BYTES; X in `parameters` stands for either."""
    return tuple(
        f"{name}({parameters.replace('X', kind)}) -> {(result or 'X').replace('X', kind)}"
        for kind in ("STRING", "BYTES")
    )


def is_bytes(call: Call) -> bool:
    return call.kind(0) == "BYTES"


def either(text: str, for_bytes: str) -> Renderer:
    """Renders `text` for STRING and `for_bytes` for BYTES."""

    def render(call: Call) -> str:
        template = for_bytes if is_bytes(call) else text
        return template.format(*(call.text(position) for position in range(call.count)))

    return render


def on_bytes(render: Renderer | str) -> Renderer:
    """The same for BYTES as for STRING."""

    def rendered(call: Call) -> str:
        return render(call) if callable(render) else render.format(*(call.text(n) for n in range(call.count)))

    def wrapped(call: Call) -> str:
        places = [call.kind(position) == "BYTES" for position in range(call.count)]
        if not any(places):
            return rendered(call)
        inner = replace(
            call,
            args=tuple(f"bq_latin({call.text(n)})" if is_one else call.args[n] for n, is_one in enumerate(places)),
            types=tuple(STRING if is_one else call.types[n] for n, is_one in enumerate(places)),
            parameters=tuple(STRING if is_one else call.parameters[n] for n, is_one in enumerate(places)),
            nodes=tuple(None if is_one else call.nodes[n] for n, is_one in enumerate(places)),
        )
        text = rendered(inner)
        if call.result == BYTES:
            return f"bq_unlatin({text})"
        return f"list_transform({text}, lambda b_: bq_unlatin(b_))" if call.result == array_of(BYTES) else text

    return wrapped


def _concat(call: Call) -> str:
    parts = []
    for position in range(call.count):
        kind = call.types[position]
        same = kind is None or kind in (STRING, BYTES)
        parts.append(call.text(position) if same else cast(call.raw(position), kind, STRING))
    return "(" + " || ".join(parts) + ")"


def _not_negative(call: Call, position: int, message: str, text: str) -> str:
    """`text`, or an error when the argument is below zero."""
    number = call.number(position)
    if number is not None and number >= 0:
        return text
    return f"CASE WHEN {call.text(position)} < 0 THEN {fail(literal(message))} ELSE {text} END"


def _substr(call: Call) -> str:
    """From `start` on; 0 and what lies before the beginning mean 1."""
    value, start = call.text(0), call.text(1)
    first, number = start, call.number(1)
    if number is None or number < 1:
        size = f"length({value})"
        from_end = f"WHEN {start} < 0 THEN {size} + {start} + 1 ELSE {start}"
        first = f"CASE WHEN {start} = 0 OR {start} < -{size} THEN 1 {from_end} END"
    if call.count == 2:
        return f"substr({value}, {first})"
    text = f"substr({value}, {first}, {call.text(2)})"
    return _not_negative(call, 2, "Third argument in SUBSTR() cannot be negative", text)


def _side(call: Call) -> str:
    text = f"{call.name.lower()}({call.text(0)}, {call.text(1)})"
    return _not_negative(call, 1, f"Second argument in {call.name}() cannot be negative", text)


def _pad(call: Call) -> str:
    fill = call.text(2) if call.count > 2 else "' '"
    text = f"{call.name.lower()}({call.text(0)}, CAST({call.text(1)} AS INTEGER), {fill})"
    if call.count > 2 and not call.literal(2):
        wrong = fail("'Third argument (pad pattern) for LPAD/RPAD cannot be empty'")
        text = f"CASE WHEN {fill} = '' THEN {wrong} ELSE {text} END"
    return _not_negative(call, 1, "Second argument (output size) for LPAD/RPAD cannot be negative", text)


def _trim(call: Call) -> str:
    if call.count == 2:
        return f"{call.name.lower()}({call.text(0)}, {call.text(1)})"
    # DuckDB trims spaces alone, BigQuery whatever Unicode calls white space.
    left, right = rf"^[{WHITESPACE}]+", rf"[{WHITESPACE}]+$"
    pattern = {"TRIM": f"{left}|{right}", "LTRIM": left, "RTRIM": right}[call.name]
    return f"regexp_replace({call.text(0)}, '{pattern}', '', 'g')"


def _split(call: Call) -> str:
    separator = call.text(1) if call.count > 1 else "','"
    # An empty separator splits into characters, an empty text gives one empty element.
    text = f"string_split({call.text(0)}, {separator})"
    return text if call.count == 1 or call.literal(1) else f"CASE WHEN {call.text(0)} = '' THEN [''] ELSE {text} END"


def _instr(call: Call) -> str:
    if call.count == 2:
        return f"instr({call.text(0)}, {call.text(1)})"
    occurrence = call.text(3) if call.count > 3 else "1"
    return f"bq_instr({call.text(0)}, {call.text(1)}, {call.text(2)}, {occurrence})"


def _initcap(call: Call) -> str:
    delimiters = call.text(1) if call.count > 1 else literal(" \t\n\r\f\v[](){}/|<>!?@\"^#$&~_,.:;*%+-'")
    # One pass over the characters: a letter is upper case when nothing, or a delimiter, stands before it.
    body = (
        "list_transform(range(1, length(v_) + 1), lambda i_: "
        f"CASE WHEN i_ = 1 OR contains({delimiters}, v_[i_ - 1]) THEN upper(v_[i_]) ELSE lower(v_[i_]) END)"
    )
    return let(call.text(0), f"CASE WHEN v_ IS NOT NULL THEN coalesce(array_to_string({body}, ''), '') END")


def _replace(call: Call) -> str:
    value, old, new = (call.text(position) for position in range(3))
    if call.literal(1):
        return f"replace({value}, {old}, {new})"
    return f"CASE WHEN {old} = '' THEN {value} ELSE replace({value}, {old}, {new}) END"


def _repeat(call: Call) -> str:
    text = f"repeat({call.text(0)}, {call.text(1)})"
    return _not_negative(call, 1, "Second argument (repeat count) for REPEAT cannot be negative", text)


def _texts(text: str, kind: Type | None, scope: str, depth: int = 0) -> str:
    """A list of all texts in a value."""
    if kind is None:
        return f"[CAST({text} AS VARCHAR)]"
    name = f"t{depth}_"
    if kind.is_array and kind.element is not None:
        items = f"flatten(list_transform({text}, lambda {name}: {_texts(name, kind.element, scope, depth + 1)}))"
        return f"CASE WHEN {text} IS NULL THEN [NULL] ELSE {items} END"
    if kind.is_struct:
        parts = [_texts(f"{name}.{quoted(n)}", f.type, scope, depth + 1) for n, f in kind.storage_fields()]
        return let(text, f"flatten([{', '.join(parts)}])", name)
    if kind.kind == "JSON":
        return f"coalesce(bq_json_texts({text}, {scope}), [NULL])"
    return f"[{to_string(text, kind)}]"


def _contains_substr(call: Call) -> str:
    scope = call.option("json_scope") or "'JSON_VALUES'"
    return f"bq_contains({_texts(call.raw(0), call.types[0], scope)}, {call.text(1)})"


def _normalize(call: Call) -> str:
    form = call.keyword(1) if call.count > 1 else "NFC"
    if form not in FORMS:
        raise InvalidQuery(f"{form} is no normalization form. Use one of {', '.join(FORMS)}")
    native = "bq_casefold" if call.name.endswith("CASEFOLD") else "bq_normalize"
    return f"{native}({call.text(0)}, '{form}')"


def _to_code_points(call: Call) -> str:
    points = "list_transform(range(1, length(v_) + 1), lambda i_: CAST(unicode(v_[i_]) AS BIGINT))"
    return let(call.text(0), f"CASE WHEN v_ IS NOT NULL THEN {points} END")


def _octets(call: Call) -> str:
    return f"octet_length({call.text(0) if is_bytes(call) else f'encode({call.text(0)})'})"


def _distance(call: Call) -> str:
    return f"bq_edit_distance({call.text(0)}, {call.text(1)}, {call.option('max_distance', 2) or 'NULL'})"


def _parse_decimal(whole: int, places: int) -> Callable[[Call], str]:
    def render(call: Call) -> str:
        text = f"bq_parse_decimal({call.text(0)}, '{call.name}', {whole}, {places})"
        return f"bq_big({text})" if call.name == "PARSE_BIGNUMERIC" else f"CAST({text} AS DECIMAL(38, 9))"

    return render


FUNCTIONS = (
    Function(
        "CONCAT",
        ("CONCAT(STRING, ...) -> STRING", "CONCAT(BYTES, ...) -> BYTES", "CONCAT(ANY, ...) -> STRING"),
        _concat,
    ),
    *(
        Function(name, both(name, "X", "INT64"), either("length({0})", "octet_length({0})"))
        for name in ("LENGTH", "CHAR_LENGTH", "CHARACTER_LENGTH")
    ),
    *(Function(name, both(name, "X", "INT64"), _octets) for name in ("BYTE_LENGTH", "OCTET_LENGTH")),
    *(Function(name, both(name, "X, INT64, [INT64]"), on_bytes(_substr)) for name in ("SUBSTR", "SUBSTRING")),
    *(Function(name, both(name, "X, INT64"), on_bytes(_side)) for name in ("LEFT", "RIGHT")),
    # DuckDB keeps the German sharp s; Unicode's upper case of it is SS.
    Function("UPPER", both("UPPER", "X"), either("upper(replace({0}, 'ß', 'SS'))", "bq_upper_bytes({0})")),
    Function("LOWER", both("LOWER", "X"), either("lower({0})", "bq_lower_bytes({0})")),
    *(Function(name, both(name, "X, INT64, [X]"), on_bytes(_pad)) for name in ("LPAD", "RPAD")),
    *(
        Function(name, (f"{name}(STRING, [STRING]) -> STRING", f"{name}(BYTES, BYTES) -> BYTES"), on_bytes(_trim))
        for name in ("TRIM", "LTRIM", "RTRIM")
    ),
    Function(
        "SPLIT", ("SPLIT(STRING, [STRING]) -> ARRAY<STRING>", "SPLIT(BYTES, BYTES) -> ARRAY<BYTES>"), on_bytes(_split)
    ),
    Function("STRPOS", both("STRPOS", "X, X", "INT64"), on_bytes("instr({0}, {1})")),
    Function("INSTR", both("INSTR", "X, X, [INT64], [INT64]", "INT64"), on_bytes(_instr)),
    Function("STARTS_WITH", both("STARTS_WITH", "X, X", "BOOL"), on_bytes("starts_with({0}, {1})")),
    Function("ENDS_WITH", both("ENDS_WITH", "X, X", "BOOL"), on_bytes("ends_with({0}, {1})")),
    Function("REPLACE", both("REPLACE", "X, X, X"), on_bytes(_replace)),
    Function("REPEAT", both("REPEAT", "X, INT64"), on_bytes(_repeat)),
    Function("REVERSE", both("REVERSE", "X"), on_bytes("reverse({0})")),
    Function("INITCAP", ("INITCAP(STRING, [STRING]) -> STRING",), _initcap),
    Function("TRANSLATE", both("TRANSLATE", "X, X, X"), on_bytes("bq_translate({0}, {1}, {2})")),
    Function(
        "CONTAINS_SUBSTR",
        ("CONTAINS_SUBSTR(ANY, STRING) -> BOOL",),
        _contains_substr,
        options=("json_scope STRING",),
    ),
    *(
        Function(name, (f"{name}(STRING, [KEYWORD]) -> STRING",), _normalize)
        for name in ("NORMALIZE", "NORMALIZE_AND_CASEFOLD")
    ),
    Function("ASCII", ("ASCII(STRING) -> INT64",), "bq_ascii({0})"),
    Function(
        "UNICODE", ("UNICODE(STRING) -> INT64",), "CAST(CASE WHEN {0} = '' THEN 0 ELSE unicode({0}) END AS BIGINT)"
    ),
    Function("CHR", ("CHR(INT64) -> STRING",), "bq_chr({0})"),
    Function("TO_CODE_POINTS", both("TO_CODE_POINTS", "X", "ARRAY<INT64>"), on_bytes(_to_code_points)),
    *(
        Function(f"CODE_POINTS_TO_{kind}", (f"CODE_POINTS_TO_{kind}(ARRAY<INT64>) -> {kind}",), text)
        for kind, text in (("STRING", "bq_code_points_to_string({0})"), ("BYTES", "bq_code_points_to_bytes({0})"))
    ),
    Function("TO_HEX", ("TO_HEX(BYTES) -> STRING",), "lower(hex({0}))"),
    Function("FROM_HEX", ("FROM_HEX(STRING) -> BYTES",), "bq_from_hex({0})"),
    Function("TO_BASE32", ("TO_BASE32(BYTES) -> STRING",), "bq_to_base32({0})"),
    Function("FROM_BASE32", ("FROM_BASE32(STRING) -> BYTES",), "bq_from_base32({0})"),
    Function("TO_BASE64", ("TO_BASE64(BYTES) -> STRING",), "to_base64({0})"),
    Function("FROM_BASE64", ("FROM_BASE64(STRING) -> BYTES",), "bq_from_base64({0})"),
    Function(
        "SAFE_CONVERT_BYTES_TO_STRING",
        ("SAFE_CONVERT_BYTES_TO_STRING(BYTES) -> STRING",),
        "bq_lossy_text({0})",
    ),
    Function("SOUNDEX", ("SOUNDEX(STRING) -> STRING",), "bq_soundex({0})"),
    Function(
        "EDIT_DISTANCE",
        both("EDIT_DISTANCE", "X, X, [INT64]", "INT64"),
        on_bytes(_distance),
        options=("max_distance INT64",),
    ),
    Function("PARSE_NUMERIC", ("PARSE_NUMERIC(STRING) -> NUMERIC",), _parse_decimal(29, 9)),
    Function("PARSE_BIGNUMERIC", ("PARSE_BIGNUMERIC(STRING) -> BIGNUMERIC",), _parse_decimal(39, 38)),
)
