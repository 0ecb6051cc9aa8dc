"""Queries: arrays, joins, grouping, windows, PIVOT, set operations and pipes give BigQuery's rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from embedded_bigquery.errors import EngineError
from embedded_bigquery.script.session import Session
from tests.embedded_bigquery.sql.conftest import Rows, opened

N = None
ARRAYS = [
    ("SELECT a, e, o FROM d.t, t.items AS e WITH OFFSET AS o ORDER BY a, o", [(1, 1, 0), (1, 2, 1), (3, 5, 0)]),
    ("SELECT a, e FROM d.t LEFT JOIN UNNEST(items) AS e ORDER BY a, e", [(1, 1), (1, 2), (2, N), (3, 5)]),
    ("SELECT a, e FROM d.t LEFT JOIN UNNEST(items) AS e ON e > 1 ORDER BY a, e", [(1, 2), (2, N), (3, 5)]),
    ("SELECT x, y FROM UNNEST([STRUCT(1 AS x, 'a' AS y), (2, 'b')]) WHERE x > 1", [(2, "b")]),
    ("SELECT k, v FROM (SELECT [STRUCT('q' AS k, [1, 2] AS vs)] AS l) AS t, t.l AS i, i.vs AS v", [("q", 1), ("q", 2)]),
    (
        "SELECT ARRAY(SELECT e * 2 FROM UNNEST(items) AS e ORDER BY e DESC) FROM d.t ORDER BY a",
        [([4, 2],), ([],), ([10],)],
    ),
    ("SELECT a, (SELECT MAX(e) FROM UNNEST(items) AS e) FROM d.t ORDER BY a", [(1, 2), (2, N), (3, 5)]),
    ("SELECT a FROM d.t WHERE 5 IN UNNEST(items)", [(3,)]),
    (
        "SELECT [STRUCT(1 AS n, NULL AS m), (2, 'x')][ORDINAL(2)].m, ARRAY<STRUCT<n INT64>>[STRUCT(4)][OFFSET(0)].n",
        [("x", 4)],
    ),
    ("SELECT IFNULL(s.y.z, '-'), s FROM d.t WHERE a = 2", [("-", N)]),
    ("SELECT [] AS e UNION ALL SELECT ['x'] ORDER BY ARRAY_LENGTH(e)", [([],), (["x"],)]),
]
JOINS = [
    (
        "SELECT * FROM (SELECT 1 AS k, 'a' AS v) FULL JOIN (SELECT 2 AS k, 'b' AS w) USING (k) ORDER BY k",
        [(1, "a", N), (2, N, "b")],
    ),
    ("SELECT x.k, y.k FROM (SELECT 1 AS k) AS x RIGHT JOIN (SELECT 2 AS k) AS y ON x.k = y.k", [(N, 2)]),
    ("SELECT COUNT(*) FROM d.t AS x JOIN d.t AS y USING (b) JOIN d.t AS z USING (b)", [(8,)]),
    ("SELECT t FROM (SELECT 1 AS t, 2 AS u) AS t", [((1, 2),)]),
    ("SELECT t.a FROM d.t AS t WHERE NOT EXISTS (SELECT 1 FROM d.t AS u WHERE u.a > t.a)", [(3,)]),
    ("WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 4) SELECT SUM(i) FROM n", [(10,)]),
    ("WITH RECURSIVE x AS (SELECT i + 1 FROM y), y AS (SELECT 1 AS i) SELECT * FROM x", [(2,)]),
]
GROUPS = [
    ("SELECT b, SUM(a) AS n FROM d.t GROUP BY ROLLUP (b) ORDER BY n, b", [(N, 2), ("x", 4), (N, 6)]),
    ("SELECT b, COUNT(*) FROM d.t GROUP BY GROUPING SETS (b, ()) ORDER BY 2, 1", [(N, 1), ("x", 2), (N, 3)]),
    ("SELECT b, GROUPING(b) FROM d.t GROUP BY CUBE (b) ORDER BY 2, 1", [(N, 0), ("x", 0), (N, 1)]),
    ("SELECT UPPER(b) AS b, COUNT(*) FROM d.t WHERE b IS NOT NULL GROUP BY b", [("X", 2)]),
    ("SELECT COUNT(*) FROM d.t GROUP BY ()", [(3,)]),
    ("SELECT b, SUM(COUNT(*)) OVER () FROM d.t GROUP BY b ORDER BY b", [(N, 3), ("x", 3)]),
    (
        "SELECT a FROM d.t WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY b ORDER BY a DESC) = 1 ORDER BY a",
        [(2,), (3,)],
    ),
    ("SELECT SUM(a) OVER (w ROWS 1 PRECEDING) FROM d.t WINDOW w AS (ORDER BY a) ORDER BY a", [(1,), (3,), (5,)]),
    (
        "SELECT v FROM UNNEST([2.0, CAST('nan' AS FLOAT64), NULL]) AS v WHERE v IS NULL OR v > 1 ORDER BY v",
        [(N,), (2.0,)],
    ),
]
PIVOTS = [
    (
        "SELECT * FROM (SELECT a, b FROM d.t) PIVOT (SUM(a) AS s, COUNT(*) AS n FOR b IN ('x', NULL AS none))",
        [(4, 2, 2, 1)],
    ),
    (
        "SELECT * FROM (SELECT 1 AS p, 2 AS q, NULL AS r) UNPIVOT (v FOR k IN (p, q AS 'two', r)) ORDER BY v",
        [(1, "p"), (2, "two")],
    ),
    (
        "SELECT * FROM (SELECT 1 AS p, NULL AS r) UNPIVOT INCLUDE NULLS (v FOR k IN (p, r)) ORDER BY k",
        [(1, "p"), (N, "r")],
    ),
]
SETS = [
    ("SELECT 1 AS a, 'x' AS b UNION ALL BY NAME SELECT 'y' AS b, 2 AS a ORDER BY a", [(1, "x"), (2, "y")]),
    ("SELECT 1 AS a FULL UNION ALL BY NAME SELECT 2 AS b ORDER BY a", [(N, 2), (1, N)]),
    ("SELECT 1 AS a, 9 AS c UNION ALL CORRESPONDING SELECT 5 AS b, 2 AS a ORDER BY a", [(1,), (2,)]),
    ("SELECT NUMERIC '1.5' AS n UNION ALL SELECT 0.1 ORDER BY n", [(Decimal("0.1"),), (Decimal("1.5"),)]),
    ("SELECT a FROM d.t EXCEPT DISTINCT (SELECT 1 UNION ALL SELECT 2)", [(3,)]),
]
PIPES = [
    ("FROM d.t |> WHERE a > 1 |> EXTEND a * 2 AS c |> SELECT a, c |> ORDER BY a DESC", [(3, 6), (2, 4)]),
    ("FROM d.t |> AGGREGATE SUM(a) AS n, COUNT(*) GROUP BY b |> WHERE n > 2", [("x", 4, 2)]),
    ("FROM d.t |> AGGREGATE COUNT(*) AS n GROUP AND ORDER BY b DESC", [("x", 2), (N, 1)]),
    ("FROM d.t AS l |> SET a = 0 |> WHERE l.a = 3 |> SELECT a", [(0,)]),
    ("FROM d.t AS l |> JOIN (SELECT 3 AS a, 'q' AS w) AS r USING (a) |> SELECT l.a, r.w", [(3, "q")]),
    ("SELECT 1 AS k |> UNION ALL (SELECT 2), (SELECT 3) |> RENAME k AS z |> LIMIT 2 |> AGGREGATE MAX(z)", [(2,)]),
    ("FROM d.t |> CROSS JOIN UNNEST(items) AS e |> DROP s, items |> AS u |> SELECT u.a, e |> ORDER BY e LIMIT 1", N),
    ("FROM (SELECT 'x' AS k, 1 AS v) |> PIVOT (SUM(v) FOR k IN ('x', 'y'))", [(1, N)]),
    ("SELECT (FROM d.t |> AGGREGATE MAX(a))", [(3,)]),
]


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    yield from opened()


@pytest.mark.parametrize(("sql", "expected"), ARRAYS + JOINS + GROUPS + PIVOTS + SETS)
def test_query_gives_bigquerys_rows(rows: Callable[[str], Rows], sql: str, expected: Rows) -> None:
    assert rows(sql) == expected


@pytest.mark.parametrize(("sql", "expected"), [case for case in PIPES if case[1] is not None])
def test_pipe_operators_follow_each_other(rows: Callable[[str], Rows], sql: str, expected: Rows) -> None:
    assert rows(sql) == expected


def test_repeated_names_are_told_apart_in_the_answer(session: object) -> None:
    from embedded_bigquery.script.interpreter import run

    outcome = run("SELECT 1 AS a, 2 AS A, 3", session, {}, lambda child: None)  # type: ignore[arg-type]
    assert [field.name for field in outcome.fields] == ["a", "A_1", "f0_"]


def test_wildcard_reads_all_tables_with_their_suffix(rows: Callable[[str], Rows]) -> None:
    made = "CREATE TABLE d.log_1 AS SELECT 1 AS n; CREATE TABLE d.log_2 AS SELECT 2 AS n; "
    assert rows(made + "SELECT n, _TABLE_SUFFIX FROM `d.log_*` WHERE _TABLE_SUFFIX > '1'") == [(2, "2")]


def test_sessions_of_ranges_that_meet(rows: Callable[[str], Rows]) -> None:
    ranges = (
        "SELECT RANGE<DATE> '[2020-01-01, 2020-01-03)' AS r UNION ALL SELECT RANGE<DATE> '[2020-01-03, 2020-01-05)'"
    )
    sql = "SELECT COUNT(DISTINCT RANGE_START(session_range)) FROM RANGE_SESSIONIZE(({}), 'r', [] {})"
    assert rows(sql.format(ranges, "")) == [(1,)]
    assert rows(sql.format(ranges, ", 'OVERLAPS'")) == [(2,)]


def test_literals_of_structs_take_the_type_of_what_they_stand_beside(rows: Callable[[str], Rows]) -> None:
    sql = "SELECT ARRAY_CONCAT(r, [('n', 3)]), r = [('z', 1)] FROM (SELECT [STRUCT('z' AS k, 1.5 AS v)] AS r)"
    assert rows(sql) == [([("z", 1.5), ("n", 3.0)], False)]


def test_sample_is_a_part_of_the_rows(rows: Callable[[str], Rows]) -> None:
    rows("CREATE TABLE d.many AS SELECT x FROM UNNEST(GENERATE_ARRAY(1, 5000)) AS x; SELECT 1")
    assert rows("SELECT COUNT(*) BETWEEN 1 AND 2500 FROM d.many TABLESAMPLE SYSTEM (10 PERCENT)") == [(True,)]


def test_ingestion_time_is_a_column_that_star_leaves_out(rows: Callable[[str], Rows]) -> None:
    rows("CREATE TABLE d.ing (a INT64) PARTITION BY _PARTITIONDATE; SELECT 1")
    rows("INSERT d.ing (_PARTITIONTIME, a) VALUES (TIMESTAMP '2020-01-01', 5); SELECT 1")
    assert rows("SELECT *, FORMAT_DATE('%F', _PARTITIONDATE) FROM d.ing") == [(5, "2020-01-01")]


def test_partition_filter_that_a_table_requires(rows: Callable[[str], Rows]) -> None:
    made = "CREATE TABLE d.p (a INT64, day DATE) PARTITION BY day OPTIONS (require_partition_filter = TRUE); "
    rows(made + "INSERT d.p VALUES (1, '2020-01-01'); SELECT 1")
    assert rows("SELECT a FROM d.p WHERE day = '2020-01-01'") == [(1,)]
    for sql in ("SELECT a FROM d.p", "DELETE d.p WHERE a = 1"):
        with pytest.raises(EngineError, match=r"Cannot query over table 'p\.d\.p' without a filter over column"):
            rows(sql)
