"""Text and bytes."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from decimal import ROUND_HALF_UP, Context, Decimal

from embedded_bigquery.natives.native import Native

DECIMAL = re.compile(
    r"\s*(?P<first>[+-]?)\s*(?P<digits>[\d,]*\.?[\d,]*)(?P<exponent>[eE][+-]?\d+)?\s*(?P<last>[+-]?)\s*"
)
WIDE = Context(prec=100)
SOUNDEX_CODES = {
    letter: code
    for letters, code in (("BFPV", "1"), ("CGJKQSXZ", "2"), ("DT", "3"), ("L", "4"), ("MN", "5"), ("R", "6"))
    for letter in letters
}


def soundex(value: str) -> str:
    """The first letter and the codes of three consonants after it; a code that repeats, vowels aside, counts once."""
    letters = [letter for letter in value if letter.isascii() and letter.isalpha()]
    if not letters:
        return ""
    found, last = letters[0], SOUNDEX_CODES.get(letters[0].upper())
    for letter in letters[1:]:
        code = SOUNDEX_CODES.get(letter.upper())
        if code is not None and code != last:
            found, last = found + code, code
    return found[:4].ljust(4, "0")


def to_base32(value: bytes) -> str:
    return base64.b32encode(value).decode("ascii")


def from_base32(value: str) -> bytes:
    try:
        return base64.b32decode(value)
    except binascii.Error:
        raise ValueError("Failed to decode invalid base32 string") from None


def from_base64(value: str) -> bytes:
    """Padding may be missing, white space stands anywhere."""
    text = re.sub(r"\s", "", value).rstrip("=")
    if not re.fullmatch(r"[A-Za-z0-9+/]*", text) or len(text) % 4 == 1:
        raise ValueError("Failed to decode invalid base64 string")
    return base64.b64decode(text + "=" * (-len(text) % 4))


def from_hex(value: str) -> bytes:
    wrong = re.search(r"[^0-9a-fA-F]", value)
    if wrong:
        where = f"due to character at offset {wrong.start()}"
        raise ValueError(f"Failed to decode invalid hexadecimal string {where}: {value}")
    return bytes.fromhex(value if len(value) % 2 == 0 else f"0{value}")


def lossy_text(value: bytes) -> str:
    """Every byte that is no UTF-8 becomes U+FFFD."""
    return re.sub("[\udc80-\udcff]", "\ufffd", value.decode("utf-8", errors="surrogateescape"))


def latin(value: bytes) -> str:
    """A character a byte, so that functions of text work on bytes."""
    return value.decode("latin-1")


def unlatin(value: str) -> bytes:
    return value.encode("latin-1")


def normalize(value: str, form: str) -> str:
    return unicodedata.normalize(form, value)  # type: ignore[arg-type]  # a form outside the four is refused earlier


def casefold(value: str, form: str) -> str:
    return normalize(normalize(value, form).casefold(), form)


def contains(texts: list[str | None], piece: str) -> bool | None:
    """CONTAINS_SUBSTR: whether one of the texts holds the piece, compatible characters and cases being equal."""
    wanted = casefold(piece, "NFKC")
    if any(text is not None and wanted in casefold(text, "NFKC") for text in texts):
        return True
    return None if None in texts else False


def translate(value: str, old: str, new: str) -> str:
    table: dict[int, str | None] = {}
    for position, letter in enumerate(old):
        if ord(letter) in table:
            raise ValueError(f'Duplicate character "{letter}" in TRANSLATE source characters')
        table[ord(letter)] = new[position] if position < len(new) else None
    return value.translate(table)


def ascii_code(value: str) -> int:
    if value[:1] > "\x7f":
        raise ValueError(f"Argument to ASCII is not a structurally valid ASCII string: '{value}'")
    return ord(value[0]) if value else 0


def from_code_points(points: list[int | None]) -> str | None:
    return None if None in points else "".join(map(character, points))  # type: ignore[arg-type]


def character(point: int) -> str:
    if not 0 <= point < 0x110000 or 0xD800 <= point < 0xE000:
        raise ValueError(f"Invalid codepoint {point}")
    return chr(point)


def bytes_of(points: list[int | None]) -> bytes | None:
    wrong = next((point for point in points if point is not None and not 0 <= point < 256), None)
    if wrong is not None:
        raise ValueError(f"Invalid ASCII value {wrong}")
    return None if None in points else bytes(points)  # type: ignore[arg-type]


def parse_decimal(value: str, name: str, whole: int, places: int) -> str:
    """PARSE_NUMERIC and PARSE_BIGNUMERIC: blanks around the sign, which may stand behind, and separators."""
    wrong = ValueError(f'Invalid input to {name}: "{value}"')
    found = DECIMAL.fullmatch(value)
    if found is None or (found["first"] and found["last"]):
        raise wrong
    digits = found["digits"].replace(",", "")
    if not any(digit.isdigit() for digit in digits):
        raise wrong
    number = Decimal(f"{found['first'] or found['last']}{digits}{found['exponent'] or ''}")
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, WIDE) if number.adjusted() < whole else number
    if rounded.adjusted() >= whole:
        raise wrong
    return f"{rounded:f}"


def edit_distance(left: str, right: str, limit: int | None) -> int | None:
    """Levenshtein's distance in code points, at most `limit`."""
    if left is None or right is None:
        return None
    if limit is not None and limit < 0:
        raise ValueError("Max distance must be non-negative")
    row = list(range(len(right) + 1))
    for position, letter in enumerate(left, 1):
        above, row[0] = row[0], position
        for other, found in enumerate(right, 1):
            above, row[other] = row[other], min(row[other] + 1, row[other - 1] + 1, above + (letter != found))
    return row[-1] if limit is None else min(row[-1], limit)


