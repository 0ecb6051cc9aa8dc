"""String functions. Those that take BYTES too work on the hexadecimal form, which DuckDB can cut.

Source: "String functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/string_functions.
"""

from __future__ import annotations

from collections.abc import Callable

from embedded_bigquery.errors import NotSupported
from embedded_bigquery.sql.functions.duckdb_text import fail, let, literal
from embedded_bigquery.sql.functions.registry import Call, Function

WHITESPACE = r"\s\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}"


def both(name: str, parameters: str, result: str = "") -> tuple[str, ...]:
    """The signature for STRING and the same for BYTES; X in `parameters` stands for either."""
    return tuple(
        f"{name}({parameters.replace('X', kind)}) -> {(result or 'X').replace('X', kind)}"
        for kind in ("STRING", "BYTES")
    )


def is_bytes(call: Call) -> bool:
    return call.kind(0) == "BYTES"


def either(text: str, for_bytes: str | None) -> Callable[[Call], str]:
    """Renders `text` for STRING and `for_bytes` for BYTES, which is refused when there is none."""

    def render(call: Call) -> str:
        template = for_bytes if is_bytes(call) else text
        if template is None:
            raise NotSupported(f"{call.name} of BYTES")
        return template.format(*(call.text(position) for position in range(call.count)))

    return render


def _concat(call: Call) -> str:
    return "(" + " || ".join(call.text(position) for position in range(call.count)) + ")"


def _negative(call: Call, position: int, message: str, text: str) -> str:
    """`text`, or an error when the argument is below zero."""
    if call.is_literal(position):
        return text
    return f"CASE WHEN {call.text(position)} < 0 THEN {fail(literal(message), safe=call.safe)} ELSE {text} END"


def _substr(call: Call) -> str:
    value, start = call.text(0), call.text(1)
    if is_bytes(call):
        return let(f"hex({value})", f"unhex({_cut(call, 'v_', start, 2)})")
    if start.isdigit() and int(start) > 0 and call.count == 2:
        return f"substr({value}, {start})"
    if start.isdigit() and int(start) > 0:
        text = f"substr({value}, {start}, {call.text(2)})"
        return _negative(call, 2, "Third argument in SUBSTR() cannot be negative", text)
    return let(value, _cut(call, "v_", start, 1))


def _cut(call: Call, value: str, start: str, width: int) -> str:
    """From `start` (0 and anything before the beginning mean 1) on; each character is `width` wide."""
    size = f"length({value}) // {width}" if width > 1 else f"length({value})"
    from_end = f"{size} + {start} + 1"
    first = f"CASE WHEN {start} = 0 OR {start} < -({size}) THEN 1 WHEN {start} < 0 THEN {from_end} ELSE {start} END"
    if width > 1:
        first = f"(({first}) - 1) * {width} + 1"
    if call.count == 2:
        return f"substr({value}, {first})"
    text = f"substr({value}, {first}, {call.text(2)} * {width})"
    return _negative(call, 2, "Third argument in SUBSTR() cannot be negative", text)


def _pad(call: Call) -> str:
    if is_bytes(call):
        fill = f"hex({call.text(2)})" if call.count > 2 else "'20'"
        text = f"unhex({call.name.lower()}(hex({call.text(0)}), CAST(2 * {call.text(1)} AS INTEGER), {fill}))"
    else:
        fill = call.text(2) if call.count > 2 else "' '"
        text = f"{call.name.lower()}({call.text(0)}, CAST({call.text(1)} AS INTEGER), {fill})"
    message = "Second argument (output size) for LPAD/RPAD cannot be negative"
    wrong = f"{call.text(1)} < 0"
    return f"CASE WHEN {wrong} THEN {fail(literal(message), safe=call.safe)} ELSE {text} END"


