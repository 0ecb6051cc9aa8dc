"""NUMERIC and BIGNUMERIC arithmetic to the last digit.

A BIGNUMERIC arrives, and is given back, as the text of a whole number: its value times 10 to the 38th.
A NUMERIC arrives as its text. Results are rounded half away from zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

from embedded_bigquery.natives.native import Native

PLACES = 38
SCALE = 10**PLACES
LARGEST = 2**255
WIDE = Context(prec=160, Emax=10**6, Emin=-(10**6))
LARGEST_NUMERIC = Decimal(10) ** 29


def text_of(scaled: int | str) -> str:
    """The number in plain notation, without trailing zeros."""
    number = int(scaled)
    whole, fraction = divmod(abs(number), SCALE)
    digits = f"{fraction:0{PLACES}d}".rstrip("0")
    return f"{'-' if number < 0 else ''}{whole}{'.' if digits else ''}{digits}"


def _value(scaled: str) -> Decimal:
    return Decimal(int(scaled)).scaleb(-PLACES, WIDE)


def _scaled(value: Decimal, message: str) -> str:
    number = int(value.scaleb(PLACES, WIDE).to_integral_value(ROUND_HALF_UP, WIDE))
    return _checked(number, message)


def _checked(number: int, message: str) -> str:
    if not -LARGEST <= number < LARGEST:
        raise ValueError(message)
    return str(number)


def from_text(text: str) -> str:
    """Raises ValueError on what is no BIGNUMERIC."""
    message = f"Invalid BIGNUMERIC value: {text}"
    try:
        value = Decimal(text.strip())
    except ArithmeticError:
        raise ValueError(message) from None
    if not value.is_finite() or "_" in text:
        raise ValueError(message)
    return _scaled(value, message) if value.adjusted() < 80 else _checked(LARGEST, message)


def from_double(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"Illegal conversion of non-finite floating point number to bignumeric: {value}")
    return _scaled(Decimal(value), f"bignumeric out of range: {value:g}")


def to_integer(scaled: str) -> int:
    number = int(_value(scaled).to_integral_value(ROUND_HALF_UP, WIDE))
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"int64 out of range: {text_of(scaled)}")
    return number


def to_numeric(scaled: str) -> str:
    value = _value(scaled).quantize(Decimal("1e-9"), ROUND_HALF_UP, WIDE)
    if abs(value) >= LARGEST_NUMERIC:
        raise ValueError(f"numeric out of range: {text_of(scaled)}")
    return f"{value:f}"


def in_range(scaled: str) -> str:
    return _checked(int(scaled), "BIGNUMERIC overflow")


def product(left: str, right: str) -> str:
    return _checked(_rounded(int(left) * int(right), SCALE), f"BIGNUMERIC overflow: {text_of(left)} * {text_of(right)}")


def quotient(left: str, right: str) -> str:
    shown = f"{text_of(left)} / {text_of(right)}"
    if int(right) == 0:
        raise ValueError(f"division by zero: {shown}")
    return _checked(_rounded(int(left) * SCALE, int(right)), f"BIGNUMERIC overflow: {shown}")


def shared(total: str, count: int) -> str | None:
    """The average of so many numbers by their sum."""
    return str(_rounded(int(total), count)) if count else None


def _rounded(dividend: int, divisor: int) -> int:
    """The quotient, rounded half away from zero."""
    whole, rest = divmod(abs(dividend), abs(divisor))
    size = whole + (2 * rest >= abs(divisor))
    return -size if (dividend < 0) != (divisor < 0) else size


def fitted(scaled: str, precision: int, scale: int) -> str | None:
    """Rounded to its declared scale; None when it has more digits than declared."""
    value = _value(scaled).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, WIDE)
    return None if abs(value) >= Decimal(10) ** (precision - scale) else _scaled(value, "")


# ---- functions


def _places(rounding: str) -> Callable[[Decimal, Decimal], Decimal]:
    def to_places(value: Decimal, places: Decimal) -> Decimal:
        # Beyond the digits of the type nothing changes.
        unit = Decimal(1).scaleb(-min(int(places), 60))
        return value.quantize(unit, rounding, WIDE) if int(places) > -60 else Decimal(0)

    return to_places


def _logarithm(value: Decimal, base: Decimal) -> Decimal:
    if base <= 0 or base == 1:
        raise ArithmeticError
    return WIDE.divide(_natural(value), _natural(base))


def _natural(value: Decimal) -> Decimal:
    if value <= 0:
        raise ArithmeticError
    return value.ln(WIDE)


def _log10(value: Decimal) -> Decimal:
    if value <= 0:
        raise ArithmeticError
    return value.log10(WIDE)


def _cube_root(value: Decimal) -> Decimal:
    root = WIDE.power(abs(value), WIDE.divide(Decimal(1), Decimal(3))) if value else Decimal(0)
    near = root.quantize(Decimal("1e-60"), ROUND_HALF_EVEN, WIDE)
    return near.copy_sign(value)


def _power(value: Decimal, exponent: Decimal) -> Decimal:
    if (value == 0 and exponent < 0) or (value < 0 and exponent != exponent.to_integral_value()):
        raise ArithmeticError
    return Decimal(1) if exponent == 0 else WIDE.power(value, exponent)


ONE: dict[str, Callable[[Decimal], Decimal]] = {
    "ABS": abs,
    "SIGN": lambda value: Decimal((value > 0) - (value < 0)),
    "CEIL": lambda value: value.to_integral_value(ROUND_CEILING, WIDE),
    "FLOOR": lambda value: value.to_integral_value(ROUND_FLOOR, WIDE),
    "SQRT": lambda value: value.sqrt(WIDE),
    "CBRT": _cube_root,
    "EXP": lambda value: value.exp(WIDE),
    "LN": _natural,
    "LOG10": _log10,
}
TWO: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "ROUND": _places(ROUND_HALF_UP),
    "ROUND_HALF_EVEN": _places(ROUND_HALF_EVEN),
    "TRUNC": _places(ROUND_DOWN),
    "AVG": lambda a, b: WIDE.divide(a, b),
    "DIV": lambda a, b: WIDE.divide_int(a, b),
    "MOD": lambda a, b: WIDE.remainder(a, b),
    "POW": _power,
    "LOG": _logarithm,
}


def of_big(name: str, *given: str) -> str:
    """A function of one or two BIGNUMERIC; raises ValueError."""
    shown = [text_of(value) for value in given]
    result = _computed(name, [_value(value) for value in given], shown)
    overflow = f"BIGNUMERIC overflow: {name}({', '.join(shown)})"
    return _scaled(result, overflow) if result.adjusted() < 80 else _checked(LARGEST, overflow)


def of_numeric(name: str, *given: str) -> str:
    """A function of one or two NUMERIC; raises ValueError."""
    shown = [_plain(value) for value in given]
    result = _computed(name, [Decimal(value) for value in given], shown)
    if result.adjusted() >= 29:
        raise ValueError(f"numeric overflow: {name}({', '.join(shown)})")
    return f"{result.quantize(Decimal('1e-9'), ROUND_HALF_UP, WIDE):f}"


def _computed(name: str, values: list[Decimal], shown: list[str]) -> Decimal:
    try:
        return ONE[name](values[0]) if len(values) == 1 else TWO[name](values[0], values[1])
    except ArithmeticError:
        raise ValueError(_message(name, shown)) from None


def _plain(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _message(name: str, shown: list[str]) -> str:
    call = f"{name}({', '.join(shown)})"
    if name in ("DIV", "MOD") or (name == "POW" and shown[0] == "0"):
        return f"division by zero: {call}"
    if name == "POW":
        return f"Negative NUMERIC value cannot be raised to a fractional power: {call}"
    if name == "SQRT":
        return f"SQRT is undefined for negative value: {call}"
    return f"{name} is undefined for zero or negative value: {call}"


def series(start: str, end: str, step: str) -> list[str]:
    """GENERATE_ARRAY; raises ValueError on a step of 0."""
    size = int(step)
    if size == 0:
        raise ValueError("Sequence step cannot be 0.")
    last = int(end) + (1 if size > 0 else -1)
    return [str(number) for number in range(int(start), last, size)]


def json_number(text: str) -> str:
    """A decimal as TO_JSON_STRING writes it: quoted unless it is a whole number that a FLOAT64 holds."""
    return text if "." not in text and abs(int(text)) <= 2**53 else f'"{text}"'


BIG = "BIGNUM"
NATIVES = (
    Native("bq_big", from_text, ("VARCHAR",), BIG),
    Native("bq_big_of_double", from_double, ("DOUBLE",), BIG),
    Native("bq_big_text", text_of, (BIG,), "VARCHAR"),
    Native("bq_big_integer", to_integer, (BIG,), "BIGINT"),
    Native("bq_big_numeric", to_numeric, (BIG,), "VARCHAR"),
    Native("bq_big_in_range", in_range, (BIG,), BIG),
    Native("bq_big_product", product, (BIG, BIG), BIG),
    Native("bq_big_quotient", quotient, (BIG, BIG), BIG),
    Native("bq_big_shared", shared, (BIG, "BIGINT"), BIG),
    Native("bq_big_fitted", fitted, (BIG, "INTEGER", "INTEGER"), BIG),
    Native("bq_big_series", series, (BIG, BIG, BIG), f"{BIG}[]"),
    Native("bq_big_one", lambda name, value: of_big(name, value), ("VARCHAR", BIG), BIG),
    Native("bq_big_two", lambda name, first, second: of_big(name, first, second), ("VARCHAR", BIG, BIG), BIG),
    Native("bq_numeric_one", lambda name, value: of_numeric(name, value), ("VARCHAR", "VARCHAR"), "VARCHAR"),
    Native(
        "bq_numeric_two",
        lambda name, first, second: of_numeric(name, first, second),
        ("VARCHAR", "VARCHAR", "VARCHAR"),
        "VARCHAR",
    ),
    Native("bq_json_number", json_number, ("VARCHAR",), "VARCHAR"),
)
