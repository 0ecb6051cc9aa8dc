"""Functions by BigQuery's reference: the value and its type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql.functions.registry import lookup

INTS, STRINGS = "ARRAY<INT64>", "ARRAY<STRING>"


def date(text: str) -> tuple[str, str]:
    return f"DATE '{text}'", "DATE"


def datetime(text: str) -> tuple[str, str]:
    return f"TIMESTAMP '{text}'", "DATETIME"


def timestamp(text: str) -> tuple[str, str]:
    return f"TIMESTAMPTZ '{text}'", "TIMESTAMP"


def word(text: str) -> tuple[str, None]:
    return text, None


def numeric(text: str) -> tuple[str, str]:
    return f"CAST({text} AS DECIMAL(38, 9))", "NUMERIC"


DOCUMENT = '{"a": {"b": "x", "n": null, "l": [1, "2"]}}'
CASES: list[tuple[str, list[Any], str | None, str]] = [
    ("IF", [("true", "BOOL"), 1, ("2.5::DOUBLE", "FLOAT64")], "1.0", "FLOAT64"),
    ("IFNULL", [("NULL", None), 3], "3", "INT64"),
    ("COALESCE", ["2024-01-01", date("2024-01-02")], "2024-01-01", "DATE"),
    ("GREATEST", [1, ("CAST(NULL AS BIGINT)", "INT64")], None, "INT64"),
    ("CONCAT", ["a", "b"], "ab", "STRING"),
    ("SUBSTR", ["héllo", -2], "lo", "STRING"),
    ("SUBSTR", ["héllo", -9, 2], "hé", "STRING"),
    ("SUBSTR", ["héllo", 0, 2], "hé", "STRING"),
    ("LPAD", ["abc", 5, "xy"], "xyabc", "STRING"),
    ("TRIM", [" \t a\n "], "a", "STRING"),
    ("SPLIT", ["", ","], "['']", STRINGS),
    ("INSTR", ["banana", "an", 1, 2], "4", "INT64"),
    ("INSTR", ["banana", "an", -1], "4", "INT64"),
    ("INITCAP", ["hello wORLD-foo"], "Hello World-Foo", "STRING"),
    ("UPPER", ["groß"], "GROSS", "STRING"),
    ("BYTE_LENGTH", ["日本"], "6", "INT64"),
    ("TO_HEX", [("'a'::BLOB", "BYTES")], "61", "STRING"),
    ("TO_CODE_POINTS", ["Ab"], "[65, 98]", INTS),
    ("REGEXP_EXTRACT", ["abc", "b(c)"], "c", "STRING"),
    ("REGEXP_EXTRACT", ["abc", "x"], None, "STRING"),
    ("REGEXP_INSTR", ["xfoo foo", r"\bfoo"], "6", "INT64"),
    ("FORMAT", ["%05d|%-4s|%.3f%%", 42, "hi", ("3.14159::DOUBLE", "FLOAT64")], "00042|hi  |3.142%", "STRING"),
    ("FORMAT", ["%T %t", ("[1, 2]", INTS), date("2020-01-01")], "[1, 2] 2020-01-01", "STRING"),
    ("ROUND", [numeric("-2.345"), 2], "-2.350000000", "NUMERIC"),
    ("ROUND", [("2.5::DOUBLE", "FLOAT64")], "3.0", "FLOAT64"),
    ("TRUNC", [("-1.789::DOUBLE", "FLOAT64"), 1], "-1.7", "FLOAT64"),
    ("SAFE_DIVIDE", [1, 0], None, "FLOAT64"),
    ("SAFE_DIVIDE", [1, numeric("3")], "0.333333333", "NUMERIC"),
    ("IEEE_DIVIDE", [1, 0], "inf", "FLOAT64"),
    ("DIV", [-7, 2], "-3", "INT64"),
    ("MOD", [-7, 3], "-1", "INT64"),
    ("SAFE.MOD", [1, 0], None, "INT64"),
    ("SAFE.LN", [0], None, "FLOAT64"),
    ("DATE", [2024, 1, 31], "2024-01-31", "DATE"),
    ("SAFE.DATE", [2024, 2, 31], None, "DATE"),
    ("DATE", [timestamp("2016-12-25 05:30:00+07"), "America/Los_Angeles"], "2016-12-24", "DATE"),
    ("DATETIME", [2024, 1, 2, 3, 4, 5], "2024-01-02 03:04:05", "DATETIME"),
    ("TIMESTAMP", ["2024-01-01", "America/New_York"], "2024-01-01 05:00:00+00", "TIMESTAMP"),
    ("DATE_ADD", [date("2024-01-31"), ("to_months(1)", "INTERVAL")], "2024-02-29", "DATE"),
    ("DATE_SUB", ["2024-01-31", ("to_days(1)", "INTERVAL")], "2024-01-30", "DATE"),
    ("DATE_TRUNC", [date("2017-11-05"), word("WEEK(MONDAY)")], "2017-10-30", "DATE"),
    ("DATE_TRUNC", [date("2017-11-05"), word("ISOYEAR")], "2017-01-02", "DATE"),
    ("DATE_DIFF", ["2017-12-18", "2017-12-17", word("WEEK")], "0", "INT64"),
    ("DATE_DIFF", ["2017-12-18", "2017-12-17", word("ISOWEEK")], "1", "INT64"),
    (
        "TIMESTAMP_DIFF",
        [timestamp("2001-02-01 01:00:00"), timestamp("2001-02-01 00:00:01"), word("HOUR")],
        "0",
        "INT64",
    ),
    (
        "TIMESTAMP_TRUNC",
        [timestamp("2024-03-10 06:30:00+00"), word("DAY"), "America/New_York"],
        "2024-03-10 05:00:00+00",
        "TIMESTAMP",
    ),
    ("LAST_DAY", [date("2008-11-10"), word("WEEK(SUNDAY)")], "2008-11-15", "DATE"),
    ("EXTRACT", [word("WEEK"), date("2016-01-01")], "0", "INT64"),
    ("EXTRACT", [word("ISOWEEK"), date("2016-01-01")], "53", "INT64"),
    ("EXTRACT", [word("DATE"), timestamp("2024-01-01 03:00:00+00"), "America/New_York"], "2023-12-31", "DATE"),
    ("UNIX_SECONDS", [timestamp("1969-12-31 23:59:59.5+00")], "-1", "INT64"),
    ("TIMESTAMP_MILLIS", [1500], "1970-01-01 00:00:01.5+00", "TIMESTAMP"),
    ("GENERATE_DATE_ARRAY", ["2016-10-05", "2016-10-07"], "[2016-10-05, 2016-10-06, 2016-10-07]", "ARRAY<DATE>"),
    ("FORMAT_DATE", ["%b-%d-%Y %Q", date("2008-12-25")], "Dec-25-2008 4", "STRING"),
    (
        "FORMAT_TIMESTAMP",
        ["%F %T %Ez", timestamp("2024-01-15 12:00:00+00"), "America/New_York"],
        "2024-01-15 07:00:00 -05:00",
        "STRING",
    ),
    ("PARSE_DATE", ["%Y%m%d", "20240105"], "2024-01-05", "DATE"),
    ("PARSE_DATE", ["%b %d", "Dec 25"], "1970-12-25", "DATE"),
    ("PARSE_TIMESTAMP", ["%FT%T%Ez", "2024-01-15T12:34:56+02:00"], "2024-01-15 10:34:56+00", "TIMESTAMP"),
    ("SAFE.PARSE_DATE", ["%F", "nope"], None, "DATE"),
    ("ARRAY_SLICE", [("['a', 'b', 'c']", STRINGS), -30, -3], "[a]", STRINGS),
    ("ARRAY_TO_STRING", [("['a', NULL, 'b']", STRINGS), "-"], "a-b", "STRING"),
    ("GENERATE_ARRAY", [10, 0, ("-5", "INT64")], "[10, 5, 0]", INTS),
    ("JSON_VALUE", [DOCUMENT, "$.a.b"], "x", "STRING"),
    ("JSON_VALUE", [DOCUMENT, "$.a"], None, "STRING"),
    ("JSON_VALUE", ["no json", "$.a"], None, "STRING"),
    ("JSON_QUERY", [DOCUMENT, "$.a.l"], '[1,"2"]', "STRING"),
    ("JSON_VALUE_ARRAY", [DOCUMENT, "$.a.l"], "[1, 2]", STRINGS),
    ("TO_JSON_STRING", [9007199254740993], '"9007199254740993"', "STRING"),
    (
        "TO_JSON_STRING",
        [
            (
                "{'a': 1, 'b': NULL::VARCHAR, 'c': [TIMESTAMPTZ '2020-01-01 10:00:00.5']}",
                "STRUCT<a INT64, b STRING, c ARRAY<TIMESTAMP>>",
            )
        ],
        '{"a":1,"b":null,"c":["2020-01-01T10:00:00.500Z"]}',
        "STRING",
    ),
    ("JSON_OBJECT", ["k", 1], '{"k":1}', "JSON"),
]


@pytest.mark.parametrize(
    ("name", "arguments", "value", "kind"), CASES, ids=[f"{n}-{c[0]}" for n, c in enumerate(CASES)]
)
def test_function(evaluate: Callable[..., Any], name: str, arguments: list[Any], value: str | None, kind: str) -> None:
    assert evaluate(name, *arguments) == (value, kind)


X = ("x", "INT64")
ROWS = "FROM (VALUES (1::BIGINT), (3), (3), (NULL)) t(x)"


@pytest.mark.parametrize(
    ("name", "arguments", "modifiers", "expected"),
    [
        ("COUNT", [("*", None)], {}, ("4", "INT64")),
        ("COUNT", [X], {"distinct": True}, ("2", "INT64")),
        ("COUNTIF", [("x > 1", "BOOL")], {}, ("2", "INT64")),
        ("SUM", [X], {}, ("7", "INT64")),
        ("SUM", [X], {"distinct": True}, ("4", "INT64")),
        ("AVG", [X], {"distinct": True}, ("2.0", "FLOAT64")),
        ("ARRAY_AGG", [X], {"nulls": "IGNORE", "order_by": "x DESC", "limit": "2"}, ("[3, 3]", INTS)),
        ("STRING_AGG", [("x::VARCHAR", "STRING"), "-"], {"order_by": "x DESC"}, ("3-3-1", "STRING")),
        ("LOGICAL_OR", [("x = 1", "BOOL")], {}, ("true", "BOOL")),
        ("MAX_BY", [X, ("-x", "INT64")], {}, ("1", "INT64")),
        ("ANY_VALUE", [X], {"having": ("MAX", "x")}, ("3", "INT64")),
        ("APPROX_QUANTILES", [X, 2], {}, ("[1, 3, 3]", INTS)),
    ],
)
def test_aggregate(
    evaluate: Callable[..., Any], name: str, arguments: list[Any], modifiers: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert evaluate(name, *arguments, rows=ROWS, **modifiers) == expected


def test_windows(evaluate: Callable[..., Any]) -> None:
    last = "FROM (SELECT * FROM (VALUES (1::BIGINT), (2), (3)) t(x)) QUALIFY x = 3"
    over = " OVER (ORDER BY x)"
    assert evaluate("LAG", X, rows=last, over=over) == ("2", "INT64")
    assert evaluate("SUM", X, rows=last, over=over) == ("6", "INT64")
    assert evaluate("FIRST_VALUE", X, rows=last, over=over, nulls="IGNORE") == ("1", "INT64")
    assert evaluate("PERCENTILE_CONT", X, ("0.5", "FLOAT64"), rows=last, over=" OVER ()") == ("2.0", "FLOAT64")
    with pytest.raises(InvalidQuery, match="ROW_NUMBER cannot be called without an OVER clause"):
        evaluate("ROW_NUMBER")


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("DIV", [7, 0], "division by zero: 7 / 0"),
        ("ERROR", ["message"], "message"),
        ("PARSE_DATE", ["%F", "nope"], 'Failed to parse input string "nope"'),
        ("RPAD", ["abc", -15], "Second argument .output size. for LPAD/RPAD cannot be negative"),
    ],
)
def test_failure(evaluate: Callable[..., Any], name: str, arguments: list[Any], message: str) -> None:
    with pytest.raises(duckdb.Error, match=message):
        evaluate(name, *arguments)


def test_wrong_arguments(evaluate: Callable[..., Any]) -> None:
    with pytest.raises(InvalidQuery, match="No matching signature for function UPPER for argument types: INT64"):
        evaluate("UPPER", 1)
    with pytest.raises(InvalidQuery, match="No matching signature for function CONCAT with no arguments"):
        evaluate("CONCAT")
    with pytest.raises(InvalidQuery, match="DATE_TRUNC does not support the HOUR date part"):
        evaluate("DATE_TRUNC", date("2024-01-01"), word("HOUR"))


def test_what_cannot_be_done_is_refused(evaluate: Callable[..., Any]) -> None:
    with pytest.raises(NotSupported, match=r"not supported: function NET\.PUBLIC_SUFFIX"):
        evaluate("NET.PUBLIC_SUFFIX", "x")


def test_lookup() -> None:
    assert lookup("no_such_function") is None
    assert lookup("SAFE.no_such_function") is None
    assert lookup("SAFE.SUM") is None
    concat, truncation = lookup("concat"), lookup("DATE_TRUNC")
    assert concat is not None and (concat.min_args, concat.max_args) == (1, None)
    assert truncation is not None and truncation.keyword_positions == {1}