def _trim(call: Call) -> str:
    if is_bytes(call):
        raise NotSupported(f"{call.name} of BYTES")
    if call.count == 2:
        return f"{call.name.lower()}({call.text(0)}, {call.text(1)})"
    # DuckDB trims spaces alone, BigQuery whatever Unicode calls white space.
    left, right = rf"^[{WHITESPACE}]+", rf"[{WHITESPACE}]+$"
    pattern = {"TRIM": f"{left}|{right}", "LTRIM": left, "RTRIM": right}[call.name]
    return f"regexp_replace({call.text(0)}, '{pattern}', '', 'g')"


def _split(call: Call) -> str:
    separator = call.text(1) if call.count > 1 else "','"
    if is_bytes(call):
        raise NotSupported("SPLIT of BYTES")
    if call.literal(1):
        return f"string_split({call.text(0)}, {separator})"
    # An empty separator splits into characters, an empty text gives one empty element.
    return f"CASE WHEN {call.text(0)} = '' THEN [''] ELSE string_split({call.text(0)}, {separator}) END"


def _instr(call: Call) -> str:
    """Position of the n-th occurrence from a start that counts from the end when negative."""
    value, piece = call.text(0), call.text(1)
    if is_bytes(call):
        raise NotSupported("INSTR of BYTES")
    if call.count == 2:
        return f"instr({value}, {piece})"
    start, occurrence = call.text(2), call.text(3) if call.count > 3 else "1"
    places = "list_filter(range(1, length(r_.v) + 1), lambda p_: substr(r_.v, p_, length(r_.p)) = r_.p"
    forward = f"{places} AND p_ >= {start})[{occurrence}]"
    backward = f"list_reverse({places} AND p_ <= length(r_.v) + {start} + 1))[{occurrence}]"
    found = f"CASE WHEN {start} > 0 THEN {forward} ELSE {backward} END"
    wrong = fail("'INSTR() position cannot be 0'", safe=call.safe)
    body = (
        f"CASE WHEN r_.v IS NULL OR r_.p IS NULL OR {start} IS NULL OR {occurrence} IS NULL THEN NULL "
        f"WHEN {start} = 0 THEN {wrong} "
        f"ELSE coalesce({found}, 0) END"
    )
    return f"list_transform([struct_pack(v := {value}, p := {piece})], lambda r_: {body})[1]"


def _strpos(call: Call) -> str:
    if not is_bytes(call):
        return f"instr({call.text(0)}, {call.text(1)})"
    body = "list_filter(range(1, length(r_.v) // 2 + 1), lambda p_: substr(r_.v, 2 * p_ - 1, length(r_.p)) = r_.p)[1]"
    return (
        f"list_transform([struct_pack(v := hex({call.text(0)}), p := hex({call.text(1)}))], lambda r_: "
        f"CASE WHEN r_.v IS NOT NULL AND r_.p IS NOT NULL THEN coalesce({body}, 0) END)[1]"
    )


def _initcap(call: Call) -> str:
    delimiters = call.text(1) if call.count > 1 else literal(" \t\n\r\f\v[](){}/|<>!?@\"^#$&~_,.:;*%+-'")
    # One pass over the characters: a letter is upper case when nothing, or a delimiter, stands before it.
    body = (
        "list_transform(range(1, length(v_) + 1), lambda i_: "
        f"CASE WHEN i_ = 1 OR contains({delimiters}, v_[i_ - 1]) THEN upper(v_[i_]) ELSE lower(v_[i_]) END)"
    )
    return let(call.text(0), f"CASE WHEN v_ IS NOT NULL THEN coalesce(array_to_string({body}, ''), '') END")


def _replace(call: Call) -> str:
    if is_bytes(call):
        raise NotSupported("REPLACE of BYTES")
    value, old, new = (call.text(position) for position in range(3))
    if call.literal(1):
        return f"replace({value}, {old}, {new})"
    return f"CASE WHEN {old} = '' THEN {value} ELSE replace({value}, {old}, {new}) END"


