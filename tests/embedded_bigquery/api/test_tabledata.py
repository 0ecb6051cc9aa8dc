from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField


def test_rows_come_in_pages_from_any_place(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE TABLE d.t AS SELECT n FROM UNNEST(GENERATE_ARRAY(1, 10)) AS n ORDER BY n")
    pages = [[row.n for row in page] for page in client.list_rows("d.t", page_size=4).pages]
    assert pages == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
    assert [row.n for row in client.list_rows("d.t", start_index=8)] == [9, 10]
    first = client.list_rows("d.t", max_results=3)
    assert [row.n for row in first] == [1, 2, 3]
    assert first.total_rows == 10


def test_only_selected_fields_are_read(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE TABLE d.t AS SELECT 1 AS a, 'x' AS b, TRUE AS c, [STRUCT(1 AS x, 2 AS y)] AS r")
    table = client.get_table("d.t")
    rows = client.list_rows(table, selected_fields=[table.schema[0], table.schema[2]])
    nested = client._connection.api_request("GET", f"{table.path}/data", query_params={"selectedFields": "r.y,b"})
    assert nested["rows"] == [{"f": [{"v": "x"}, {"v": [{"v": {"f": [{"v": "2"}]}}]}]}]
    assert [dict(row.items()) for row in rows] == [{"a": 1, "c": True}]
    with pytest.raises(exceptions.BadRequest, match="Invalid field name in selectedFields: z"):
        list(client.list_rows(table, selected_fields=[SchemaField("z", "INT64")]))


def test_a_view_has_no_rows_to_list(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE VIEW d.v AS SELECT 1 AS x")
    with pytest.raises(exceptions.BadRequest, match="Cannot list a table of type VIEW"):
        list(client.list_rows(client.get_table("d.v")))


EVERY_TYPE = [
    (SchemaField("i", "INT64"), "7", 7),
    (SchemaField("f", "FLOAT64"), 1.5, 1.5),
    (SchemaField("n", "NUMERIC"), "12.345", Decimal("12.345")),
    (SchemaField("b", "BOOL"), True, True),
    (SchemaField("s", "STRING"), "ü", "ü"),
    (SchemaField("y", "BYTES"), "AAE=", b"\x00\x01"),
    (SchemaField("d", "DATE"), "2013-01-07", date(2013, 1, 7)),
    (SchemaField("dt", "DATETIME"), "2013-01-07 01:02:03.5", datetime(2013, 1, 7, 1, 2, 3, 500_000)),
    (SchemaField("t", "TIME"), "01:02:03", time(1, 2, 3)),
    (SchemaField("ts", "TIMESTAMP"), "2013-01-07T01:00:00+01:00", datetime(2013, 1, 7, tzinfo=UTC)),
    (SchemaField("e", "TIMESTAMP"), 1.5, datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)),
    (SchemaField("j", "JSON"), '{"a": 1}', {"a": 1}),
    (SchemaField("a", "INT64", mode="REPEATED"), [1, "2"], [1, 2]),
    (SchemaField("r", "RECORD", fields=[SchemaField("x", "INT64")]), {"x": 1}, {"x": 1}),
    (
        SchemaField("rr", "RECORD", mode="REPEATED", fields=[SchemaField("x", "DATE")]),
        [{"x": "2013-01-07"}, {}],
        [{"x": date(2013, 1, 7)}, {"x": None}],
    ),
]


def test_a_value_of_every_type_is_streamed_in_and_read_back(client: bigquery.Client) -> None:
    table = client.create_table(bigquery.Table("local.d.t", [field for field, _, _ in EVERY_TYPE]))
    assert client.insert_rows_json(table, [{field.name: sent for field, sent, _ in EVERY_TYPE}, {}]) == []
    full, empty = client.list_rows("d.t")
    assert dict(full.items()) == {field.name: value for field, _, value in EVERY_TYPE}
    assert set(map(str, empty.values())) == {"None", "[]"}


@pytest.fixture
def table(client: bigquery.Client) -> bigquery.Table:
    fields = [
        SchemaField("n", "INT64", mode="REQUIRED"),
        SchemaField("r", "RECORD", fields=[SchemaField("x", "DATE")]),
        SchemaField("s", "STRING", max_length=3, default_value_expression="'new'"),
        SchemaField("many", "INT64", mode="REPEATED"),
    ]
    return client.create_table(bigquery.Table("local.d.t", fields))


@pytest.mark.parametrize(
    ("row", "location", "message"),
    [
        ({"n": 1, "z": 2}, "z", "no such field: z."),
        ({"n": 1, "r": {"y": 2}}, "r.y", "no such field: r.y."),
        ({"n": "one"}, "n", "Cannot convert value to integer (bad value): one"),
        ({"n": [1]}, "n", "Array specified for non-repeated field: n."),
        ({}, "n", "Missing required field: n."),
        ({"n": 1, "r": 2}, "r", "This field: r is not a record."),
        ({"n": 1, "s": "long"}, "s", "Field s: Out of range: value of 4 is too long for STRING(3)"),
        ({"n": 1, "many": 2}, "many", "Repeated field must be imported as a JSON array. Field: many; Value: 2"),
        ({"n": 1, "many": [None]}, "many", "Only optional fields can be set to NULL. Field: many; Value: NULL"),
        ({"n": 1, "r": {"x": "2013-13-01"}}, "r.x", "Invalid date: '2013-13-01'"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_with_all_rows_of_its_request(
    client: bigquery.Client, table: bigquery.Table, row: dict[str, object], location: str, message: str
) -> None:
    errors = client.insert_rows_json(table, [{"n": 1}, row])
    assert [error["index"] for error in errors] == [1, 0]
    [problem], [stopped] = (error["errors"] for error in errors)
    assert (problem["reason"], problem["location"], problem["message"]) == ("invalid", location, message)
    assert stopped["reason"] == "stopped"
    assert client.get_table(table).num_rows == 0


def test_a_row_sent_again_under_its_id_is_there_once(client: bigquery.Client, table: bigquery.Table) -> None:
    for _ in range(2):
        assert client.insert_rows_json(table, [{"n": 1}, {"n": 2}], row_ids=["a", "b"]) == []
    client.insert_rows_json(table, [{"n": 1}, {"n": 3}], row_ids=[None, "c"])
    assert [row.n for row in client.list_rows(table)] == [1, 2, 1, 3]


def test_a_missing_value_is_the_default_and_a_null_is_none(client: bigquery.Client, table: bigquery.Table) -> None:
    assert client.insert_rows_json(table, [{"n": 1}, {"n": 2, "s": None}, {"n": 3, "s": "abc"}]) == []
    assert [row.s for row in client.list_rows(table)] == ["new", None, "abc"]


def test_a_request_without_rows_is_refused(client: bigquery.Client, table: bigquery.Table) -> None:
    with pytest.raises(exceptions.BadRequest, match="No rows present in the request"):
        client._connection.api_request("POST", "/projects/local/datasets/d/tables/t/insertAll", data={"rows": []})


def test_rows_go_into_a_partition_or_a_table_that_a_template_makes(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE TABLE d.t (n INT64) PARTITION BY _PARTITIONDATE")
    table = client.get_table("d.t")
    for path in ("d.t$20130107", "d.t"):
        assert client.insert_rows_json(path, [{"n": 1}], template_suffix=None) == []
    for _ in range(2):
        assert client.insert_rows_json(table, [{"n": 2}], template_suffix="_more") == []
    days = client.query_and_wait("SELECT _PARTITIONDATE = '2013-01-07' AS is_named FROM d.t ORDER BY 1")
    assert [row.is_named for row in days] == [False, True]
    made = client.get_table("d.t_more")
    assert (made.num_rows, made.schema, made.time_partitioning) == (2, table.schema, table.time_partitioning)


def test_invalid_rows_can_be_skipped_and_unknown_values_ignored(client: bigquery.Client, table: bigquery.Table) -> None:
    rows = [{"n": 1, "z": 2}, {"n": "one"}]
    errors = client.insert_rows_json(table, rows, skip_invalid_rows=True, ignore_unknown_values=True)
    assert [error["index"] for error in errors] == [1]
    assert [row.n for row in client.list_rows(table)] == [1]
