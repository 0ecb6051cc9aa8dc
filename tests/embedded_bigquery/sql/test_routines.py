"""Calls of users' functions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from tests.embedded_bigquery.sql.conftest import Rows

FUNCTIONS = """
CREATE FUNCTION d.twice(x INT64) AS (x * 2);
CREATE FUNCTION d.sum3(x INT64) RETURNS FLOAT64 AS (d.twice(x) + x);
CREATE FUNCTION d.first(l ANY TYPE) AS (l[SAFE_OFFSET(0)]);
CREATE FUNCTION d.longest(l ARRAY<STRING>) AS ((SELECT v FROM UNNEST(l) AS v ORDER BY LENGTH(v) DESC LIMIT 1));
CREATE FUNCTION d.pair(p STRUCT<x INT64, y STRING>) AS (CONCAT(p.y, CAST(p.x AS STRING)));
CREATE FUNCTION d.shadow(a INT64) AS ((SELECT MAX(a) FROM d.t));
CREATE AGGREGATE FUNCTION d.spread(x FLOAT64, scale FLOAT64 NOT AGGREGATE) AS ((MAX(x) - MIN(x)) * scale);
CREATE TABLE FUNCTION d.above(n INT64) AS (SELECT a, b FROM d.t WHERE a > n);
CREATE TABLE FUNCTION d.counted(l TABLE<v INT64>) AS (SELECT COUNT(*) AS n FROM l);
"""


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT d.twice(a) FROM d.t ORDER BY 1", [(2,), (4,), (6,)]),
        ("SELECT d.sum3(2), `d.twice`(3), p.d.twice(x => 4)", [(6.0, 6, 8)]),
        ("SELECT d.first([1, 2]), d.first(['a'])", [(1, "a")]),
        ("SELECT d.longest(['a', 'abc']), d.longest(SPLIT(CONCAT('x,', 'yz')))", [("abc", "yz")]),
        ("SELECT d.pair((1, 'k')), d.pair(STRUCT(NULL, 'k'))", [("k1", None)]),
        ("SELECT d.shadow(99)", [(3,)]),
        ("SELECT d.spread(a, 10) FROM d.t", [(20.0,)]),
        ("SELECT b, d.spread(a, 1) FROM d.t GROUP BY b ORDER BY b", [(None, 0.0), ("x", 2.0)]),
        ("SELECT d.spread(a, 1) OVER () FROM d.t LIMIT 1", [(2.0,)]),
        ("SELECT x.a FROM d.above(1) AS x JOIN d.t USING (a) ORDER BY a", [(2,), (3,)]),
        ("SELECT n FROM d.counted((SELECT a AS v FROM d.t))", [(3,)]),
        ("CREATE TEMP FUNCTION f(x INT64) AS (x + d.twice(x)); SELECT f(f(1))", [(9,)]),
        ("SELECT COUNT(*) FROM d.t GROUP BY d.twice(LENGTH(b)) ORDER BY 1", [(1,), (2,)]),
    ],
)
def test_sql_function_is_worth_its_body(rows: Callable[[str], Rows], sql: str, expected: Rows) -> None:
    assert rows(FUNCTIONS + sql) == expected


def test_volatile_argument_is_evaluated_once(rows: Callable[[str], Rows]) -> None:
    rows(
        "CREATE FUNCTION d.same(x FLOAT64) AS (x = x AND x + 0 = x); CREATE FUNCTION d.q(x FLOAT64) AS ((SELECT x = x))"
    )
    assert rows("SELECT LOGICAL_AND(d.same(RAND()) AND d.q(RAND())) FROM UNNEST(GENERATE_ARRAY(1, 100))") == [(True,)]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT d.twice('a')", "No matching signature for function twice for argument types: STRING"),
        ("SELECT d.twice(1, 2)", "Supported signature: twice(INT64)"),
        ("SELECT d.missing(1)", "Function not found: d.missing"),
        ("SELECT d.twice(a) OVER () FROM d.t", "does not support an OVER clause"),
        ("SELECT * FROM d.nothing(1)", "Table-valued function not found: d.nothing"),
        ("SELECT d.loop(1)", "calls itself"),
        ("SELECT d.out()", "Invalid function out. Analysis error: Unrecognized name: v"),
    ],
)
def test_wrong_call_is_refused(
    rows: Callable[[str], Rows], error: Callable[[str], str], sql: str, message: str
) -> None:
    rows(FUNCTIONS)
    rows("CREATE OR REPLACE FUNCTION d.loop(x INT64) RETURNS INT64 AS (x); SELECT 1")
    rows("CREATE OR REPLACE FUNCTION d.loop(x INT64) RETURNS INT64 AS (d.loop(x)); SELECT 1")
    rows("CREATE TABLE d.k (v INT64); CREATE FUNCTION d.out() AS ((SELECT MAX(v) FROM d.k)); SELECT 1")
    rows("ALTER TABLE d.k RENAME COLUMN v TO w; SELECT 1")
    assert message in error(f"DECLARE v INT64 DEFAULT 1; {sql}")


JAVASCRIPT = """
CREATE TEMP FUNCTION f(n INT64, t STRING, l ARRAY<FLOAT64>, s STRUCT<k STRING, v BOOL>)
RETURNS STRUCT<text STRING, total FLOAT64, big INT64> LANGUAGE js AS r'''
  return {text: t + typeof n + s.k + s.v, total: l.reduce((a, b) => a + b, 0), big: '9007199254740993'};
''';
CREATE TEMP AGGREGATE FUNCTION longest(t STRING) RETURNS STRING LANGUAGE js AS r'''
  export function initialState() { return {best: ''}; }
  export function aggregate(state, t) { if (t && t.length > state.best.length) state.best = t; }
  export function merge(state, other) {}
  export function finalize(state) { return state.best; }
''';
CREATE TEMP FUNCTION fails() RETURNS INT64 LANGUAGE js AS 'throw new Error("boom")';
CREATE TEMP FUNCTION day(d DATE) RETURNS DATE LANGUAGE js AS 'd.setUTCDate(d.getUTCDate() + 1); return d;';
"""


def test_javascript_function_gets_and_gives_values_of_their_types(rows: Callable[[str], Rows]) -> None:
    pytest.importorskip("py_mini_racer")
    call = "SELECT f(1, 'a', [1.5, 2.0], ('k', TRUE)), longest(b), day(DATE '2020-02-29') FROM d.t"
    assert rows(JAVASCRIPT + call) == [(("astringktrue", 3.5, 9007199254740993), "x", date(2020, 3, 1))]


def test_javascript_error_is_the_querys(error: Callable[[str], str]) -> None:
    pytest.importorskip("py_mini_racer")
    assert "boom" in error(JAVASCRIPT + "SELECT fails()")
