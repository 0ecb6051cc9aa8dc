"""CAST … FORMAT between BYTES and STRING: hexadecimal, other bases, ASCII and UTF-8."""

from __future__ import annotations

import base64

from embedded_bigquery.natives.native import Native
from embedded_bigquery.natives.text import from_base64, from_hex

BASES = {"BASE2": 1, "BASE8": 3}  # bits a digit


def _name(form: str) -> str:
    upper = form.upper()
    return {"BASE16": "HEX", "UTF8": "UTF-8"}.get(upper, upper)


def to_text(value: bytes, form: str) -> str:
    name = _name(form)
    if name == "HEX":
        return value.hex()
    if name in BASES:
        bits = BASES[name]
        digits = -(-len(value) * 8 // bits)
        return f"{int.from_bytes(value, 'big'):0{digits}{'b' if bits == 1 else 'o'}}" if value else ""
    if name == "BASE64":
        return base64.b64encode(value).decode("ascii")
    if name == "BASE64M":
        return base64.encodebytes(value).decode("ascii").rstrip("\n")
    if name in ("ASCII", "UTF-8"):
        try:
            return value.decode(name)
        except UnicodeDecodeError:
            raise ValueError(f"Failed to decode invalid {name} string") from None
    raise ValueError(f"Invalid format '{form}'")


def to_bytes(value: str, form: str) -> bytes:
    name = _name(form)
    if name == "HEX":
        return from_hex(value)
    if name in BASES:
        return _digits(value, BASES[name], name)
    if name in ("BASE64", "BASE64M"):
        return from_base64(value)
    if name in ("ASCII", "UTF-8"):
        try:
            return value.encode(name)
        except UnicodeEncodeError:
            raise ValueError(f"Failed to decode invalid {name} string") from None
    raise ValueError(f"Invalid format '{form}'")


def _digits(value: str, bits: int, name: str) -> bytes:
    for position, digit in enumerate(value):
        if not "0" <= digit < str(1 << bits):
            what = f"due to character '{digit}' at offset {position}"
            raise ValueError(f"Failed to decode invalid {name.lower()} string {what}")
    size = -(-len(value) // 8) if bits == 1 else len(value) * bits // 8
    return int(value, 1 << bits).to_bytes(max(size, 1), "big") if value else b""


NATIVES = (
    Native("bq_encode_bytes", to_text, ("BLOB", "VARCHAR"), "VARCHAR"),
    Native("bq_decode_bytes", to_bytes, ("VARCHAR", "VARCHAR"), "BLOB"),
)
