"""Mathematical functions.

Source: "Mathematical functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/mathematical_functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from embedded_bigquery.sql.functions.conversion import let_unless_short
from embedded_bigquery.sql.functions.duckdb_text import fail, let
from embedded_bigquery.sql.functions.registry import Call, Function
from embedded_bigquery.sql.functions.signatures import supertype
from embedded_bigquery.types import FLOAT64, Type

NUMBERS = ("INT64", "NUMERIC", "BIGNUMERIC", "FLOAT64")
DECIMALS = ("NUMERIC", "BIGNUMERIC")


def same(name: str, kinds: Sequence[str] = NUMBERS) -> tuple[str, ...]:
    """Signatures of one argument whose result has its type."""
    return tuple(f"{name}({kind}) -> {kind}" for kind in kinds)


def floating(name: str) -> tuple[str, ...]:
    """As `same`, but INT64 gives FLOAT64."""
    return tuple(f"{name}({kind}) -> {kind}" for kind in ("FLOAT64", *DECIMALS))


def _float_or_decimal(call: Call) -> Type | None:
    kind = call.types[0]
    return kind if kind is not None and kind.kind in DECIMALS else FLOAT64


def decimal(call: Call, text: str) -> str:
    """The text brought back to the call's decimal type, which DuckDB's arithmetic changes."""
    result = call.result
    return f"CAST({text} AS {result.duckdb()})" if result is not None and result.kind in DECIMALS else text


def _rounding(duckdb: str) -> Callable[[Call], str]:
    def render(call: Call) -> str:
        first = call.text(0)
        if call.result == FLOAT64:
            first = f"CAST({first} AS DOUBLE)"
        if call.count == 1:
            return decimal(call, f"{duckdb}({first})")
        if call.result is not None and call.result.kind in DECIMALS and duckdb == "round":
            # DuckDB wants a constant scale for decimals; beyond 9 places nothing changes.
            places = f"CAST({call.text(1)} AS INTEGER)"
            return decimal(call, f"round({first}, {places})") if call.is_literal(1) else _round_decimal(call)
        if duckdb == "trunc":
            return _trunc_places(call, first)
        return decimal(call, f"{duckdb}({first}, CAST({call.text(1)} AS INTEGER))")

    return render


def _round_decimal(call: Call) -> str:
    places = f"CAST({call.text(1)} AS INTEGER)"
    cases = " ".join(f"WHEN {n} THEN CAST(round({call.text(0)}, {n}) AS DECIMAL(38, 9))" for n in range(-9, 9))
    return f"CASE {places} {cases} ELSE {call.text(0)} END"


def _trunc_places(call: Call, first: str) -> str:
    if call.result is not None and call.result.kind in DECIMALS:
        scale = f"CAST(pow(10, {call.text(1)}) AS DECIMAL(18, 9))"
        return let(first, decimal(call, f"v_ - v_ % CAST(1 / {scale} AS DECIMAL(18, 9))"))
    power = f"pow(10, {call.text(1)})"
    return f"(trunc({first} * {power}) / {power})"


def _safe_divide(call: Call) -> str:
    if call.result == FLOAT64:
        return f"(CAST({call.text(0)} AS DOUBLE) / nullif(CAST({call.text(1)} AS DOUBLE), 0))"
    return f"TRY_CAST({call.text(0)} / nullif({call.text(1)}, 0) AS {_duckdb(call)})"


def _duckdb(call: Call) -> str:
    return (call.result or FLOAT64).duckdb()


def _ieee_divide(call: Call) -> str:
    left, right = f"CAST({call.text(0)} AS DOUBLE)", f"CAST({call.text(1)} AS DOUBLE)"
    return (
        f"CASE WHEN {right} <> 0 THEN {left} / {right} WHEN {left} IS NULL OR {right} IS NULL THEN NULL "
        f"WHEN {left} = 0 OR isnan({left}) OR isnan({right}) THEN 'nan'::DOUBLE "
        f"WHEN {left} > 0 THEN 'inf'::DOUBLE ELSE '-inf'::DOUBLE END"
    )


def _checked_divisor(call: Call, text: str) -> str:
    message = f"'division by zero: ' || CAST({call.text(0)} AS VARCHAR) || ' / ' || CAST({call.text(1)} AS VARCHAR)"
    if call.is_literal(1) and call.raw(1).strip("0.") != "":
        return text
    return f"CASE WHEN {call.text(1)} = 0 THEN {fail(message)} ELSE {text} END"


def _div(call: Call) -> str:
    if call.result is not None and call.result.kind == "INT64":
        # DuckDB's // rounds toward zero on integers, as BigQuery's DIV does.
        return _checked_divisor(call, f"({call.text(0)} // {call.text(1)})")
    left, right = call.text(0), call.text(1)
    return _checked_divisor(call, decimal(call, f"trunc(({left} - {left} % {right}) / {right})"))


def _mod(call: Call) -> str:
    return _checked_divisor(call, decimal(call, f"({call.text(0)} % {call.text(1)})"))


def _safe_arithmetic(operator: str) -> Callable[[Call], str]:
    def render(call: Call) -> str:
        text = f"({call.text(0)} {operator} {call.text(1)})"
        return f"TRY_CAST(TRY({text}) AS {_duckdb(call)})"

    return render


def _sign(call: Call) -> str:
    if call.result != FLOAT64:
        return f"CAST(sign({call.text(0)}) AS {_duckdb(call)})"
    value = f"CAST({call.text(0)} AS DOUBLE)"
    return let_unless_short(value, lambda v: f"CASE WHEN isnan({v}) THEN {v} ELSE CAST(sign({v}) AS DOUBLE) END")


def _log(call: Call) -> str:
    values = [f"CAST({call.text(n)} AS DOUBLE)" for n in range(call.count)]
    base = "log10" if call.name == "LOG10" else "ln"
    text = f"{base}({values[0]})" if len(values) == 1 else f"(ln({values[0]}) / ln({values[1]}))"
    # DuckDB answers -inf for 0, BigQuery an error.
    message = f"'Floating point error in function: {call.name}(' || CAST({call.text(0)} AS VARCHAR) || ')'"
    wrong = " OR ".join(f"{value} <= 0" for value in values)
    return decimal(call, f"CASE WHEN {wrong} THEN {fail(message)} ELSE {text} END")


def _through_double(duckdb: str) -> Callable[[Call], str]:
    def render(call: Call) -> str:
        inner = ", ".join(f"CAST({call.text(n)} AS DOUBLE)" for n in range(call.count))
        return decimal(call, f"{duckdb}({inner})")

    return render


def _range_bucket(call: Call) -> str:
    value, points = call.text(0), call.text(1)
    return f"CASE WHEN {value} IS NOT NULL THEN len(list_filter({points}, lambda p_: p_ <= {value})) END"


def _binary(name: str, template: Callable[[Call], str], kinds: Sequence[str]) -> Function:
    return Function(name, tuple(f"{name}({kind}, {kind}) -> {kind}" for kind in kinds), template)


def _divided(call: Call) -> Type | None:
    merged = supertype(call.types)
    return merged if merged is not None and merged.kind in DECIMALS else FLOAT64


def _trigonometric(name: str, template: str) -> Function:
    return Function(name, (f"{name}(FLOAT64) -> FLOAT64",), template)


FUNCTIONS = (
    Function("ABS", same("ABS"), "abs({0})"),
    Function("SIGN", same("SIGN"), _sign),
    Function("SAFE_NEGATE", same("SAFE_NEGATE"), lambda call: f"TRY_CAST(TRY(-({call.text(0)})) AS {_duckdb(call)})"),
    _binary("SAFE_ADD", _safe_arithmetic("+"), NUMBERS),
    _binary("SAFE_SUBTRACT", _safe_arithmetic("-"), NUMBERS),
    _binary("SAFE_MULTIPLY", _safe_arithmetic("*"), NUMBERS),
    Function(
        "SAFE_DIVIDE",
        tuple(f"SAFE_DIVIDE({kind}, {kind})" for kind in ("FLOAT64", *DECIMALS)),
        _safe_divide,
        infer=_divided,
    ),
    Function("IEEE_DIVIDE", ("IEEE_DIVIDE(FLOAT64, FLOAT64) -> FLOAT64",), _ieee_divide),
    _binary("DIV", _div, ("INT64", *DECIMALS)),
    _binary("MOD", _mod, ("INT64", *DECIMALS)),
    *(
        Function(
            name,
            tuple(f"{name}({kind}, [INT64]) -> {kind}" for kind in ("FLOAT64", *DECIMALS)),
            _rounding(duckdb),
            infer=_float_or_decimal,
        )
        for name, duckdb in (("ROUND", "round"), ("TRUNC", "trunc"))
    ),
    *(
        Function(name, floating(name), _rounding(duckdb), infer=_float_or_decimal)
        for name, duckdb in (("CEIL", "ceil"), ("CEILING", "ceil"), ("FLOOR", "floor"))
    ),
    *(
        Function(name, floating(name), _through_double(duckdb), infer=_float_or_decimal)
        for name, duckdb in (("SQRT", "sqrt"), ("EXP", "exp"), ("CBRT", "cbrt"))
    ),
    *(
        Function(
            name,
            tuple(f"{name}({kind}, {kind}) -> {kind}" for kind in ("FLOAT64", *DECIMALS)),
            _through_double("pow"),
            infer=_divided,
        )
        for name in ("POW", "POWER")
    ),
    *(Function(name, floating(name), _log, infer=_float_or_decimal) for name in ("LN", "LOG10")),
    Function("LOG", tuple(f"LOG({k}, [{k}]) -> {k}" for k in ("FLOAT64", *DECIMALS)), _log, infer=_divided),
    Function("IS_NAN", ("IS_NAN(FLOAT64) -> BOOL",), "isnan({0})"),
    Function("IS_INF", ("IS_INF(FLOAT64) -> BOOL",), "isinf({0})"),
    Function("RAND", ("RAND() -> FLOAT64",), "random()"),
    Function("PI", ("PI() -> FLOAT64",), "pi()"),
    Function("BIT_COUNT", ("BIT_COUNT(INT64) -> INT64",), "CAST(bit_count({0}) AS BIGINT)"),
    Function("RANGE_BUCKET", ("RANGE_BUCKET(T, ARRAY<T>) -> INT64",), _range_bucket),
    Function("ATAN2", ("ATAN2(FLOAT64, FLOAT64) -> FLOAT64",), "atan2({0}, {1})"),
    *(
        _trigonometric(name, f"{name.lower()}({{0}})")
        for name in ("SIN", "COS", "TAN", "ASIN", "ACOS", "ATAN", "SINH", "COSH", "TANH", "ASINH", "ACOSH", "ATANH")
    ),
    _trigonometric("COT", "(1 / tan({0}))"),
    _trigonometric("SEC", "(1 / cos({0}))"),
    _trigonometric("CSC", "(1 / sin({0}))"),
    _trigonometric("COTH", "(1 / tanh({0}))"),
    _trigonometric("SECH", "(1 / cosh({0}))"),
    _trigonometric("CSCH", "(1 / sinh({0}))"),
)
