"""Operators, as functions with signatures: one way to choose a type and to convert the operands.

Source: "Operators", docs.cloud.google.com/bigquery/docs/reference/standard-sql/operators.
"""

from __future__ import annotations

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.functions.conversion import cast
from embedded_bigquery.sql.functions.duckdb_text import fail, finite, is_short, let
from embedded_bigquery.sql.functions.registry import Call, Function, Renderer
from embedded_bigquery.sql.functions.signatures import supertype
from embedded_bigquery.types import BIGNUMERIC, FLOAT64, INT64, NUMERIC, STRING, Type, quoted

DIFFERENCES = {
    "DATE": "to_days(CAST({0} - {1} AS INTEGER))",
    "TIMESTAMP": "to_microseconds(epoch_us({0}) - epoch_us({1}))",
    "TIME": "to_microseconds(epoch_us({0}) - epoch_us({1}))",
}
NUMBERS = ("INT64", "NUMERIC", "BIGNUMERIC", "FLOAT64")
POINTS = ("DATETIME", "TIMESTAMP")
BITS = "18446744073709551615"


def _arithmetic(sign: str, *more: str) -> Function:
    own = tuple(f"{sign}({kind}, {kind}) -> {kind}" for kind in NUMBERS)
    return Function(sign, (*own, *more), _number(sign))


def _number(sign: str) -> Renderer:
    def render(call: Call) -> str:
        text = f"({call.text(0)} {sign} {call.text(1)})"
        result = call.result
        if result == FLOAT64:
            return _finite(call, sign)
        if result == BIGNUMERIC:
            return f"bq_big_product({call.text(0)}, {call.text(1)})" if sign == "*" else f"bq_big_in_range{text}"
        if result == NUMERIC:
            # DuckDB widens the scale with each operation; BigQuery keeps 9 digits.
            return f"CAST({text} AS {result.duckdb()})"
        if result is not None and result.kind == "INTERVAL" and sign == "-" and call.kind(0) in DIFFERENCES:
            return DIFFERENCES[call.kind(0)].format(call.text(0), call.text(1))
        if result is not None and result.kind == "DATE":
            days = f"CAST({call.text(1)} AS INTEGER)"
            date, count = (call.text(0), days) if call.kind(0) == "DATE" else (call.text(1), call.text(0))
            return f"CAST({date} {sign} CAST({count} AS INTEGER) AS DATE)"
        return text

    return render


def _finite(call: Call, sign: str) -> str:
    """The result of two FLOAT64, or an error where it overflows."""
    operands = [call.text(0), call.text(1)]
    if all(is_short(operand) for operand in operands):
        return finite(f"({operands[0]} {sign} {operands[1]})", operands, "'double overflow'")
    names = ["v_.a", "v_.b"]
    body = finite(f"({names[0]} {sign} {names[1]})", names, "'double overflow'")
    return let(f"struct_pack(a := {operands[0]}, b := {operands[1]})", body)


def _divide(call: Call) -> str:
    left, right = call.text(0), call.text(1)
    text, result = f"({left} / {right})", call.result
    if result == FLOAT64 and call.types != (INT64, INT64):
        text = _finite(call, "/")
    elif result == BIGNUMERIC:
        return f"bq_big_quotient({left}, {right})"
    elif result == NUMERIC:
        text = f"CAST({text} AS {result.duckdb()})"
    divisor = call.nodes[1]
    if isinstance(divisor, nodes.Number) and divisor.text.strip("-0.") != "":
        return text
    shown = [f"regexp_replace(CAST({call.raw(n)} AS VARCHAR), '\\.0$', '')" for n in (0, 1)]
    message = f"'division by zero: ' || {shown[0]} || ' / ' || {shown[1]}"
    return f"CASE WHEN {right} = 0 THEN {fail(message)} ELSE {text} END"


# ---- comparing


def _compare(sign: str) -> Function:
    return Function(sign, (f"{sign}(T, T) -> BOOL",), _comparison(sign))


def _comparison(sign: str) -> Renderer:
    def render(call: Call) -> str:
        kind = _compared(call)
        left, right = call.text(0), call.text(1)
        if kind is not None and kind.kind == "FLOAT64":
            return _floats(sign, left, right, call)
        if kind is not None and kind.is_struct and sign in ("=", "<>"):
            equal = _equal(left, right, kind)
            return equal if sign == "=" else f"(NOT {equal})"
        return f"({left} {sign} {right})"

    return render


