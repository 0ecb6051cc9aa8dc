"""tables.py: a CREATE TABLE's shape, whatever its spelling."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud.bigquery import Client

import embedded_bigquery
from deployer.source.lexer import Unreadable
from deployer.sync.tables import Column, Shape, describe, shape_of


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    made = embedded_bigquery.connect(None, project="sid-test")
    made.query_and_wait("CREATE SCHEMA sid; CREATE TABLE sid.u (k INT64, PRIMARY KEY (k) NOT ENFORCED)")
    yield made
    made.close()


COLUMNS = [
    ("a INT64", Column("a", "INT64")),
    ("`a` integer not null", Column("a", "INT64", True)),
    ("a bool", Column("a", "BOOL")),
    ("a STRING(8)", Column("a", "STRING(8)")),
    ("a DECIMAL(10,2)", Column("a", "NUMERIC(10, 2)")),
    ("a RANGE<DATE>", Column("a", "RANGE<DATE>")),
    ("a ARRAY<STRING(3)>", Column("a", "ARRAY<STRING(3)>")),
    (
        "a ARRAY<STRUCT<date DATE NOT NULL OPTIONS (description = 'x'), c STRUCT<d NUMERIC(5)>>>",
        Column(
            "a",
            "ARRAY<STRUCT<date DATE NOT NULL, c STRUCT<d NUMERIC(5)>>>",
            inner="a.date: description = 'x'",
        ),
    ),
    ("a INT64 DEFAULT 1+1", Column("a", "INT64", default="1 + 1")),
    ("a TIMESTAMP DEFAULT current_timestamp()", Column("a", "TIMESTAMP", default="current_timestamp()")),
    ('a STRING DEFAULT "x" NOT NULL', Column("a", "STRING", True, "'x'")),
    (
        "a INT64 OPTIONS (description = 'it\\'s \\\\ \"so\"')",
        Column("a", "INT64", description='it\'s \\ "so"'),
    ),
]


@pytest.mark.parametrize(("text", "expected"), COLUMNS)
def test_column_of_a_file_is_that_of_the_warehouses_ddl(client: Client, text: str, expected: Column) -> None:
    ddl = f"CREATE TABLE IF NOT EXISTS sid.t ({text});"
    assert shape_of(ddl).columns == live(client, ddl).columns == (expected,)


def live(client: Client, ddl: str) -> Shape:
    client.query_and_wait(f"DROP TABLE IF EXISTS sid.t; {ddl}")
    [[found]] = client.query_and_wait("SELECT ddl FROM sid.INFORMATION_SCHEMA.TABLES WHERE table_name = 't'")
    return shape_of(found)


CLAUSES = [
    ("d DATE", "PARTITION BY d", {"partitioning": "d by DAY"}),
    ("d TIMESTAMP", "PARTITION BY DATE(d)", {"partitioning": "d by DAY"}),
    ("d TIMESTAMP", "PARTITION BY TIMESTAMP_TRUNC(d, DAY)", {"partitioning": "d by DAY"}),
    ("d TIMESTAMP", "PARTITION BY TIMESTAMP_TRUNC(d, hour)", {"partitioning": "d by HOUR"}),
    ("d DATE", "PARTITION BY DATE_TRUNC(`d`, MONTH)", {"partitioning": "d by MONTH"}),
    ("d DATE", "PARTITION BY _PARTITIONDATE", {"partitioning": "_PARTITIONTIME by DAY"}),
    ("d DATE", "PARTITION BY DATE(_PARTITIONTIME)", {"partitioning": "_PARTITIONTIME by DAY"}),
    ("d DATE", "PARTITION BY TIMESTAMP_TRUNC(_PARTITIONTIME, MONTH)", {"partitioning": "_PARTITIONTIME by MONTH"}),
    (
        "d INT64",
        "PARTITION BY RANGE_BUCKET(d, GENERATE_ARRAY(0, 100, 10))",
        {"partitioning": "d by 0, 100, 10"},
    ),
    ("d DATE, e STRING", "CLUSTER BY d, `e`", {"clustering": ("d", "e")}),
    (
        "d DATE",
        "OPTIONS (labels = [('a', 'b')], description = \"x\")",
        {"options": (("description", "'x'"), ("labels", "[('a', 'b')]"))},
    ),
    (
        "d DATE",
        "PARTITION BY d OPTIONS (partition_expiration_days = 3.0, require_partition_filter = true)",
        {
            "partitioning": "d by DAY",
            "options": (("partition_expiration_days", "3"), ("require_partition_filter", "TRUE")),
        },
    ),
    ("d INT64, PRIMARY KEY (d) NOT ENFORCED", "", {"keys": ("PRIMARY KEY (d)",)}),
    ("d INT64 PRIMARY KEY NOT ENFORCED", "", {"keys": ("PRIMARY KEY (d)",)}),
    (
        "d INT64, CONSTRAINT fk FOREIGN KEY (d) REFERENCES sid.u(k) NOT ENFORCED",
        "",
        {"keys": ("FOREIGN KEY (d) REFERENCES sid.u (k)",)},
    ),
    ("d INT64 REFERENCES sid.u(k) NOT ENFORCED", "", {"keys": ("FOREIGN KEY (d) REFERENCES sid.u (k)",)}),
]


@pytest.mark.parametrize(("columns", "clause", "expected"), CLAUSES)
def test_clause_of_a_file_is_that_of_the_warehouses_ddl(
    client: Client, columns: str, clause: str, expected: dict[str, object]
) -> None:
    ddl = f"CREATE TABLE sid.t ({columns}) {clause};"
    shape = shape_of(ddl)
    assert shape == live(client, ddl)
    assert {key: getattr(shape, key) for key in ("partitioning", "clustering", "options", "keys")} == {
        "partitioning": "",
        "clustering": (),
        "options": (),
        "keys": (),
        **expected,
    }


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("CREATE TABLE sid.t AS SELECT 1 AS a", 0, "lists no columns"),
        ("CREATE TABLE sid.t LIKE sid.u", 0, "lists no columns"),
        ("CREATE TABLE sid.t (a INT64 b)", 28, "expected , but found b"),
        ("CREATE TABLE sid.t (a INT64", 27, "ends before the statement does"),
        ("CREATE TABLE sid.t (a 'x')", 22, "expected the type of a column"),
    ],
)
def test_shape_refuses_with_the_place(text: str, position: int, message: str) -> None:
    with pytest.raises(Unreadable, match=message) as caught:
        shape_of(text)
    assert caught.value.position == position


def test_shape_is_told_in_lines_for_a_diff() -> None:
    ddl = (
        "CREATE TABLE sid.t (a INT64 NOT NULL, d DATE, PRIMARY KEY (a) NOT ENFORCED) PARTITION BY d CLUSTER BY a "
        "OPTIONS (description = 'x')"
    )
    assert list(describe(shape_of(ddl))) == [
        "a INT64 NOT NULL",
        "d DATE",
        "PARTITION BY d by DAY",
        "CLUSTER BY a",
        "description = 'x'",
        "PRIMARY KEY (a)",
    ]
