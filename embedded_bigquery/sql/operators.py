"""Operators, as functions with signatures: one way to choose a type and to convert the operands.

Source: "Operators", docs.cloud.google.com/bigquery/docs/reference/standard-sql/operators.
"""

from __future__ import annotations

from sqlglot import exp

from embedded_bigquery.sql.functions.duckdb_text import fail
from embedded_bigquery.sql.functions.registry import Call, Function, Renderer

NUMBERS = ("INT64", "NUMERIC", "BIGNUMERIC", "FLOAT64")


def _arithmetic(sign: str, *more: str) -> Function:
    own = tuple(f"{sign}({kind}, {kind}) -> {kind}" for kind in NUMBERS)
    return Function(sign, (*own, *more), _number(sign))


def _number(sign: str) -> Renderer:
    def render(call: Call) -> str:
        text = f"({call.text(0)} {sign} {call.text(1)})"
        result = call.result
        if result is not None and result.kind in ("NUMERIC", "BIGNUMERIC"):
            # DuckDB widens the scale with each operation; BigQuery keeps 9 digits (38 for BIGNUMERIC).
            return f"CAST({text} AS {result.duckdb()})"
        if result is not None and result.kind == "DATE":
            return f"CAST({call.text(0)} {sign} CAST({call.text(1)} AS INTEGER) AS DATE)"
        return text

    return render


def _divide(call: Call) -> str:
    left, right = call.text(0), call.text(1)
    text, result = f"({left} / {right})", call.result
    if result is not None and result.kind in ("NUMERIC", "BIGNUMERIC"):
        text = f"CAST({text} AS {result.duckdb()})"
    divisor = call.nodes[1]
    if isinstance(divisor, exp.Literal) and divisor.name.strip("0.") != "":
        return text
    message = f"'division by zero: ' || CAST({left} AS VARCHAR) || ' / ' || CAST({right} AS VARCHAR)"
    return f"CASE WHEN {right} = 0 THEN {fail(message, safe=call.safe)} ELSE {text} END"


def _compare(sign: str) -> Function:
    return Function(sign, (f"{sign}(T, T) -> BOOL",), f"({{0}} {sign} {{1}})")


TIME_SHIFTS = {
    "+": ("DATE, INT64 -> DATE", "DATE, INTERVAL -> DATETIME", "INTERVAL, INTERVAL -> INTERVAL"),
    "-": ("DATE, INT64 -> DATE", "DATE, INTERVAL -> DATETIME", "INTERVAL, INTERVAL -> INTERVAL"),
}
POINTS = ("DATETIME", "TIMESTAMP")


def _shifts(sign: str) -> tuple[str, ...]:
    """What a plus or minus of dates and intervals gives."""
    found = [*TIME_SHIFTS[sign], *(f"{point}, INTERVAL -> {point}" for point in POINTS)]
    if sign == "-":
        found += [f"{point}, {point} -> INTERVAL" for point in ("DATE", *POINTS)]
    return tuple(f"{sign}({left}) -> {right}" for left, right in (text.split(" -> ") for text in found))


BINARY: dict[type[exp.Expression], Function] = {
    exp.Add: _arithmetic("+", *_shifts("+")),
    exp.Sub: _arithmetic("-", *_shifts("-")),
    exp.Mul: _arithmetic("*"),
    exp.Div: Function(
        "/",
        ("/(INT64, INT64) -> FLOAT64", *(f"/({kind}, {kind}) -> {kind}" for kind in NUMBERS[1:])),
        _divide,
    ),
    exp.EQ: _compare("="),
    exp.NEQ: _compare("<>"),
    exp.LT: _compare("<"),
    exp.LTE: _compare("<="),
    exp.GT: _compare(">"),
    exp.GTE: _compare(">="),
    exp.NullSafeEQ: Function("IS NOT DISTINCT FROM", ("=(T, T) -> BOOL",), "({0} IS NOT DISTINCT FROM {1})"),
    exp.NullSafeNEQ: Function("IS DISTINCT FROM", ("=(T, T) -> BOOL",), "({0} IS DISTINCT FROM {1})"),
    exp.And: Function("AND", ("AND(BOOL, BOOL) -> BOOL",), "({0} AND {1})"),
    exp.Or: Function("OR", ("OR(BOOL, BOOL) -> BOOL",), "({0} OR {1})"),
    exp.Like: Function("LIKE", ("LIKE(STRING, STRING) -> BOOL",), "({0} LIKE {1} ESCAPE '\\')"),
    exp.DPipe: Function(
        "||",
        ("||(STRING, STRING) -> STRING", "||(BYTES, BYTES) -> BYTES", "||(ARRAY<T>, ARRAY<T>) -> ARRAY<T>"),
        "({0} || {1})",
    ),
    exp.BitwiseAnd: Function("&", ("&(INT64, INT64) -> INT64",), "({0} & {1})"),
    exp.BitwiseOr: Function("|", ("|(INT64, INT64) -> INT64",), "({0} | {1})"),
    exp.BitwiseXor: Function("^", ("^(INT64, INT64) -> INT64",), "xor({0}, {1})"),
    exp.BitwiseLeftShift: Function("<<", ("<<(INT64, INT64) -> INT64",), "({0} << {1})"),
    exp.BitwiseRightShift: Function(">>", (">>(INT64, INT64) -> INT64",), "({0} >> {1})"),
}

UNARY: dict[type[exp.Expression], Function] = {
    exp.Neg: Function("-", (*(f"-({kind}) -> {kind}" for kind in NUMBERS), "-(INTERVAL) -> INTERVAL"), "(-{0})"),
    exp.Not: Function("NOT", ("NOT(BOOL) -> BOOL",), "(NOT {0})"),
    exp.BitwiseNot: Function("~", ("~(INT64) -> INT64",), "(~{0})"),
}