def _compared(call: Call) -> Type | None:
    """The type that both sides are compared as; raises InvalidQuery when it has no such comparison."""
    kind = supertype([call.type(0), call.type(1)])
    if kind is None:
        return None
    is_order = call.name not in ("=", "<>", "IS DISTINCT FROM", "IS NOT DISTINCT FROM")
    if kind.kind in ("JSON", "GEOGRAPHY") or (is_order and (kind.is_struct or kind.is_array)):
        what = {"<": "Less than", ">": "Greater than", "<=": "Less than", ">=": "Greater than"}
        raise InvalidQuery(f"{what.get(call.name, 'Equality')} is not defined for arguments of type {kind}")
    return kind


def _floats(sign: str, left: str, right: str, call: Call) -> str:
    """To DuckDB NaN equals itself and is above all numbers; to BigQuery it compares with nothing."""
    is_literal = [isinstance(node, nodes.Number) for node in call.nodes]
    text = f"({left} {sign} {right})"
    if sign == "<>":
        return text if True in is_literal else f"({text} OR isnan({left}))"
    risky = {"=": left if True not in is_literal else "", "<": right, "<=": right, ">": left, ">=": left}[sign]
    if not risky or (risky == left and is_literal[0]) or (risky == right and is_literal[1]):
        return text
    if sign in ("<=", ">=") and True not in is_literal:
        return f"({text} AND NOT isnan({left}) AND NOT isnan({right}))"
    return f"({text} AND NOT isnan({risky}))"


def _equal(left: str, right: str, kind: Type) -> str:
    """A NULL field makes the answer of equal structs unknown; DuckDB takes NULL for equal to NULL."""
    tests = []
    for name, field in kind.storage_fields():
        a, b = f"({left}).{quoted(name)}", f"({right}).{quoted(name)}"
        tests.append(_equal(a, b, field.type) if field.type.is_struct else f"({a} = {b})")
    return f"({' AND '.join(tests)})" if tests else f"({left} = {right})"


def _distinct(call: Call) -> str:
    _compared(call)
    return f"({call.text(0)} {call.name} {call.text(1)})"


# ---- dates and intervals


def _shifts(sign: str) -> tuple[str, ...]:
    """What a plus or minus of dates and intervals gives."""
    found = [("DATE, INT64", "DATE"), ("DATE, INTERVAL", "DATETIME"), ("INTERVAL, INTERVAL", "INTERVAL")]
    found += [(f"{point}, INTERVAL", point) for point in POINTS]
    if sign == "-":
        found += [(f"{point}, {point}", "INTERVAL") for point in ("DATE", *POINTS, "TIME")]
    else:
        found += [("INT64, DATE", "DATE"), ("INTERVAL, DATE", "DATETIME")]
        found += [(f"INTERVAL, {point}", point) for point in POINTS]
    return tuple(f"{sign}({left}) -> {right}" for left, right in found)


def _like(call: Call) -> str:
    if call.kind(0) == "BYTES":
        return f"(bq_latin({call.text(0)}) LIKE bq_latin({call.text(1)}) ESCAPE '\\')"
    return f"({call.text(0)} LIKE {call.text(1)} ESCAPE '\\')"


def _bits(sign: str, text: str) -> Renderer:
    def render(call: Call) -> str:
        if call.kind(0) == "BYTES":
            return f"bq_combined_bits({call.text(0)}, {call.text(1)}, '{sign}')"
        return text.format(call.text(0), call.text(1))

    return render


def _inverted(call: Call) -> str:
    return f"bq_inverted_bits({call.text(0)})" if call.kind(0) == "BYTES" else f"(~{call.text(0)})"


def _concatenation(call: Call) -> str:
    """Values of other types join a STRING as text."""
    kinds = call.types if call.result == STRING else ()
    if any(kind is not None and (kind.is_array or kind.is_struct or kind.kind == "BYTES") for kind in kinds):
        shown = ", ".join(str(kind) for kind in call.types)
        raise InvalidQuery(f"No matching signature for operator || for argument types: {shown}")
    texts = [cast(call.text(n), call.types[n], STRING) if kinds and call.types[n] else call.text(n) for n in (0, 1)]
    return f"({texts[0]} || {texts[1]})"


