"""Mathematical functions.

Source: "Mathematical functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/mathematical_functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql.functions.conversion import let_unless_short, to_string
from embedded_bigquery.sql.functions.duckdb_text import fail, finite, let, literal
from embedded_bigquery.sql.functions.registry import Call, Function, converted
from embedded_bigquery.sql.functions.signatures import supertype
from embedded_bigquery.types import BIGNUMERIC, FLOAT64, INT64, NUMERIC, Type

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
    """The text brought back to NUMERIC, whose scale DuckDB's arithmetic changes."""
    return f"CAST({text} AS DECIMAL(38, 9))" if call.result == NUMERIC else text


def is_decimal(call: Call) -> bool:
    return call.result is not None and call.result.kind in DECIMALS


def exact(call: Call, name: str) -> str:
    """A function of one or two decimals, to the last digit."""
    kind = call.result
    assert kind is not None
    values = [converted(call.text(n), call.type(n), kind) for n in range(min(call.count, 2))]
    count = "one" if len(values) == 1 else "two"
    if kind == BIGNUMERIC:
        return f"bq_big_{count}('{name}', {', '.join(values)})"
    texts = ", ".join(f"CAST({value} AS VARCHAR)" for value in values)
    return f"CAST(bq_numeric_{count}('{name}', {texts}) AS DECIMAL(38, 9))"


def _rounding(duckdb: str) -> Callable[[Call], str]:
    def render(call: Call) -> str:
        if is_decimal(call):
            return _round_decimal(call, duckdb)
        first = f"CAST({call.text(0)} AS DOUBLE)"
        if call.count == 1:
            return f"{duckdb}({first})"
        if duckdb == "trunc":
            power = f"pow(10, {call.text(1)})"
            return f"(trunc({first} * {power}) / {power})"
        return f"round({first}, CAST({call.text(1)} AS INTEGER))"

    return render


def _round_decimal(call: Call, duckdb: str) -> str:
    name = duckdb.upper()
    if call.count > 2:
        if call.raw(2).upper() == "NULL":
            return f"CAST(NULL AS {_duckdb(call)})"
        modes = {"ROUND_HALF_AWAY_FROM_ZERO": "ROUND", "ROUND_HALF_EVEN": "ROUND_HALF_EVEN"}
        if call.literal(2) not in modes:
            raise InvalidQuery(f"Could not cast literal {call.raw(2)} to type ROUNDING_MODE")
        name = modes[call.literal(2) or ""]
    places = 0 if call.count == 1 else call.number(1)
    if call.result == NUMERIC and name in ("ROUND", "CEIL", "FLOOR") and places is not None and places <= 9:
        return decimal(call, f"round({call.text(0)}, {places})" if name == "ROUND" else f"{duckdb}({call.text(0)})")
    if call.count == 1 and name in ("ROUND", "TRUNC"):
        call = replace(call, args=(*call.args, "0"), types=(*call.types, INT64), parameters=(*call.parameters, INT64))
    return exact(call, name)


def _safe_divide(call: Call) -> str:
    if call.result == FLOAT64:
        # NULL where it overflows; TRY() would take no subquery.
        quotient = "(v_.a / nullif(v_.b, 0))"
        proper = f"isfinite({quotient}) OR NOT (isfinite(v_.a) AND isfinite(v_.b))"
        return let(f"struct_pack(a := {call.text(0)}, b := {call.text(1)})", f"CASE WHEN {proper} THEN {quotient} END")
    if call.result == BIGNUMERIC:
        return f"TRY(bq_big_quotient({call.text(0)}, {call.text(1)}))"
    return f"TRY_CAST({call.text(0)} / nullif({call.text(1)}, 0) AS {_duckdb(call)})"


def _duckdb(call: Call) -> str:
    return (call.result or FLOAT64).duckdb()


def _checked_divisor(call: Call, text: str, shown: str) -> str:
    if call.number(1):
        return text
    message = f"'division by zero: ' || {shown}"
    return f"CASE WHEN {call.text(1)} = 0 THEN {fail(message)} ELSE {text} END"