def _repeat(call: Call) -> str:
    text = f"repeat({call.text(0)}, {call.text(1)})"
    return _negative(call, 1, "Second argument for REPEAT cannot be negative", text)


def _contains_substr(call: Call) -> str:
    if call.kind(0) not in ("STRING", "INT64", "JSON", "BOOL", "DATE"):
        raise NotSupported("CONTAINS_SUBSTR of anything but a scalar")
    folded = [f"lower(nfc_normalize(CAST({call.raw(position)} AS VARCHAR)))" for position in (0, 1)]
    return f"contains({folded[0]}, {folded[1]})"


def _normalize(call: Call) -> str:
    form = call.keyword(1) if call.count > 1 else "NFC"
    if form != "NFC":
        # DuckDB has NFC alone.
        raise NotSupported(f"{call.name} to {form}")
    text = f"nfc_normalize({call.text(0)})"
    return f"nfc_normalize(lower({text}))" if call.name.endswith("CASEFOLD") else text


def _to_code_points(call: Call) -> str:
    if is_bytes(call):
        pairs = (
            "list_transform(range(0, length(v_) // 2), lambda i_: CAST('0x' || substr(v_, 2 * i_ + 1, 2) AS BIGINT))"
        )
        return let(f"hex({call.text(0)})", f"CASE WHEN v_ IS NOT NULL THEN {pairs} END")
    points = "list_transform(range(1, length(v_) + 1), lambda i_: CAST(unicode(v_[i_]) AS BIGINT))"
    return let(call.text(0), f"CASE WHEN v_ IS NOT NULL THEN {points} END")


def _joined(call: Call, item: str) -> str:
    body = f"array_to_string(list_transform(v_, lambda c_: {item}), '')"
    nulls = "len(list_filter(v_, lambda c_: c_ IS NULL)) > 0"
    return let(call.text(0), f"CASE WHEN v_ IS NULL OR {nulls} THEN NULL ELSE coalesce({body}, '') END")


def _code_points_to_bytes(call: Call) -> str:
    pairs = _joined(call, "printf('%02X', CAST(c_ AS BIGINT))")
    return f"unhex({pairs})"


def _from_hex(call: Call) -> str:
    value = call.text(0)
    return f"unhex(CASE WHEN length({value}) % 2 = 1 THEN '0' || {value} ELSE {value} END)"


def _octets(call: Call) -> str:
    return f"octet_length({call.text(0) if is_bytes(call) else f'encode({call.text(0)})'})"


def _translate(call: Call) -> str:
    return f"translate({call.arguments})"


LENGTH_OF = {"BYTES": "octet_length({0})", "STRING": "length({0})"}

