"""CAST by BigQuery's rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql.functions.signatures import coerces, parse_type, supertype


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        ("1", "FLOAT64", "STRING", "1"),
        ("0.1", "FLOAT64", "STRING", "0.1"),
        ("1e15", "FLOAT64", "STRING", "1e+15"),
        ("123456789012345678", "FLOAT64", "STRING", "1.2345678901234568e+17"),
        ("'nan'", "FLOAT64", "STRING", "nan"),
        ("2.5", "FLOAT64", "INT64", "3"),
        ("-2.5", "FLOAT64", "INT64", "-3"),
        ("2.5", "NUMERIC", "INT64", "3"),
        ("1.50", "NUMERIC", "STRING", "1.5"),
        ("100", "NUMERIC", "STRING", "100"),
        ("' -0x1F '", "STRING", "INT64", "-31"),
        ("NULL", "STRING", "INT64", None),
        ("'TRUE'", "STRING", "BOOL", "true"),
        ("'2024-1-5'", "STRING", "DATE", "2024-01-05"),
        ("'2024-01-05T10:11:12.5'", "STRING", "DATETIME", "2024-01-05 10:11:12.5"),
        ("'2024-01-05 10:00:00+7'", "STRING", "TIMESTAMP", "2024-01-05 03:00:00+00"),
        ("'2024-01-05 10:00:00 America/New_York'", "STRING", "TIMESTAMP", "2024-01-05 15:00:00+00"),
        ("'2024-01-05 10:11:12.5'", "TIMESTAMP", "STRING", "2024-01-05 10:11:12.500+00"),
        ("'2024-01-05 10:11:12'", "DATETIME", "STRING", "2024-01-05 10:11:12"),
        ("'10:11:12.25'", "TIME", "STRING", "10:11:12.250"),
        ("'1 year 3 days -90 minutes'", "INTERVAL", "STRING", "1-0 3 -1:30:0"),
        ("[1, 2]", "ARRAY<INT64>", "ARRAY<STRING>", "[1, 2]"),
        ("{'a': 1, 'b': 2}", "STRUCT<a INT64, b INT64>", "STRUCT<x STRING, y FLOAT64>", "{'x': 1, 'y': 2.0}"),
    ],
)
def test_cast(convert: Callable[..., Any], value: str, source: str, target: str, expected: str | None) -> None:
    assert convert(value, source, target) == expected
    assert convert(value, source, target, safe=True) == expected


@pytest.mark.parametrize(
    ("value", "target", "message"),
    [
        ("'1.5'", "INT64", "Bad int64 value: 1.5"),
        ("'x'", "BOOL", "Bad bool value: x"),
        ("'x'", "FLOAT64", "Bad double value: x"),
        ("'xxx'", "DATE", "Invalid date: 'xxx'"),
        ("'2024-02-30'", "DATE", "Invalid date: '2024-02-30'"),
        ("'inf'", "NUMERIC", "Invalid NUMERIC value: inf"),
    ],
)
def test_bad_text(convert: Callable[..., Any], value: str, target: str, message: str) -> None:
    with pytest.raises(duckdb.Error, match=message):
        convert(value, "STRING", target)
    assert convert(value, "STRING", target, safe=True) is None


def test_a_pair_that_bigquery_does_not_cast(convert: Callable[..., Any]) -> None:
    with pytest.raises(InvalidQuery, match="Invalid cast from DATE to INT64"):
        convert("'2024-01-01'", "DATE", "INT64")


def test_a_zone_replaces_utc(convert: Callable[..., Any]) -> None:
    assert convert("'2024-01-05'", "STRING", "TIMESTAMP", zone="'Asia/Tokyo'") == "2024-01-04 15:00:00+00"
    assert convert("'2024-01-05'", "TIMESTAMP", "STRING", zone="'America/New_York'") == "2024-01-04 19:00:00-05"


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["INT64", "NUMERIC"], "NUMERIC"),
        (["NUMERIC", "FLOAT64"], "FLOAT64"),
        (["DATE", "DATETIME"], "DATETIME"),
        (["ARRAY<INT64>", "ARRAY<FLOAT64>"], "ARRAY<FLOAT64>"),
        (["STRUCT<a INT64>", "STRUCT<b NUMERIC>"], "STRUCT<a NUMERIC>"),
        (["INT64", "STRING"], None),
    ],
)
def test_supertype(kinds: list[str], expected: str | None) -> None:
    assert supertype(parse_type(kind) for kind in kinds) == (parse_type(expected) if expected else None)


def test_only_literals_of_string_become_dates() -> None:
    assert coerces(parse_type("STRING"), parse_type("DATE")) is None
    assert coerces(parse_type("STRING"), parse_type("DATE"), literal=True) is not None