def _shown(call: Call) -> list[str]:
    return [to_string(call.text(position), call.type(position) or FLOAT64) for position in range(call.count)]


def _div(call: Call) -> str:
    left, right, shown = call.text(0), call.text(1), " || ' / ' || ".join(f"({text})" for text in _shown(call))
    if call.result is not None and call.result.kind == "INT64":
        # DuckDB's // rounds toward zero on integers, as BigQuery's DIV does.
        return _checked_divisor(call, f"({left} // {right})", shown)
    return exact(call, "DIV")


def _mod(call: Call) -> str:
    if call.result == BIGNUMERIC:
        return exact(call, "MOD")
    shown = "'MOD(' || " + " || ', ' || ".join(f"({text})" for text in _shown(call)) + " || ')'"
    divisor = call.text(1)
    if call.result == INT64 and (call.number(1) or -1) < 0:  # DuckDB divides the least INT64 by -1, which overflows
        divisor = f"CASE WHEN {divisor} = -1 THEN 1 ELSE {divisor} END"
    return _checked_divisor(call, decimal(call, f"({call.text(0)} % {divisor})"), shown)


def _safe_arithmetic(operator: str) -> Callable[[Call], str]:
    def render(call: Call) -> str:
        left, right = call.text(0), call.text(1)
        if "SELECT " in left + right:  # TRY() takes no subquery
            bound = replace(call, args=("v_.a", "v_.b"), types=call.parameters)
            return let(f"struct_pack(a := {left}, b := {right})", render(bound))
        text = f"({left} {operator} {right})"
        if call.result == BIGNUMERIC:
            product = f"bq_big_product({call.text(0)}, {call.text(1)})"
            return f"TRY({product if operator == '*' else f'bq_big_in_range{text}'})"
        if call.result == FLOAT64:
            return f"TRY({_finite(call, text, 'double overflow')})"
        return f"TRY_CAST(TRY({text}) AS {_duckdb(call)})"

    return render


def _finite(call: Call, text: str, message: str) -> str:
    return finite(text, [call.text(position) for position in range(call.count)], literal(message))


def _abs(call: Call) -> str:
    return exact(call, "ABS") if call.result == BIGNUMERIC else f"abs({call.text(0)})"


def _sign(call: Call) -> str:
    if call.result == BIGNUMERIC:
        return exact(call, "SIGN")
    if call.result != FLOAT64:
        return f"CAST(sign({call.text(0)}) AS {_duckdb(call)})"
    value = f"CAST({call.text(0)} AS DOUBLE)"
    return let_unless_short(value, lambda v: f"CASE WHEN isnan({v}) THEN {v} ELSE CAST(sign({v}) AS DOUBLE) END")


def _log(call: Call) -> str:
    name = "LN" if call.count == 1 and call.name == "LOG" else call.name
    base = "log10" if call.name == "LOG10" else "ln"
    return _checked(
        call,
        f"{base}({{0}})" if call.count == 1 else "(CASE WHEN {1} > 0 THEN ln({0}) / ln({1}) ELSE 'nan'::DOUBLE END)",
        name,
    )


def _checked(call: Call, template: str, name: str = "") -> str:
    """DuckDB answers NaN or an infinity where BigQuery has an error."""
    if is_decimal(call):
        return exact(call, {"POWER": "POW"}.get(name or call.name, name or call.name))
    values = [f"CAST({call.text(n)} AS DOUBLE)" for n in range(call.count)]
    text = template.format(*(f"v_.a{n}" for n in range(call.count)))
    shown = " || ', ' || ".join(to_string(f"v_.a{n}", FLOAT64) for n in range(call.count))
    message = f"'Floating point error in function: {name or call.name}(' || {shown} || ')'"
    if call.name == "SQRT":
        message = f"'Argument to SQRT cannot be negative: ' || {shown}"
    pairs = ", ".join(f"a{n} := {value}" for n, value in enumerate(values))
    checked = finite(text, [f"v_.a{n}" for n in range(call.count)], message)
    return let(f"struct_pack({pairs})", checked)