FUNCTIONS = (
    Function("CONCAT", both("CONCAT", "X, ..."), _concat),
    *(
        Function(name, both(name, "X", "INT64"), either(LENGTH_OF["STRING"], LENGTH_OF["BYTES"]))
        for name in ("LENGTH", "CHAR_LENGTH", "CHARACTER_LENGTH")
    ),
    *(Function(name, both(name, "X", "INT64"), _octets) for name in ("BYTE_LENGTH", "OCTET_LENGTH")),
    *(Function(name, both(name, "X, INT64, [INT64]"), _substr) for name in ("SUBSTR", "SUBSTRING")),
    Function("LEFT", both("LEFT", "X, INT64"), either("left({0}, {1})", "unhex(left(hex({0}), 2 * {1}))")),
    Function("RIGHT", both("RIGHT", "X, INT64"), either("right({0}, {1})", "unhex(right(hex({0}), 2 * {1}))")),
    # DuckDB keeps the German sharp s; Unicode's upper case of it is SS.
    Function("UPPER", both("UPPER", "X"), either("upper(replace({0}, 'ß', 'SS'))", None)),
    Function("LOWER", both("LOWER", "X"), either("lower({0})", None)),
    *(Function(name, both(name, "X, INT64, [X]"), _pad) for name in ("LPAD", "RPAD")),
    *(Function(name, both(name, "X, [X]"), _trim) for name in ("TRIM", "LTRIM", "RTRIM")),
    Function("SPLIT", both("SPLIT", "X, [X]", "ARRAY<X>"), _split),
    Function("STRPOS", both("STRPOS", "X, X", "INT64"), _strpos),
    Function("INSTR", both("INSTR", "X, X, [INT64], [INT64]", "INT64"), _instr),
    Function(
        "STARTS_WITH",
        both("STARTS_WITH", "X, X", "BOOL"),
        either("starts_with({0}, {1})", "starts_with(hex({0}), hex({1}))"),
    ),
    Function(
        "ENDS_WITH",
        both("ENDS_WITH", "X, X", "BOOL"),
        either("ends_with({0}, {1})", "ends_with(hex({0}), hex({1}))"),
    ),
    Function("REPLACE", both("REPLACE", "X, X, X"), _replace),
    Function("REPEAT", both("REPEAT", "X, INT64"), _repeat),
    Function("REVERSE", both("REVERSE", "X"), either("reverse({0})", None)),
    Function("INITCAP", ("INITCAP(STRING, [STRING]) -> STRING",), _initcap),
    Function("TRANSLATE", both("TRANSLATE", "X, X, X"), _translate),
    Function("CONTAINS_SUBSTR", ("CONTAINS_SUBSTR(ANY, STRING) -> BOOL",), _contains_substr),
    *(
        Function(name, (f"{name}(STRING, [KEYWORD]) -> STRING",), _normalize)
        for name in ("NORMALIZE", "NORMALIZE_AND_CASEFOLD")
    ),
    Function("ASCII", ("ASCII(STRING) -> INT64",), "CAST(CASE WHEN {0} = '' THEN 0 ELSE ascii({0}) END AS BIGINT)"),
    Function(
        "UNICODE", ("UNICODE(STRING) -> INT64",), "CAST(CASE WHEN {0} = '' THEN 0 ELSE unicode({0}) END AS BIGINT)"
    ),
    Function("CHR", ("CHR(INT64) -> STRING",), "CASE WHEN {0} = 0 THEN '' ELSE chr(CAST({0} AS INTEGER)) END"),
    Function("TO_CODE_POINTS", both("TO_CODE_POINTS", "X", "ARRAY<INT64>"), _to_code_points),
    Function(
        "CODE_POINTS_TO_STRING",
        ("CODE_POINTS_TO_STRING(ARRAY<INT64>) -> STRING",),
        lambda call: _joined(call, "chr(CAST(c_ AS INTEGER))"),
    ),
    Function("CODE_POINTS_TO_BYTES", ("CODE_POINTS_TO_BYTES(ARRAY<INT64>) -> BYTES",), _code_points_to_bytes),
    Function("TO_HEX", ("TO_HEX(BYTES) -> STRING",), "lower(hex({0}))"),
    Function("FROM_HEX", ("FROM_HEX(STRING) -> BYTES",), _from_hex),
    Function("TO_BASE64", ("TO_BASE64(BYTES) -> STRING",), "to_base64({0})"),
    Function("FROM_BASE64", ("FROM_BASE64(STRING) -> BYTES",), "from_base64({0})"),
    Function(
        "SAFE_CONVERT_BYTES_TO_STRING",
        ("SAFE_CONVERT_BYTES_TO_STRING(BYTES) -> STRING",),
        # BigQuery puts U+FFFD for what is not UTF-8; DuckDB cannot tell where that is.
        "CASE WHEN {0} IS NOT NULL THEN "
        "coalesce(TRY(decode({0})), error('not supported: SAFE_CONVERT_BYTES_TO_STRING of invalid UTF-8')) END",
    ),
    Function("EDIT_DISTANCE", ("EDIT_DISTANCE(STRING, STRING) -> INT64",), "levenshtein({0}, {1})"),
)
