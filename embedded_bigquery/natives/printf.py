"""FORMAT: printf's specifiers over values that arrive as text, and literals of text and bytes.

Source: "FORMAT" in "String functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/format-elements.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

from embedded_bigquery.natives.json_values import pretty
from embedded_bigquery.natives.native import Native

SPECIFIER = re.compile(r"%(?P<flags>[-+ #0']*)(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d+)?)?(?P<letter>.)", re.DOTALL)
# What a specifier takes: the kinds of value, and what the message calls them.
TAKES = {
    **dict.fromkeys("dioxX", (("INT64",), "integer")),
    **dict.fromkeys("fFeEgG", (("FLOAT64", "NUMERIC", "BIGNUMERIC"), "DOUBLE")),
    "s": (("STRING",), "STRING"),
    **dict.fromkeys("pP", (("JSON",), "JSON")),
}
SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}


def quoted(value: str) -> str:
    """A GoogleSQL literal of the text."""
    mark = "'" if '"' in value and "'" not in value else '"'
    text = "".join(SHORT.get(letter) or (f"\\{letter}" if letter == mark else _visible(letter)) for letter in value)
    return mark + text + mark


def _visible(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x20 or code == 0x7F else letter


def escaped_bytes(value: bytes) -> str:
    """Printable ASCII as it is, every other byte as \\xNN."""
    return "".join("\\\\" if byte == 92 else chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}" for byte in value)


def quoted_bytes(value: bytes) -> str:
    text = escaped_bytes(value)
    mark = "'" if '"' in text and "'" not in text else '"'
    return "b" + mark + text.replace(mark, "\\" + mark) + mark


def formatted(
    form: str, kinds: list[str], values: list[str | None], printed: list[str], sources: list[str]
) -> str | None:
    """The format with its values: as text, as %t prints them and as %T does. Raises ValueError."""
    if form is None:
        return None
    text, place, used = "", 0, 0
    has_null = False
    while True:
        start = form.find("%", place)
        if start < 0:
            text += form[place:]
            break
        text += form[place:start]
        found = SPECIFIER.match(form, start)
        if found is None:
            raise ValueError(f'Invalid FORMAT string: "{form}"')
        place = found.end()
        letter = found["letter"]
        if letter == "%":
            if found.group() != "%%":
                raise ValueError(f'Invalid FORMAT string: "{form}"')
            text += "%"
            continue
        if letter not in TAKES and letter not in "tTu":
            raise ValueError(f'Invalid format specifier character "{letter}" in FORMAT string: "{form}"')
        flags, sizes = found["flags"], [found["width"], found["precision"]]
        needed = used + 1 + sizes.count("*")
        if needed > len(kinds):
            raise ValueError(
                f'Too few arguments to FORMAT for pattern "{form}"; Expected {needed + 1}; Got {len(kinds) + 1}'
            )
        numbers: list[int | None] = []
        for size in sizes:
            if size != "*":
                numbers.append(None if size is None else int(size))
                continue
            given = values[used]
            used += 1
            has_null = has_null or given is None
            numbers.append(int(given or 0))
        width, precision = numbers
        if width is not None and width < 0:
            flags, width = flags + "-", -width
        if precision is None and found.group()[:-1].endswith("."):
            precision = 0
        if letter in "tT":
            item = (printed if letter == "t" else sources)[used]
            text += _padded(item if precision is None else item[:precision], flags, width)
        else:
            _check(kinds[used], letter, used)
            value = values[used]
            has_null = has_null or value is None
            text += "" if value is None else _item(value, kinds[used], flags, width, precision, letter)
        used += 1
    if used < len(kinds):
        raise ValueError(
            f'Too many arguments to FORMAT for pattern "{form}"; Expected {used + 1}; Got {len(kinds) + 1}'
        )
    return None if has_null else text


def _check(kind: str, letter: str, position: int) -> None:
    kinds, name = TAKES.get(letter, ((), "UINT"))
    if kind not in kinds and kind:
        shown = "DOUBLE" if kind == "FLOAT64" else kind
        raise ValueError(f"Invalid type for argument {position + 2} to FORMAT; Expected {name}; Got {shown}")


def _padded(text: str, flags: str, width: int | None) -> str:
    if width is None:
        return text
    return text.ljust(width) if "-" in flags else text.rjust(width)


def _item(value: str, kind: str, flags: str, width: int | None, precision: int | None, letter: str) -> str:
    if letter == "s":
        return _padded(value if precision is None else value[:precision], flags, width)
    if letter in "pP":
        return _padded(value if letter == "p" else pretty(value), flags, width)
    if letter in "dioxX":
        number = int(value)
        body = f"{abs(number):{'d' if letter in 'di' else letter}}"
        prefix = {"o": "0", "x": "0x", "X": "0X"}.get(letter, "") if "#" in flags else ""
        body = body.rjust(precision or 0, "0")
        if "'" in flags:
            body = _grouped(body, 3, ",") if letter in "di" else _grouped(body, 4, ":")
        return _signed(prefix + body, number < 0, flags, width, fill=precision is None)
    negative, body, is_finite = _real(value, kind, precision, letter, "#" in flags)
    if "'" in flags and is_finite and letter in "fF":
        whole, point, rest = body.partition(".")
        body = _grouped(whole, 3, ",") + point + rest
    return _signed(body, negative, flags, width, fill=is_finite)


def _real(value: str, kind: str, precision: int | None, letter: str, alternate: bool) -> tuple[bool, str, bool]:
    """Whether it is negative, its digits, whether it is finite."""
    places = 6 if precision is None else precision
    if kind != "FLOAT64" and letter in "fF":
        number = Decimal(value)
        return number < 0, f"{abs(number).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}", True
    real = float(value)
    negative = value.startswith("-")
    body = f"%{'#' if alternate else ''}.{places}{letter}" % abs(real)
    return negative, body, body[0].isdigit()


def _grouped(digits: str, size: int, mark: str) -> str:
    head = len(digits) % size
    groups = [digits[:head]] if head else []
    return mark.join(groups + [digits[place : place + size] for place in range(head, len(digits), size)])


def _signed(body: str, negative: bool, flags: str, width: int | None, *, fill: bool) -> str:
    sign = "-" if negative else "+" if "+" in flags else " " if " " in flags else ""
    if width is not None and "0" in flags and "-" not in flags and fill:
        prefix = body[:2] if body[:2] in ("0x", "0X") else ""
        body = prefix + body[len(prefix) :].rjust(width - len(sign) - len(prefix), "0")
    return _padded(sign + body, flags, width)


NATIVES = (
    Native("bq_quoted", quoted, ("VARCHAR",), "VARCHAR"),
    Native("bq_quoted_bytes", quoted_bytes, ("BLOB",), "VARCHAR"),
    Native("bq_escaped_bytes", escaped_bytes, ("BLOB",), "VARCHAR"),
    Native(
        "bq_format",
        formatted,
        ("VARCHAR", "VARCHAR[]", "VARCHAR[]", "VARCHAR[]", "VARCHAR[]"),
        "VARCHAR",
        sees_null=True,
    ),
)
