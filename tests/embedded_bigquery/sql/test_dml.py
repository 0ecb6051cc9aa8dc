"""DML: what is stored, and what is refused before anything is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.embedded_bigquery.sql.conftest import Rows

AFTER = "; SELECT a, b FROM d.t ORDER BY a, b"
TWO = "(SELECT 1 AS k, 'p' AS v UNION ALL SELECT 1, 'q')"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("DELETE d.t x WHERE x.a = (SELECT MAX(a) FROM d.t)", [(1, "x"), (2, None)]),
        ("DELETE FROM d.t WHERE EXISTS (SELECT 1 FROM d.t AS u WHERE u.a = t.a + 1)", [(3, "x")]),
        ("UPDATE d.t SET b = CAST(a AS STRING), a = a + 1 WHERE b IS NULL", [(1, "x"), (3, "2"), (3, "x")]),
        (
            "UPDATE d.t SET b = (SELECT STRING_AGG(u.b) FROM d.t AS u WHERE u.a <> t.a) WHERE a = 2",
            [(1, "x"), (2, "x,x"), (3, "x")],
        ),
        (
            "UPDATE d.t AS x SET b = y.v FROM d.t z JOIN (SELECT 3 AS k, 'n' AS v) y ON z.a = y.k WHERE x.a = z.a",
            [(1, "x"), (2, None), (3, "n")],
        ),
        ("INSERT d.t (a, b) SELECT 9, 'z' FROM d.t WHERE a = 1", [(1, "x"), (2, None), (3, "x"), (9, "z")]),
        (
            "MERGE d.t AS x USING (SELECT 1 AS k, 'm' AS v UNION ALL SELECT 8, 'i') AS y ON x.a = y.k"
            " WHEN MATCHED AND x.b = 'x' THEN UPDATE SET b = y.v WHEN NOT MATCHED BY SOURCE AND a = 3 THEN DELETE"
            " WHEN NOT MATCHED THEN INSERT (a, b) VALUES (k, v)",
            [(1, "m"), (2, None), (8, "i")],
        ),
        (
            "MERGE d.t USING (SELECT a + 10 AS a, b, s, items FROM d.t WHERE a = 1) ON FALSE"
            " WHEN NOT MATCHED THEN INSERT ROW",
            [(1, "x"), (2, None), (3, "x"), (11, "x")],
        ),
        (
            f"MERGE d.t AS x USING {TWO} AS y ON x.a = y.k WHEN MATCHED AND y.v = 'p' THEN UPDATE SET b = v",
            [(1, "p"), (2, None), (3, "x")],
        ),
        ("TRUNCATE TABLE d.t", []),
    ],
)
def test_statement_changes_the_rows_that_it_says(rows: Callable[[str], Rows], sql: str, expected: Rows) -> None:
    assert rows(sql + AFTER) == expected


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("s.x = 7", (7, ("p",))),
        ("s.y.z = 'n', s.x = s.x + 1", (2, ("n",))),
        ("t.s.y = STRUCT('k')", (1, ("k",))),
        ("s = NULL", None),
    ],
)
def test_update_reaches_into_structs(rows: Callable[[str], Rows], setting: str, expected: object) -> None:
    assert rows(f"UPDATE d.t SET {setting} WHERE a = 1; SELECT s FROM d.t WHERE a = 1") == [(expected,)]


def test_update_of_a_field_of_a_null_struct_makes_the_struct(rows: Callable[[str], Rows]) -> None:
    assert rows("UPDATE d.t SET s.x = 5 WHERE a = 2; SELECT s.x, s.y.z FROM d.t WHERE a = 2") == [(5, None)]


def test_sizes_round_and_defaults_fill(rows: Callable[[str], Rows]) -> None:
    sql = "INSERT d.sized (name, raw, amount, need) VALUES ('abc', b'ab', 1.005, 1); "
    sql += "SELECT CAST(amount AS STRING), made FROM d.sized"
    assert rows(sql) == [("1.01", 7)]
    assert rows(
        "UPDATE d.sized SET made = DEFAULT, amount = 2.499 WHERE TRUE; SELECT CAST(amount AS STRING) FROM d.sized"
    ) == [("2.5",)]
    assert rows(
        "INSERT d.sized VALUES ('x', NULL, NULL, 2, DEFAULT, ['a']); SELECT made FROM d.sized WHERE need = 2"
    ) == [(7,)]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (f"UPDATE d.t SET b = v FROM {TWO} WHERE a = k", "must match at most one source row for each target row"),
        (
            f"MERGE d.t USING {TWO} ON a = k WHEN MATCHED THEN DELETE",
            "must match at most one source row for each target row",
        ),
        (
            "INSERT d.sized (name, need) VALUES ('long', 1)",
            "Field name: STRING(3) has maximum length 3 but got a value with length 4",
        ),
        ("INSERT d.sized (raw, need) VALUES (b'abc', 1)", "Field raw: BYTES(2) has maximum length 2"),
        ("INSERT d.sized (amount, need) VALUES (123.4, 1)", "Field amount: NUMERIC(4, 2) has precision 4 and scale 2"),
        ("INSERT d.sized (tags, need) VALUES (['abc'], 1)", "Field tags: STRING(2) has maximum length 2"),
        ("INSERT d.sized (name) VALUES ('a')", "Missing values for required columns in INSERT: need"),
        ("INSERT d.sized (need) VALUES (NULL)", "Required field need cannot be null"),
        ("INSERT d.t (a, a) VALUES (1, 2)", "INSERT has columns with duplicate name: a at [1:1]"),
        ("INSERT d.t (a, q) VALUES (1, 2)", "Column q is not present in table p:d.t at [1:1]"),
        (
            "INSERT d.t (a) VALUES ('x')",
            "Value has type STRING which cannot be inserted into column a, which has type INT64 at [1:24]",
        ),
        ("INSERT d.t (a) SELECT 1, 2", "Inserted row has wrong column count; Has 2, expected 1 at [1:16]"),
        ("UPDATE d.t SET a = 1", "UPDATE must have a WHERE clause"),
        ("UPDATE d.t SET a = 1, a = 2 WHERE TRUE", "Update item a assigned more than once"),
        ("UPDATE d.t SET s.q = 1 WHERE TRUE", "Field name q does not exist"),
        ("UPDATE d.t SET (DELETE items WHERE TRUE) WHERE TRUE", "not supported: nested DML"),
        ("DELETE d.t WHERE a", "WHERE clause should return type BOOL, but returns INT64 at [1:18]"),
    ],
)
def test_wrong_statement_changes_nothing(
    rows: Callable[[str], Rows], error: Callable[[str], str], sql: str, message: str
) -> None:
    before = rows("SELECT TO_JSON_STRING(t) FROM d.t AS t ORDER BY a")
    assert message in error(sql)
    assert rows("SELECT TO_JSON_STRING(t) FROM d.t AS t ORDER BY a") == before
    assert rows("SELECT COUNT(*) FROM d.sized") == [(0,)]
