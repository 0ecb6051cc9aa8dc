"""Statements that BigQuery refuses are refused here, in its words and at their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from embedded_bigquery.script.session import Session
from tests.embedded_bigquery.sql.conftest import opened


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    yield from opened()


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT itms FROM d.t", "Unrecognized name: itms; Did you mean items? at [1:8]"),
        ("SELECT nothing FROM d.t", "Unrecognized name: nothing at [1:8]"),
        (
            "SELECT b, SUM(a) FROM d.t",
            "SELECT list expression references column b which is neither grouped nor aggregated at [1:8]",
        ),
        ("SELECT * FROM d.t GROUP BY a", "Star expansion expression references column b which is neither grouped"),
        ("SELECT b FROM d.t GROUP BY b ORDER BY a", "ORDER BY clause expression references column a which is neither"),
        ("SELECT b FROM d.t GROUP BY b HAVING a > 1", "HAVING clause expression references column a which is neither"),
        ("SELECT a FROM d.t WHERE SUM(a) > 1", "Aggregate function SUM not allowed in WHERE clause at [1:25]"),
        ("SELECT SUM(SUM(a)) FROM d.t", "Aggregations of aggregations are not allowed at [1:12]"),
        ("SELECT SUM(a) AS a FROM d.t HAVING SUM(a) > 1", "Aggregations of aggregations are not allowed at [1:40]"),
        ("SELECT a FROM d.t GROUP BY COUNT(*)", "Aggregate function COUNT not allowed in GROUP BY clause"),
        ("SELECT COUNT(*)", "Aggregate function COUNT not allowed in SELECT without FROM clause"),
        ("SELECT a FROM d.t WHERE RANK() OVER (ORDER BY a) = 1", "Analytic function not allowed in WHERE clause"),
        (
            "SELECT SUM(RANK() OVER (ORDER BY a)) FROM d.t",
            "Analytic functions cannot be arguments to aggregate functions",
        ),
        ("SELECT RANK() OVER () FROM d.t", "Window ORDER BY is required for analytic function rank"),
        ("SELECT a FROM d.t AS x, d.t AS x", "Duplicate table alias x in the same FROM clause at [1:25]"),
        ("SELECT a FROM d.t AS x, d.t AS y", "Column name a is ambiguous at [1:8]"),
        ("SELECT a, b AS a FROM d.t ORDER BY a", "Column name a is ambiguous at [1:36]"),
        ("SELECT 1 < 'a'", "No matching signature for operator < for argument types: INT64, STRING"),
        ("SELECT DATE '2020-01-01' = 'x'", 'Could not cast literal "x" to type DATE at [1:28]'),
        ("SELECT IF(1, 2, 3)", "No matching signature for function IF"),
        ("SELECT [1, 'a']", "Array elements of types {INT64, STRING} do not have a common supertype at [1:8]"),
        ("SELECT 1 UNION ALL SELECT 'a'", "Column 1 in UNION ALL has incompatible types: INT64, STRING"),
        (
            "SELECT 1 UNION ALL SELECT 1, 2",
            "Queries in UNION ALL have mismatched column count; query 1 has 1 column, query 2 has 2 columns",
        ),
        (
            "SELECT 1 UNION ALL SELECT 1 UNION DISTINCT SELECT 2",
            "Different set operations cannot be used in the same query",
        ),
        ("SELECT a FROM d.t ORDER BY 3", "ORDER BY is out of SELECT column number range: 3 at [1:28]"),
        ("SELECT a FROM d.t GROUP BY 3", "GROUP BY is out of SELECT column number range: 3 at [1:28]"),
        ("SELECT * EXCEPT (q) FROM d.t", "Column q in SELECT * EXCEPT list does not exist at [1:8]"),
        ("SELECT s.q FROM d.t", "Field name q does not exist in STRUCT<x INT64, y STRUCT<z STRING>> at [1:8]"),
        ("SELECT x FROM UNNEST(1) AS x", "Values referenced in UNNEST must be arrays"),
        ("SELECT (SELECT 1, 2)", "Scalar subquery cannot have more than one column"),
        ("SELECT (SELECT a FROM d.t)", "Scalar subquery produced more than one element"),
        ("SELECT [1][OFFSET(3)]", "Array index 3 is out of bounds"),
        ("SELECT 1 / (SELECT 0)", "division by zero: 1 / 0"),
        ("SELECT 9223372036854775807 + 1", "Integer Overflow"),
        ("SELECT * FROM d.t AS x JOIN d.t AS y", "INNER JOIN must have an immediately following ON or USING clause"),
        ("SELECT 1 FROM d.t JOIN (SELECT 1 AS q) USING (q)", "Column q in USING clause not found on left side of join"),
        ("SELECT s FROM d.t ORDER BY s", "ORDER BY does not support expressions of type STRUCT"),
        (
            "SELECT a FROM d.t FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()",
            "not supported: FOR SYSTEM_TIME AS OF at [1:15]",
        ),
    ],
)
def test_query_is_refused_in_bigquerys_words(error: Callable[[str], str], sql: str, message: str) -> None:
    assert message in error(sql)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT (1", 'Syntax error: Expected ")" but got end of script at [1:10]'),
        ("SELECT FROM d.t", "Syntax error: Unexpected keyword FROM at [1:8]"),
        ("SELECT\n  1 +\n  * 2", 'Syntax error: Unexpected "*" at [3:3]'),
        ("SELECT a b c FROM d.t", 'Syntax error: Expected end of input but got identifier "c" at [1:12]'),
        ("SELECT CAST(1 AS NOPE)", "Type not found: NOPE at [1:18]"),
        ("SELECT '\\q'", "Syntax error: Illegal escape sequence: \\q at [1:8]"),
        ("SELECT * FROM d.t WHERE", "Syntax error: Unexpected end of script"),
        ("SELECT 1 = 1 = 1", "Syntax error"),
    ],
)
def test_syntax_error_says_where(error: Callable[[str], str], sql: str, message: str) -> None:
    assert message in error(sql)
