"""translate(): a statement's rows on DuckDB, its columns' names and types, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from embedded_bigquery.duck import Connection, Database, execute, fetch
from embedded_bigquery.errors import EngineError
from embedded_bigquery.sql.environment import Relation, Routine, TablePath
from embedded_bigquery.sql.translate import translate
from embedded_bigquery.types import DATE, INT64, STRING, Field, Type, array_of, struct_of

FIELDS = (
    Field("a", INT64),
    Field("b", STRING),
    Field("day", DATE),
    Field("items", array_of(INT64)),
    Field("s", struct_of(("x", INT64), ("y", STRING))),
)
TABLE = Relation(TablePath("p", "d", "t"), FIELDS, '"d"."t"')


@dataclass
class Names:
    """One table d.t, the variables v and a, and one parameter."""

    project: str = "p"
    default_dataset: str | None = None
    location: str = "EU"
    time_zone: str = "UTC"
    values: dict[str | int, Any] = field(
        default_factory=lambda: {"v": 10, "a": 99, "p": date(2020, 1, 1), 0: 7, "row_count": 3}
    )

    def relation(self, parts: tuple[str, ...]) -> Relation | None:
        return TABLE if parts[-2:] == ("d", "t") else None

    def routine(self, parts: tuple[str, ...]) -> Routine | None:
        return None

    def variable(self, name: str) -> Type | None:
        return INT64 if name.lower() in ("v", "a") else None

    def system_variable(self, name: str) -> Type | None:
        return INT64 if name == "row_count" else None

    def parameter(self, name: str | int) -> Type | None:
        return {"p": DATE, 0: INT64}.get(name)


@pytest.fixture
def connection() -> Connection:
    made = Database().cursor()
    execute(made, "CREATE SCHEMA d")
    columns = ", ".join(f'"{f.name}" {f.type.duckdb()}' for f in FIELDS)
    execute(made, f"CREATE TABLE d.t ({columns})")
    execute(
        made,
        "INSERT INTO d.t VALUES (1, 'x', '2020-01-01', [1, 2], {'x': 1, 'y': 'q'}), (2, NULL, '2020-01-02', [], NULL)",
    )
    return made


def run(connection: Connection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    names = Names()
    made = translate(sql, names)
    rows = fetch(execute(connection, made.duckdb_sql, [names.values[bind.name] for bind in made.binds]))
    return [f"{column.name} {column.type}" for column in made.fields], rows


@pytest.mark.parametrize(
    ("sql", "columns", "rows"),
    [
        ("SELECT 1, 'x' AS s, 1 / 2", ["f0_ INT64", "s STRING", "f1_ FLOAT64"], [(1, "x", 0.5)]),
        ("SELECT NUMERIC '1.5' * 2 AS n", ["n NUMERIC"], [(Decimal(3),)]),
        ("SELECT a, a + v AS w FROM d.t ORDER BY b", ["a INT64", "w INT64"], [(2, 12), (1, 11)]),
        ("SELECT a FROM d.t WHERE a = a ORDER BY a", ["a INT64"], [(1,), (2,)]),
        ("SELECT a", ["a INT64"], [(99,)]),
        ("SELECT * EXCEPT (items, s) FROM d.t WHERE day = '2020-01-01'", None, [(1, "x", date(2020, 1, 1))]),
        ("SELECT t.a, x, o FROM d.t AS t, UNNEST(t.items) AS x WITH OFFSET AS o", None, [(1, 1, 0), (1, 2, 1)]),
        ("SELECT t.a, x FROM d.t AS t, t.items AS x", None, [(1, 1), (1, 2)]),
        ("SELECT t.a, x FROM d.t AS t LEFT JOIN UNNEST(t.items) AS x ORDER BY 1, 2", None, [(1, 1), (1, 2), (2, None)]),
        ("SELECT COUNT(*) AS n, SUM(a) AS s, day FROM d.t GROUP BY day HAVING n > 0 ORDER BY n DESC, day", None,
         [(1, 1, date(2020, 1, 1)), (1, 2, date(2020, 1, 2))]),
        ("SELECT a FROM d.t QUALIFY ROW_NUMBER() OVER (ORDER BY a DESC) = 1", None, [(2,)]),
        ("WITH q AS (SELECT a, s.y FROM d.t) SELECT q.*, (SELECT MAX(a) FROM d.t) AS m"
         " FROM q JOIN q AS r USING (a) ORDER BY a",
         ["a INT64", "y STRING", "m INT64"], [(1, "q", 2), (2, None, 2)]),
        ("SELECT a FROM d.t UNION ALL SELECT 2.5 ORDER BY a DESC", ["a FLOAT64"], [(2.5,), (2.0,), (1.0,)]),
        ("SELECT AS STRUCT a, b FROM d.t WHERE a = 1", ["a INT64", "b STRING"], [(1, "x")]),
        ("SELECT ARRAY(SELECT a FROM d.t ORDER BY a DESC) AS l", ["l ARRAY<INT64>"], [([2, 1],)]),
        ("SELECT a FROM d.t WHERE EXISTS (SELECT 1 FROM UNNEST(items) AS e WHERE e = t.a)", None, [(1,)]),
        ("SELECT x FROM UNNEST(GENERATE_DATE_ARRAY(@p, DATE_ADD(@p, INTERVAL 1 DAY))) AS x", ["x DATE"],
         [(date(2020, 1, 1),), (date(2020, 1, 2),)]),
        ("SELECT ?, @@row_count", ["f0_ INT64", "f1_ INT64"], [(7, 3)]),
        ("SELECT CASE a WHEN 1 THEN 'one' END AS c, a IN (1, 3) AS i FROM d.t ORDER BY a", ["c STRING", "i BOOL"],
         [("one", True), (None, False)]),
        ("SELECT items[OFFSET(0)] AS i FROM d.t WHERE a = 1", ["i INT64"], [(1,)]),
    ],
)  # fmt: skip
def test_query_gives_bigquerys_rows_names_and_types(
    connection: Connection, sql: str, columns: list[str] | None, rows: list[tuple[Any, ...]]
) -> None:
    found = run(connection, sql)
    assert found[1] == rows
    assert columns is None or found[0] == columns


@pytest.mark.parametrize(
    ("sql", "changed", "after"),
    [
        ("INSERT INTO d.t (a, b) VALUES (5, 'z')", 1, [(1, "x"), (2, None), (5, "z")]),
        ("INSERT INTO d.t (a, day) SELECT 7, '2020-05-05'", 1, [(1, "x"), (2, None), (7, None)]),
        ("UPDATE d.t SET b = 'k' WHERE a = 2", 1, [(1, "x"), (2, "k")]),
        ("UPDATE d.t AS t SET t.b = u.n FROM (SELECT 1 AS k, 'j' AS n) AS u WHERE t.a = u.k", 1, [(1, "j"), (2, None)]),
        ("DELETE FROM d.t WHERE a = 1", 1, [(2, None)]),
        ("TRUNCATE TABLE d.t", 2, []),
        (
            "MERGE d.t AS x USING (SELECT 2 AS k UNION ALL SELECT 9) AS y ON x.a = y.k "
            "WHEN MATCHED THEN UPDATE SET b = 'm' WHEN NOT MATCHED THEN INSERT (a, b) VALUES (y.k, 'n') "
            "WHEN NOT MATCHED BY SOURCE THEN DELETE",
            3,
            [(2, "m"), (9, "n")],
        ),
    ],
)
def test_dml_changes_the_rows_that_it_says(
    connection: Connection, sql: str, changed: int, after: list[tuple[Any, ...]]
) -> None:
    told = run(connection, sql)[1]
    assert told == [(changed,)] if not sql.startswith("MERGE") else len(told) == changed  # an action for each row
    assert fetch(execute(connection, "SELECT a, b FROM d.t ORDER BY a")) == after


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT zz FROM d.t", "Unrecognized name: zz at [1:8]"),
        ("SELECT t.zz FROM d.t AS t", "Name zz not found inside t at [1:8]"),
        ("SELECT 1 FROM d.u", "Not found: Table p:d.u was not found in location EU"),
        ("SELECT 1 FROM u", 'Table "u" must be qualified with a dataset (e.g. dataset.table). at [1:15]'),
        ("SELECT a FROM d.t AS x, d.t AS y", "Column name a is ambiguous at [1:8]"),
        ("SELECT NOSUCH(1)", "Function not found: NOSUCH at [1:8]"),
        ("DELETE FROM d.t", "DELETE must have a WHERE clause"),
        ("INSERT INTO d.t (a) VALUES (1, 2)", "Inserted row has wrong column count; Has 2, expected 1"),
        ("INSERT INTO d.t (a) SELECT 'x' || b FROM d.t", "which cannot be inserted into column a"),
        ("SELECT 1 UNION ALL SELECT 1, 2", "mismatched column count"),
        ("SELECT (SELECT 1, 2)", "Scalar subquery cannot have more than one column"),
    ],
)
def test_wrong_statement_is_refused_in_bigquerys_words(sql: str, message: str) -> None:
    with pytest.raises(EngineError) as caught:
        translate(sql, Names())
    assert message in caught.value.message