def _shift(sign: str) -> Renderer:
    """All 64 bits take part, the sign too; a shift by the width or more leaves none."""

    def render(call: Call) -> str:
        value, count = call.text(0), call.text(1)
        if call.kind(0) == "BYTES":
            return f"bq_shifted_bits({value}, {'' if sign == '<<' else '-'}{count})"
        bits = f"(CAST({value} AS HUGEINT) & {BITS})"
        shifted = f"(({bits} {sign} least({count}, 63)) & {BITS})"
        signed = let(
            shifted, "CAST(CASE WHEN v_ > 9223372036854775807 THEN v_ - 18446744073709551616 ELSE v_ END AS BIGINT)"
        )
        return f"CASE WHEN {count} > 63 THEN CAST(0 AS BIGINT) WHEN {count} IS NOT NULL THEN {signed} END"

    return render


def _negative(call: Call) -> str:
    # DuckDB makes a wider number of the smallest INT64's opposite.
    return f"CAST(-{call.text(0)} AS BIGINT)" if call.result == INT64 else f"(-{call.text(0)})"


BINARY: dict[str, Function] = {
    "+": _arithmetic("+", *_shifts("+")),
    "-": _arithmetic("-", *_shifts("-")),
    "*": _arithmetic("*", "*(INTERVAL, INT64) -> INTERVAL", "*(INT64, INTERVAL) -> INTERVAL"),
    "/": Function(
        "/",
        (
            "/(INT64, INT64) -> FLOAT64",
            *(f"/({kind}, {kind}) -> {kind}" for kind in NUMBERS[1:]),
            "/(INTERVAL, INT64) -> INTERVAL",
        ),
        _divide,
    ),
    **{sign: _compare(sign) for sign in ("=", "<>", "<", "<=", ">", ">=")},
    **{name: Function(name, ("=(T, T) -> BOOL",), _distinct) for name in ("IS NOT DISTINCT FROM", "IS DISTINCT FROM")},
    "AND": Function("AND", ("AND(BOOL, BOOL) -> BOOL",), "({0} AND {1})"),
    "OR": Function("OR", ("OR(BOOL, BOOL) -> BOOL",), "({0} OR {1})"),
    "LIKE": Function("LIKE", ("LIKE(STRING, STRING) -> BOOL", "LIKE(BYTES, BYTES) -> BOOL"), _like),
    "||": Function(
        "||",
        (
            "||(STRING, STRING) -> STRING",
            "||(BYTES, BYTES) -> BYTES",
            "||(ARRAY<T>, ARRAY<T>) -> ARRAY<T>",
            "||(ANY, ANY) -> STRING",
        ),
        _concatenation,
    ),
    **{
        sign: Function(sign, (f"{sign}(INT64, INT64) -> INT64", f"{sign}(BYTES, BYTES) -> BYTES"), _bits(sign, text))
        for sign, text in (("&", "({0} & {1})"), ("|", "({0} | {1})"), ("^", "xor({0}, {1})"))
    },
    **{
        sign: Function(sign, (f"{sign}(INT64, INT64) -> INT64", f"{sign}(BYTES, INT64) -> BYTES"), _shift(sign))
        for sign in ("<<", ">>")
    },
}

UNARY: dict[str, Function] = {
    "-": Function("-", (*(f"-({kind}) -> {kind}" for kind in NUMBERS), "-(INTERVAL) -> INTERVAL"), _negative),
    "+": Function("+", tuple(f"+({kind}) -> {kind}" for kind in NUMBERS), "{0}"),
    "NOT": Function("NOT", ("NOT(BOOL) -> BOOL",), "(NOT {0})"),
    "~": Function("~", ("~(INT64) -> INT64", "~(BYTES) -> BYTES"), _inverted),
}
OPERATORS = frozenset((*BINARY, *UNARY))
# To the others a literal NULL is a mistake: `a = NULL` holds for no row.
TAKES_NULL = frozenset(("AND", "OR", "<<", ">>", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"))
