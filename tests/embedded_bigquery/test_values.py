"""values.py: DuckDB -> Python -> the API's JSON, without loss."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded_bigquery.duck import Database, execute, fetch
from embedded_bigquery.types import (
    BOOL,
    BYTES,
    FLOAT64,
    INT64,
    INTERVAL,
    NUMERIC,
    STRING,
    TIMESTAMP,
    Field,
    Type,
    array_of,
    struct_of,
)
from embedded_bigquery.values import fetch_sql, from_duckdb, timestamp_seconds, to_api


@pytest.fixture(scope="module")
def database() -> Database:
    return Database()


def fetched(database: Database, expression: str, kind: Type) -> Any:
    connection = database.cursor()
    sql = fetch_sql(f"SELECT {expression} AS c", [Field("c", kind)])
    return from_duckdb(fetch(execute(connection, sql))[0][0], kind)


@pytest.mark.parametrize(
    ("expression", "kind", "value", "json"),
    [
        ("7::BIGINT", INT64, 7, "7"),
        ("true", BOOL, True, "true"),
        ("0.1::DOUBLE", FLOAT64, 0.1, "0.1"),
        ("'-inf'::DOUBLE", FLOAT64, float("-inf"), "-Infinity"),
        ("1.50::DECIMAL(38, 9)", NUMERIC, Decimal("1.5"), "1.5"),
        ("100::DECIMAL(38, 9)", NUMERIC, Decimal(100), "100"),
        ("'é'", STRING, "é", "é"),
        ("'\\xFF'::BLOB", BYTES, b"\xff", base64.b64encode(b"\xff").decode()),
        (
            "'2013-01-07 05:00:00.000001+00'::TIMESTAMPTZ",
            TIMESTAMP,
            datetime(2013, 1, 7, 5, 0, 0, 1, UTC),
            "1357534800000001",
        ),
        ("INTERVAL '14 months 3 days 01:02:03.5'", INTERVAL, (14, 3, 3_723_500_000), "1-2 3 1:2:3.500"),
        ("INTERVAL (-1) MONTH", INTERVAL, (-1, 0, 0), "-0-1 0 0:0:0"),
        ("INTERVAL 100 MICROSECOND", INTERVAL, (0, 0, 100), "0-0 0 0:0:0.000100"),
        ("NULL::TIMESTAMPTZ", TIMESTAMP, None, None),
        ("[1, 2]::BIGINT[]", array_of(INT64), [1, 2], [{"v": "1"}, {"v": "2"}]),
        ("NULL::BIGINT[]", array_of(INT64), None, []),
    ],
)
def test_value_arrives_whole_and_reads_as_bigquery_gives_it(
    database: Database, expression: str, kind: Type, value: object, json: object
) -> None:
    assert fetched(database, expression, kind) == value
    assert to_api(value, kind) == json


def test_timestamp_inside_array_of_struct_arrives_with_its_zone(database: Database) -> None:
    kind = array_of(struct_of(("at", TIMESTAMP), ("n", INT64)))
    value = fetched(database, "[{'at': '1970-01-01 00:00:01+00'::TIMESTAMPTZ, 'n': 1::BIGINT}, NULL]", kind)
    assert value == [(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), 1), None]
    assert to_api(value[:1], kind) == [{"v": {"f": [{"v": "1000000"}, {"v": "1"}]}}]


@given(st.integers(-(2**62), 2**62).map(lambda n: n % 200_000_000_000_000_000 - 62_000_000_000_000_000))
def test_timestamp_keeps_every_microsecond(micros: int) -> None:
    kind = TIMESTAMP
    value = from_duckdb(micros, kind)
    assert value - datetime(1970, 1, 1, tzinfo=UTC) == timedelta(microseconds=micros)
    assert to_api(value, kind) == str(micros)


@pytest.mark.parametrize(
    ("micros", "seconds"),
    [
        (1_357_035_420_250_000, "1.35703542025E9"),
        (1_357_035_420_250_001, "1.357035420250001E9"),
        (-1_357_035_420_250_000, "-1.35703542025E9"),
        (1_000_000_000_000_000, "1.0E9"),
        (1, "1.0E-6"),
        (1_500_000, "1.5"),
        (0, "0.0"),
    ],
)
def test_timestamp_as_seconds_is_a_float64(micros: int, seconds: str) -> None:
    value = from_duckdb(micros, TIMESTAMP)
    assert to_api([value], array_of(TIMESTAMP), timestamp_seconds) == [{"v": seconds}]
    assert round(float(seconds) * 1_000_000) == micros
