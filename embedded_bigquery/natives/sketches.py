"""What aggregates gather, evaluated: heaviest items, averages of intervals, and sketches of distinct values.

A sketch here is exact: the sorted fingerprints of the values. BigQuery cannot read it, nor this BigQuery's.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from embedded_bigquery.natives.hashes import fingerprint
from embedded_bigquery.natives.intervals import checked
from embedded_bigquery.natives.native import Native

SIZE = 8  # bytes a fingerprint


def heaviest(items: list[str | None], weights: list[str | None], count: int) -> list[dict[str, Any]]:
    """The items with the greatest sums of weights: where each stands first in the list (from 1), and its sum."""
    sums: dict[str | None, Decimal | None] = {}
    first: dict[str | None, int] = {}
    for position, (item, weight) in enumerate(zip(items, weights, strict=True), 1):
        first.setdefault(item, position)
        known = sums.get(item)
        given = None if weight is None else Decimal(weight)
        sums[item] = given if known is None else known if given is None else known + given
    ordered = sorted(sums, key=lambda item: (sums[item] is None, -(sums[item] or Decimal(0)), first[item]))
    return [
        {"position": first[item], "total": None if sums[item] is None else str(sums[item])} for item in ordered[:count]
    ]


def average_interval(months: int, days: int, micros: int, count: int) -> dict[str, int]:
    """The sums divided; what is left of months becomes days, of days microseconds."""
    whole_months, rest = _divided(months, count)
    whole_days, left = _divided(days + rest * 30, count)
    whole_micros = _divided(micros + left * 86_400_000_000, count)[0]
    checked(whole_months, whole_days, whole_micros)
    return {"months": whole_months, "days": whole_days, "micros": whole_micros}


def _divided(value: int, count: int) -> tuple[int, int]:
    """Quotient and remainder, both toward zero."""
    quotient = abs(value) // count * (-1 if value < 0 else 1)
    return quotient, value - quotient * count


def sketch(values: list[str]) -> bytes:
    return _packed({fingerprint(value.encode()) for value in values})


def merged(sketches: list[bytes]) -> bytes:
    return _packed({number for one in sketches for number in _numbers(one)})


def size(one: bytes) -> int:
    """How many distinct values a sketch holds; raises ValueError on bytes that are none."""
    return len(_numbers(one))


def _packed(numbers: set[int]) -> bytes:
    return b"".join(number.to_bytes(SIZE, "big", signed=True) for number in sorted(numbers))


def _numbers(one: bytes) -> list[int]:
    if len(one) % SIZE:
        raise ValueError("Invalid HLL++ sketch: it was not made by HLL_COUNT.INIT here")
    return [int.from_bytes(one[place : place + SIZE], "big", signed=True) for place in range(0, len(one), SIZE)]


NATIVES = (
    Native(
        "bq_heaviest",
        heaviest,
        ("VARCHAR[]", "VARCHAR[]", "BIGINT"),
        "STRUCT(position BIGINT, total VARCHAR)[]",
    ),
    Native(
        "bq_average_interval",
        average_interval,
        ("BIGINT", "BIGINT", "BIGINT", "BIGINT"),
        "STRUCT(months INTEGER, days INTEGER, micros BIGINT)",
    ),
    Native("bq_sketch", sketch, ("VARCHAR[]",), "BLOB"),
    Native("bq_merged_sketch", merged, ("BLOB[]",), "BLOB"),
    Native("bq_sketch_size", size, ("BLOB",), "BIGINT"),
)
