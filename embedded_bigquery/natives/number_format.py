"""CAST … FORMAT of numbers to text, such as '$999,999.99'.

Source: "Format numeric type as string", docs.cloud.google.com/bigquery/docs/reference/standard-sql/format-elements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from embedded_bigquery.natives.native import Native

ELEMENT = re.compile(r"EEEE|MI|PR|FM|TM[9E]?|RN|[09XSDGVBCL$.,]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Form:
    whole: str  # digits and separators before the point
    point: str  # "", "." or "V"
    fraction: str  # digits after it
    sign: str  # "", "S" in front, "-S" behind, "MI" or "PR"
    currency: str
    is_hexadecimal: bool
    is_lower: bool
    is_exponential: bool
    is_compact: bool
    is_blank: bool  # B: spaces for a whole part of zero


def _wrong(message: str) -> ValueError:
    return ValueError(f"Error in format string: {message}")


def _elements(form: str) -> list[str]:
    found: list[str] = []
    place = 0
    while place < len(form):
        match = ELEMENT.match(form, place)
        if match is None:
            raise _wrong(f"Invalid format element '{form[place]}'")
        found.append(match.group())
        place = match.end()
    return found


@lru_cache(maxsize=256)
def parsed(form: str) -> Form:
    """The format's parts; raises ValueError."""
    elements = _elements(form)
    names = [element.upper() for element in elements]
    if any(name.startswith("TM") or name == "RN" for name in names):
        raise ValueError("not supported: the number format elements TM and RN")
    digits = [n for n, name in enumerate(names) if name in ("0", "9", "X")]
    if not digits:
        raise _wrong("Format string must contain at least one of 'X', '0' or '9'")
    if sum(name in ("S", "MI", "PR") for name in names) > 1:
        raise _wrong("There can be at most one of 'S', 'MI', or 'PR'")
    points = [n for n, name in enumerate(names) if name in (".", "D", "V")]
    if len(points) > 1:
        raise _wrong("There can be at most one of '.', 'D', or 'V'")
    separators = [n for n, name in enumerate(names) if name in (",", "G")]
    if separators and separators[0] < digits[0]:
        raise _wrong("Unexpected ','")
    if points and any(n > points[0] for n in separators):
        raise _wrong("',' or 'G' cannot appear after '.', 'D' or 'V'")
    if "X" in names:
        for other in ("9", ".", "D", "V", ",", "G", "EEEE"):
            if other in names:
                raise _wrong(f"'X' cannot appear together with '{other}'")
    sign = next((name for name in names if name in ("S", "MI", "PR")), "")
    if sign == "S" and digits[0] < names.index("S") < digits[-1]:
        raise _wrong("'S' can only appear before or after all digits and 'EEEE'")
    if sign == "S" and names.index("S") > digits[0]:
        sign = "-S"
    split = points[0] if points else len(names)
    return Form(
        whole="".join("," if name == "G" else name for name in names[:split] if name in "09X,G"),
        point="" if not points else "V" if names[points[0]] == "V" else ".",
        fraction="".join(name for name in names[split:] if name in "09"),
        sign=sign,
        currency="USD" if "C" in names else "$" if {"$", "L"} & set(names) else "",
        is_hexadecimal="X" in names,
        is_lower=any(element in ("x", "eeee") for element in elements),
        is_exponential="EEEE" in names,
        is_compact="FM" in names,
        is_blank="B" in names,
    )


def written(value: str, form: str) -> str:
    """The number (its decimal text) by the format; # for each digit when it does not fit. Raises ValueError."""
    shape = parsed(form)
    number = Decimal(value)
    body = _body(number, shape)
    width = len(shape.whole) + len(shape.point.replace("V", "")) + len(shape.fraction)
    text = _signed(body, number.is_signed() and not number.is_nan(), shape)
    if shape.is_compact or shape.is_exponential:
        return text.strip() if shape.is_compact else text
    width += len(shape.currency) + {"MI": 1, "PR": 2}.get(shape.sign, 1)
    return text.rjust(width)


def _signed(body: str, is_negative: bool, shape: Form) -> str:
    body = shape.currency + body
    if shape.sign == "S":
        return ("-" if is_negative else "+") + body
    if shape.sign == "-S":
        return body + ("-" if is_negative else "+")
    if shape.sign == "MI":
        return body + ("-" if is_negative else " ")
    if shape.sign == "PR":
        return f"<{body}>" if is_negative else f" {body} "
    return ("-" if is_negative else " ") + body


def _body(number: Decimal, shape: Form) -> str:
    places = len(shape.fraction)
    blanks = " " * (places + len(shape.point.replace("V", "")))
    overflow = re.sub(r"[09X]", "#", shape.whole + shape.point.replace("V", "") + shape.fraction)
    if not number.is_finite():
        name = "NAN" if number.is_nan() else "INF"
        return name + blanks if len(name) <= len(shape.whole) else overflow
    number = abs(number)
    if shape.is_exponential:
        return _exponential(number, places, shape)
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    if shape.is_hexadecimal:
        text = f"{int(rounded):x}" if shape.is_lower else f"{int(rounded):X}"
        text = text.rjust(len(shape.whole.lstrip("X")) if "0" in shape.whole else 0, "0")
        return text if len(text) <= len(shape.whole) else overflow
    whole, _, fraction = f"{rounded:.{places}f}".partition(".")
    slots = shape.whole.replace(",", "")
    if len(whole) > len(slots) and whole != "0":
        return overflow
    whole = _grouped(whole, shape)
    if shape.is_compact:
        fraction = fraction.rstrip("0")
    return whole + ("." if shape.point == "." else "") + fraction


def _grouped(whole: str, shape: Form) -> str:
    """The digits of the whole part in their slots, separators between those that are written."""
    slots = shape.whole
    count = slots.replace(",", "")
    forced = len(count) - count.index("0") if "0" in count else 0
    if int(whole) == 0:
        whole = "" if shape.point or shape.is_blank or not count else "0"
    whole = whole.rjust(forced, "0")
    text, left = "", len(whole)
    for slot in reversed(slots):
        if left == 0:
            break
        if slot == ",":
            text = "," + text
        else:
            left -= 1
            text = whole[left] + text
    return text


def _exponential(number: Decimal, places: int, shape: Form) -> str:
    exponent = number.adjusted() if number else 0
    digits = number.scaleb(-exponent).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    if digits >= 10:
        exponent, digits = exponent + 1, digits / 10
    text = f"{digits:.{places}f}E{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return text.lower() if shape.is_lower else text


NATIVES = (Native("bq_format_number", written, ("VARCHAR", "VARCHAR"), "VARCHAR"),)
