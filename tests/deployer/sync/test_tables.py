"""tables.py: a table by its file, by the API, and what lies between the two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.cloud.bigquery import Table
from hypothesis import given
from hypothesis import strategies as st

from deployer.errors import SourceError
from deployer.source import Name, SqlObject
from deployer.sync.definitions import Definition
from deployer.sync.tables import (
    Column,
    Shape,
    add_columns,
    differences,
    new_columns,
    shape_of_definition,
    shape_of_table,
)


def definition(text: str) -> Definition:
    name = Name("sid", "t")
    return Definition(SqlObject(name, "TABLE", Path("sql/sid/tables/t.sql"), text, ()), name, text, "", {"sid": "sid"})


def declared(text: str) -> Shape:
    return shape_of_definition(definition(text))


def live(*fields: dict[str, Any], **resource: Any) -> Shape:
    reference = {"projectId": "p", "datasetId": "sid", "tableId": "t"}
    return shape_of_table(
        Table.from_api_repr({"tableReference": reference, "schema": {"fields": list(fields)}, **resource})
    )


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("a INT64", {"name": "a", "type": "INTEGER"}),
        ("a INTEGER NOT NULL", {"name": "a", "type": "INTEGER", "mode": "REQUIRED"}),
        ("a FLOAT64", {"name": "a", "type": "FLOAT", "mode": "NULLABLE"}),
        ("a bool", {"name": "a", "type": "BOOLEAN"}),
        ("a STRING(8)", {"name": "a", "type": "STRING", "maxLength": "8"}),
        ("a NUMERIC(10, 2)", {"name": "a", "type": "NUMERIC", "precision": "10", "scale": "2"}),
        ("a DECIMAL", {"name": "a", "type": "NUMERIC"}),
        ("a BIGNUMERIC", {"name": "a", "type": "BIGNUMERIC"}),
        ("a TIMESTAMP", {"name": "a", "type": "TIMESTAMP"}),
        ("a DATETIME", {"name": "a", "type": "DATETIME"}),
        ("a JSON", {"name": "a", "type": "JSON"}),
        ("a RANGE<DATE>", {"name": "a", "type": "RANGE", "rangeElementType": {"type": "DATE"}}),
        ("a ARRAY<STRING>", {"name": "a", "type": "STRING", "mode": "REPEATED"}),
        (
            "a ARRAY<STRUCT<b INT64 NOT NULL OPTIONS (description = 'x'), c STRUCT<d DATE>>>",
            {
                "name": "a",
                "type": "RECORD",
                "mode": "REPEATED",
                "fields": [
                    {"name": "b", "type": "INTEGER", "mode": "REQUIRED"},
                    {"name": "c", "type": "RECORD", "fields": [{"name": "d", "type": "DATE"}]},
                ],
            },
        ),
        ("a INT64 DEFAULT 1+1", {"name": "a", "type": "INTEGER", "defaultValueExpression": "1 + 1"}),
        (
            "a INT64 OPTIONS (description = 'it''s \\\\ \"so\"')".replace("''", "\\'"),
            {"name": "a", "type": "INTEGER", "description": 'it\'s \\ "so"'},
        ),
    ],
)
def test_column_of_file_equals_the_apis_field(column: str, field: dict[str, Any]) -> None:
    assert declared(f"CREATE TABLE sid.t ({column});").columns == live(field).columns


def day(field: str | None, unit: str = "DAY") -> dict[str, Any]:
    return {"timePartitioning": {"type": unit} | ({"field": field} if field else {})}


@pytest.mark.parametrize(
    ("clause", "resource"),
    [
        ("", {}),
        ("PARTITION BY d", day("d")),
        ("PARTITION BY DATE(d)", day("d")),
        ("PARTITION BY TIMESTAMP_TRUNC(d, HOUR)", day("d", "HOUR")),
        ("PARTITION BY DATE_TRUNC(d, MONTH)", day("d", "MONTH")),
        ("PARTITION BY _PARTITIONDATE", day(None)),
        ("PARTITION BY DATE(_PARTITIONTIME)", day(None)),
        (
            "PARTITION BY RANGE_BUCKET(d, GENERATE_ARRAY(0, 100, 10))",
            {"rangePartitioning": {"field": "d", "range": {"start": "0", "end": "100", "interval": "10"}}},
        ),
        ("CLUSTER BY d, e", {"clustering": {"fields": ["d", "e"]}}),
        ("OPTIONS (description = 'x', labels = [('a', 'b')])", {"description": "x", "labels": {"a": "b"}}),
        ("OPTIONS (require_partition_filter = true)", {"requirePartitionFilter": True}),
        (
            "PARTITION BY d OPTIONS (partition_expiration_days = 3.0)",
            {"timePartitioning": {"type": "DAY", "field": "d", "expirationMs": "259200000"}},
        ),
    ],
)
def test_clause_of_file_equals_the_apis_resource(clause: str, resource: dict[str, Any]) -> None:
    fields = [{"name": "d", "type": "DATE"}, {"name": "e", "type": "STRING"}]
    assert declared(f"CREATE TABLE sid.t (d DATE, e STRING) {clause};") == live(*fields, **resource)


A, B, C = Column("a", "INT64"), Column("b", "STRING"), Column("c", "DATE", description="it's")


def test_new_columns_at_the_end_become_one_alter_table() -> None:
    added = new_columns(Shape((A, B, C)), Shape((A,)))
    assert added == (B, C)
    assert add_columns("sid.t", added) == (
        "ALTER TABLE sid.t\n  ADD COLUMN `b` STRING,\n  ADD COLUMN `c` DATE OPTIONS (description = 'it\\'s');"
    )


@pytest.mark.parametrize(
    ("wanted", "found", "message"),
    [
        (Shape((Column("a", "STRING"),)), Shape((A,)), "column a: the file says STRING, the warehouse has INT64"),
        (Shape((A,)), Shape((A, B)), "column b: the file says nothing, the warehouse has STRING"),
        (Shape((B, A)), Shape((A, B)), "order of columns: the file says b, a, the warehouse has a, b"),
        (Shape((A, Column("b", "INT64", True))), Shape((A,)), "column b: the file says INT64 NOT NULL, the warehouse"),
        (Shape((A,), "a by DAY"), Shape((A,)), "partitioning: the file says a by DAY, the warehouse has nothing"),
        (Shape((A,), "", ("a",)), Shape((A,)), "clustering: the file says a, the warehouse has nothing"),
        (
            Shape((A,), options=(("description", "'x'"),)),
            Shape((A,)),
            "options: the file says description = 'x', the warehouse has nothing",
        ),
    ],
)
def test_every_other_difference_is_told_and_not_taken_for_new_columns(
    wanted: Shape, found: Shape, message: str
) -> None:
    assert new_columns(wanted, found) is None
    [difference] = differences(wanted, found)
    assert difference.startswith(message)


columns = st.builds(
    Column,
    st.text("abc", min_size=1, max_size=2),
    st.sampled_from(["INT64", "ARRAY<STRING>"]),
    st.booleans(),
    description=st.sampled_from(["", "x"]),
)
shapes = st.builds(
    Shape,
    st.lists(columns, max_size=4, unique_by=lambda column: column.name).map(tuple),
    st.sampled_from(["", "a by DAY"]),
    st.sampled_from([(), ("a",)]),
)


@given(shapes, shapes)
def test_new_columns_are_none_or_make_the_live_table_the_wanted_one(wanted: Shape, found: Shape) -> None:
    assert (list(differences(wanted, found)) == []) == (wanted == found)
    added = new_columns(wanted, found)
    if added is not None:
        assert Shape(found.columns + added, found.partitioning, found.clustering) == wanted
        assert not any(column.required for column in added)


@pytest.mark.parametrize(
    ("text", "place"),
    [("CREATE TABLE sid.t AS SELECT 1 AS a", "1:1: lists no columns"), ("CREATE TABLE sid.t (\n  a INT64 b,\n)", "2:")],
)
def test_shape_of_definition_refuses_with_file_line_and_column(text: str, place: str) -> None:
    with pytest.raises(SourceError, match=rf"^sql/sid/tables/t\.sql:{place}"):
        declared(text)
