"""Numbers: exact decimals, bits of bytes, distances of vectors."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from embedded_bigquery.natives.native import Native

WIDE = Context(prec=400)


def exact_decimal(value: float, places: int) -> str:
    """The FLOAT64's own value, rounded half away from zero."""
    if not math.isfinite(value):
        raise ValueError(f"Illegal conversion of non-finite floating point number to numeric: {value}")
    return f"{Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, WIDE):f}"


def cube_root(value: float) -> float:
    found = math.cbrt(value)
    # Of a cube the root is exact.
    return round(found) if abs(found) < 1e5 and round(found) ** 3 == value else found


def bits_set(value: bytes) -> int:
    return int.from_bytes(value, "big").bit_count()


def combined_bits(left: bytes, right: bytes, sign: str) -> bytes:
    if len(left) != len(right):
        raise ValueError(
            "Bitwise binary operator for BYTES requires equal length of the inputs. "
            f"Got {len(left)} bytes on the left hand side and {len(right)} bytes on the right hand side."
        )
    pairs = zip(left, right, strict=True)
    return bytes(a & b if sign == "&" else a | b if sign == "|" else a ^ b for a, b in pairs)


def shifted_bits(value: bytes, count: int) -> bytes:
    """To the left, or to the right where the count is negative."""
    number, size = int.from_bytes(value, "big"), len(value)
    moved = number << count if count >= 0 else number >> -count
    return (moved & ((1 << 8 * size) - 1)).to_bytes(size, "big")


def inverted_bits(value: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in value)


def distance(left: list[Any], right: list[Any], kind: str) -> float:
    """COSINE_DISTANCE and EUCLIDEAN_DISTANCE: of lists of numbers, or of {key, value} pairs. Raises ValueError."""
    pairs = _sparse(left, right) if left and isinstance(left[0], dict) else _dense(left, right)
    if kind == "EUCLIDEAN":
        return math.sqrt(sum((a - b) ** 2 for a, b in pairs))
    size = math.sqrt(sum(a * a for a, _ in pairs)) * math.sqrt(sum(b * b for _, b in pairs))
    if size == 0:
        raise ValueError("Cannot compute cosine distance against zero vector")
    return 1 - sum(a * b for a, b in pairs) / size


def _dense(left: list[float | None], right: list[float | None]) -> list[tuple[float, float]]:
    if len(left) != len(right):
        raise ValueError(f"Array length mismatch: {len(left)} and {len(right)}")
    found = []
    for a, b in zip(left, right, strict=True):
        if a is None or b is None:
            raise ValueError("Cannot compute a distance with a NULL element")
        found.append((a, b))
    return found


def _sparse(left: list[dict[str, Any]], right: list[dict[str, Any]]) -> list[tuple[float, float]]:
    first, second = (dict(tuple(pair.values()) for pair in side) for side in (left, right))
    return [(first.get(key, 0.0), second.get(key, 0.0)) for key in {**first, **second}]


NATIVES = (
    Native("bq_exact_decimal", exact_decimal, ("DOUBLE", "BIGINT"), "VARCHAR"),
    Native("bq_cbrt", cube_root, ("DOUBLE",), "DOUBLE"),
    Native("bq_bits_set", bits_set, ("BLOB",), "BIGINT"),
    Native("bq_combined_bits", combined_bits, ("BLOB", "BLOB", "VARCHAR"), "BLOB"),
    Native("bq_shifted_bits", shifted_bits, ("BLOB", "BIGINT"), "BLOB"),
    Native("bq_inverted_bits", inverted_bits, ("BLOB",), "BLOB"),
    Native("bq_distance", distance, None, "DOUBLE"),
)
