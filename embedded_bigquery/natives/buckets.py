"""DATE_BUCKET and its like: the start of the bucket, counted from an origin, that holds a point in time."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta

from embedded_bigquery.natives.native import Native

MICROSECOND = timedelta(microseconds=1)


def bucket(value: datetime, months: int, days: int, micros: int, origin: datetime, kind: str) -> datetime:
    """Raises ValueError on a width that the type does not take."""
    if kind == "DATE" and micros:
        raise ValueError("Only MONTH and DAY parts are allowed in bucket width INTERVAL")
    if kind == "TIMESTAMP" and months:
        raise ValueError("Bucket width INTERVAL with non-zero MONTH part is not allowed")
    if kind == "TIMESTAMP" and days and micros:
        raise ValueError("Bucket width INTERVAL with mixed DAY and subsecond parts is not allowed")
    if sum(map(bool, (months, days, micros))) != 1:
        raise ValueError("Exactly one non-zero INTERVAL part in bucket width is required")
    if months + days + micros < 0:
        raise ValueError("Negative bucket width INTERVAL is not allowed")
    if months:
        passed = (value.year - origin.year) * 12 + value.month - origin.month
        start = shifted(origin, passed // months * months)
        return start if start <= value else shifted(origin, (passed // months - 1) * months)
    width = timedelta(days=days, microseconds=micros)
    return origin + (value - origin) // width * width


def shifted(value: datetime, months: int) -> datetime:
    """So many months later, on the same day or the month's last."""
    year, month = divmod(value.year * 12 + value.month - 1 + months, 12)
    return value.replace(year=year, month=month + 1, day=min(value.day, calendar.monthrange(year, month + 1)[1]))


NATIVES = (
    Native(
        "bq_bucket",
        bucket,
        ("TIMESTAMP", "BIGINT", "BIGINT", "BIGINT", "TIMESTAMP", "VARCHAR"),
        "TIMESTAMP",
    ),
)