def _through_double(template: str) -> Callable[[Call], str]:
    return lambda call: _checked(call, template)


def _range_bucket(call: Call) -> str:
    value, points = call.text(0), call.text(1)
    number = f" AND NOT isnan({value})" if call.kind(0) == "FLOAT64" else ""
    place = "list_filter(range(1, len(v_)), lambda i_: (v_[i_] <= v_[i_ + 1]) IS NOT TRUE)[1]"
    message = (
        "'Elements in input array to RANGE_BUCKET must be in ascending order. Nonconforming elements found at "
        f"position ' || {place} || ' and ' || ({place} + 1)"
    )
    count = f"len(list_filter(v_, lambda p_: p_ <= {value}))"
    body = f"CASE WHEN {place} IS NOT NULL THEN {fail(message)} ELSE {count} END"
    return let(points, f"CASE WHEN {value} IS NOT NULL{number} AND v_ IS NOT NULL THEN {body} END")


def _bit_count(call: Call) -> str:
    if call.kind(0) == "BYTES":
        return f"bq_bits_set({call.text(0)})"
    return f"CAST(bit_count({call.text(0)}) AS BIGINT)"


def _distance(call: Call) -> str:
    kind = call.name.split("_")[0]
    return let(
        f"struct_pack(a := {call.text(0)}, b := {call.text(1)})",
        f"CASE WHEN v_.a IS NOT NULL AND v_.b IS NOT NULL THEN bq_distance(v_.a, v_.b, '{kind}') END",
    )


def _binary(name: str, template: Callable[[Call], str], kinds: Sequence[str]) -> Function:
    return Function(name, tuple(f"{name}({kind}, {kind}) -> {kind}" for kind in kinds), template)


def _divided(call: Call) -> Type | None:
    merged = supertype(call.types)
    return merged if merged is not None and merged.kind in DECIMALS else FLOAT64


def _trigonometric(name: str, template: str) -> Function:
    return Function(name, (f"{name}(FLOAT64) -> FLOAT64",), _through_double(template))


FUNCTIONS = (
    Function(
        "ABS", same("ABS"), lambda call: exact(call, "ABS") if call.result == BIGNUMERIC else f"abs({call.text(0)})"
    ),
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
    Function("IEEE_DIVIDE", ("IEEE_DIVIDE(FLOAT64, FLOAT64) -> FLOAT64",), "({0} / {1})"),
    _binary("DIV", _div, ("INT64", *DECIMALS)),
    _binary("MOD", _mod, ("INT64", *DECIMALS)),
    *(
        Function(
            name,
            (
                f"{name}(FLOAT64, [INT64]) -> FLOAT64",
                *(f"{name}({kind}, [INT64]{', [STRING]' if name == 'ROUND' else ''}) -> {kind}" for kind in DECIMALS),
            ),
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
        for name, duckdb in (("SQRT", "sqrt({0})"), ("EXP", "exp({0})"), ("CBRT", "coalesce(bq_cbrt({0}), {0})"))
    ),
    *(
        Function(
            name,
            tuple(f"{name}({kind}, {kind}) -> {kind}" for kind in ("FLOAT64", *DECIMALS)),
            _through_double("pow({0}, {1})"),
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
    Function("BIT_COUNT", ("BIT_COUNT(INT64) -> INT64", "BIT_COUNT(BYTES) -> INT64"), _bit_count),
    *(
        Function(
            f"{kind}_DISTANCE",
            (
                f"{kind}_DISTANCE(ARRAY<FLOAT64>, ARRAY<FLOAT64>) -> FLOAT64",
                f"{kind}_DISTANCE(ARRAY<T>, ARRAY<T>) -> FLOAT64",
            ),
            _distance,
        )
        for kind in ("COSINE", "EUCLIDEAN")
    ),
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