def error(message: str | None) -> None:
    """Raises the message: unlike DuckDB's own error() it may stand inside of TRY and of a PARTITION BY.

    Without one there is no error: a message is NULL where what it tells of is, as in NULL / 0.
    """
    if message is not None:
        raise ValueError(message)


NATIVES = (
    # Of type NULL, so that it stands beside a value of any type.
    Native("bq_error", error, ("VARCHAR",), "NULL", sees_null=True),
    Native("bq_contains", contains, ("VARCHAR[]", "VARCHAR"), "BOOLEAN"),
    Native("bq_translate", translate, ("VARCHAR", "VARCHAR", "VARCHAR"), "VARCHAR"),
    Native("bq_ascii", ascii_code, ("VARCHAR",), "BIGINT"),
    Native("bq_chr", character, ("BIGINT",), "VARCHAR"),
    Native("bq_code_points_to_string", from_code_points, ("BIGINT[]",), "VARCHAR"),
    Native("bq_code_points_to_bytes", bytes_of, ("BIGINT[]",), "BLOB"),
    Native("bq_parse_decimal", parse_decimal, ("VARCHAR", "VARCHAR", "BIGINT", "BIGINT"), "VARCHAR"),
    Native("bq_soundex", soundex, ("VARCHAR",), "VARCHAR"),
    Native("bq_to_base32", to_base32, ("BLOB",), "VARCHAR"),
    Native("bq_from_base32", from_base32, ("VARCHAR",), "BLOB"),
    Native("bq_from_base64", from_base64, ("VARCHAR",), "BLOB"),
    Native("bq_from_hex", from_hex, ("VARCHAR",), "BLOB"),
    Native("bq_lossy_text", lossy_text, ("BLOB",), "VARCHAR"),
    Native("bq_latin", latin, ("BLOB",), "VARCHAR"),
    Native("bq_unlatin", unlatin, ("VARCHAR",), "BLOB"),
    Native("bq_upper_bytes", lambda value: value.upper(), ("BLOB",), "BLOB"),
    Native("bq_lower_bytes", lambda value: value.lower(), ("BLOB",), "BLOB"),
    Native("bq_normalize", normalize, ("VARCHAR", "VARCHAR"), "VARCHAR"),
    Native("bq_casefold", casefold, ("VARCHAR", "VARCHAR"), "VARCHAR"),
    Native("bq_edit_distance", edit_distance, ("VARCHAR", "VARCHAR", "BIGINT"), "BIGINT", sees_null=True),
)
