"""alter.py: what can be altered without loss, and that the embedded engine ends with the table that the file says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud.bigquery import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import embedded_bigquery
from deployer.sync.alter import alteration, copy_script, is_wider, statements
from deployer.sync.tables import Column, Shape, shape_of

A, B, C = Column("a", "INT64"), Column("b", "STRING"), Column("c", "DATE", description="it's")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    made = embedded_bigquery.connect(None, project="sid-test")
    made.query_and_wait("CREATE SCHEMA sid")
    yield made
    made.close()


def live_shape(client: Client) -> Shape:
    [[ddl]] = client.query_and_wait("SELECT ddl FROM sid.INFORMATION_SCHEMA.TABLES WHERE table_name = 't'")
    return shape_of(ddl)


def make(client: Client, ddl: str, *rows: str) -> Shape:
    client.query_and_wait("DROP TABLE IF EXISTS sid.t")
    client.query_and_wait(ddl)
    for row in rows:
        client.query_and_wait(f"INSERT INTO sid.t VALUES ({row})")
    return live_shape(client)


LOSSLESS = [
    ("a INT64", "", "a INT64, b STRING, c DATE OPTIONS (description = 'it\\'s')", ""),
    ("a INT64", "", "a INT64, b STRING DEFAULT 'x'", ""),
    ("a INT64 NOT NULL", "", "a INT64", ""),
    ("a INT64", "", "a NUMERIC", ""),
    ("a STRING(5)", "", "a STRING(9)", ""),
    ("a STRING(5)", "", "a STRING", ""),
    ("a NUMERIC(10, 2)", "", "a NUMERIC(12, 3)", ""),
    ("a INT64 DEFAULT 1", "", "a INT64 DEFAULT 2", ""),
    ("a INT64 DEFAULT 1", "", "a INT64", ""),
    ("a INT64 OPTIONS (description = 'x')", "", "a INT64 OPTIONS (description = 'y')", ""),
    ("a INT64 OPTIONS (description = 'x')", "", "a INT64", ""),
    ("a INT64", "", "a INT64", "OPTIONS (description = 'all', labels = [('b', 'c')])"),
    ("a INT64", "OPTIONS (description = 'all', labels = [('b', 'c')])", "a INT64", ""),
    ("a DATE", "PARTITION BY a", "a DATE", "PARTITION BY a OPTIONS (require_partition_filter = TRUE)"),
    (
        "a DATE",
        "PARTITION BY a OPTIONS (partition_expiration_days = 3)",
        "a DATE",
        "PARTITION BY a OPTIONS (partition_expiration_days = 30)",
    ),
]


@pytest.mark.parametrize(("columns", "rest", "new_columns", "new_rest"), LOSSLESS)
def test_what_loses_nothing_becomes_alter_and_gives_the_files_table(
    client: Client, columns: str, rest: str, new_columns: str, new_rest: str
) -> None:
    live = make(client, f"CREATE TABLE sid.t ({columns}) {rest}")
    wanted = shape_of(f"CREATE TABLE sid.t ({new_columns}) {new_rest}")
    change = alteration(wanted, live)
    assert change.differences and not change.refusals and not change.needs_copy
    client.query_and_wait(statements("sid.t", change))
    assert live_shape(client) == wanted


COSTLY = [
    ("a INT64", "", "a STRING", "", "not every value fits"),
    ("a INT64", "", "a FLOAT64", "", "not every value fits"),
    ("a STRING", "", "a STRING(5)", "", "not every value fits"),
    ("a INT64", "", "a INT64 NOT NULL", "", "never tightened"),
    ("a INT64, b STRING", "", "a INT64", "", "its values would be lost"),
    ("a INT64, b STRING", "", "b STRING, a INT64", "", "new columns can stand at the end alone"),
    ("a INT64, b STRING", "", "a INT64, c DATE, b STRING", "", "new columns can stand at the end alone"),
    ("a STRUCT<b INT64>", "", "a STRUCT<b INT64, c INT64>", "", "only a copy of the table can have it"),
    ("a DATE", "", "a DATE", "PARTITION BY a", "only a copy of the table can have it"),
    ("a DATE", "", "a DATE", "CLUSTER BY a", "only a copy of the table can have it"),
    (
        "a DATE",
        "PARTITION BY a",
        "a DATE",
        "PARTITION BY a OPTIONS (partition_expiration_days = 3)",
        "what is older would be deleted",
    ),
]


@pytest.mark.parametrize(("columns", "rest", "new_columns", "new_rest", "hint"), COSTLY)
def test_what_costs_something_is_refused_with_a_hint(
    columns: str, rest: str, new_columns: str, new_rest: str, hint: str
) -> None:
    live = shape_of(f"CREATE TABLE sid.t ({columns}) {rest}")
    change = alteration(shape_of(f"CREATE TABLE sid.t ({new_columns}) {new_rest}"), live)
    assert hint in "; ".join(change.refusals)


def test_new_column_that_is_required_is_refused() -> None:
    [refusal] = alteration(Shape((A, Column("b", "INT64", True))), Shape((A,))).refusals
    assert "the rows that are there have no value for it" in refusal


@pytest.mark.parametrize(
    ("ddl", "new_ddl", "kept"),
    [
        ("(a INT64, b STRING)", "(b STRING, a INT64)", [("x", 1), ("y", 2)]),
        ("(a INT64, b STRING)", "(a STRING, c DATE)", [("1", None), ("2", None)]),
        ("(a INT64, b STRING)", "(a INT64, b STRING) CLUSTER BY a", [(1, "x"), (2, "y")]),
        (
            "(a INT64, b STRING) PARTITION BY RANGE_BUCKET(a, GENERATE_ARRAY(0, 9, 1)) "
            "OPTIONS (require_partition_filter = TRUE)",
            "(a INT64, b STRING DEFAULT 'z')",
            [(1, "x"), (2, "y")],
        ),
    ],
)
def test_copy_gives_the_files_table_and_keeps_the_rows(
    client: Client, ddl: str, new_ddl: str, kept: list[tuple[object, ...]]
) -> None:
    live = make(client, f"CREATE TABLE sid.t {ddl}", "1, 'x'", "2, 'y'")
    text = f"CREATE TABLE IF NOT EXISTS sid.t {new_ddl};\n-- the end\n"
    client.query_and_wait(copy_script(text, shape_of(text), live))
    assert live_shape(client) == shape_of(text)
    rows = [row.values() for row in client.query_and_wait("SELECT * FROM sid.t")]
    assert sorted(map(str, rows)) == sorted(map(str, kept))


def test_copy_that_fails_leaves_the_table_as_it_was(client: Client) -> None:
    live = make(client, "CREATE TABLE sid.t (a STRING)", "'no number'")
    text = "CREATE TABLE sid.t (a INT64)"
    with pytest.raises(Exception, match="no number"):
        client.query_and_wait(copy_script(text, shape_of(text), live))
    assert live_shape(client) == live
    assert [row.values() for row in client.query_and_wait("SELECT * FROM sid.t")] == [("no number",)]


@pytest.mark.parametrize(
    ("wanted", "live", "expected"),
    [
        ("BIGNUMERIC", "NUMERIC", True),
        ("NUMERIC(12, 4)", "NUMERIC(10, 2)", True),
        ("NUMERIC(11, 4)", "NUMERIC(10, 2)", False),
        ("NUMERIC", "NUMERIC(10, 2)", True),
        ("NUMERIC(10, 2)", "NUMERIC", False),
        ("BYTES(4)", "STRING(3)", False),
        ("INT64", "NUMERIC", False),
    ],
)
def test_is_wider(wanted: str, live: str, expected: bool) -> None:
    assert is_wider(wanted, live) is expected


columns = st.builds(
    Column,
    st.sampled_from("abc"),
    st.sampled_from(["INT64", "NUMERIC", "STRING", "STRING(5)", "STRUCT<x INT64>"]),
    st.booleans(),
    st.sampled_from(["", "NULL"]),
    st.sampled_from(["", "x"]),
)
shapes = st.builds(
    Shape,
    st.lists(columns, min_size=1, max_size=3, unique_by=lambda column: column.name).map(tuple),
    options=st.sampled_from([(), (("description", "'x'"),)]),
)


def ddl_of(shape: Shape) -> str:
    inside = ", ".join(f"{column.name} {column}" for column in shape.columns)
    options = ", ".join(f"{name} = {value}" for name, value in shape.options)
    return f"CREATE TABLE sid.t ({inside}) OPTIONS ({options})"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(shapes, shapes)
def test_an_alteration_is_refused_or_leads_to_the_wanted_table(client: Client, wanted: Shape, found: Shape) -> None:
    live = make(client, ddl_of(found))
    assert live == found
    change = alteration(wanted, live)
    assert (change.differences == ()) == (wanted == found)
    if change.differences and not change.refusals:
        client.query_and_wait(statements("sid.t", change))
        assert live_shape(client) == wanted
