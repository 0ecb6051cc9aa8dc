import pytest
from google.api_core import exceptions
from google.cloud import bigquery

INTEGER, TEXT = bigquery.SchemaField("n", "INT64", mode="REQUIRED"), bigquery.SchemaField("s", "STRING")
RECORDS = (("one", "NULLABLE"), ("many", "REPEATED"))


def test_a_table_keeps_everything_that_it_was_created_with(client: bigquery.Client) -> None:
    record = bigquery.SchemaField("r", "RECORD", mode="REPEATED", fields=[TEXT])
    day = bigquery.SchemaField("day", "DATE", description="of the sale")
    table = bigquery.Table("local.d.t", [INTEGER, TEXT, record, day])
    table.time_partitioning = bigquery.TimePartitioning(field="day", expiration_ms=86_400_000)
    table.clustering_fields, table.description, table.labels = ["s", "n"], "sales", {"team": "a"}
    table.require_partition_filter = True
    client.create_table(table)
    found = client.get_table("d.t")
    assert found.schema == [bigquery.SchemaField("n", "INTEGER", mode="REQUIRED"), TEXT, record, day]
    assert (found.time_partitioning.field, found.time_partitioning.expiration_ms) == ("day", 86_400_000)
    assert (found.clustering_fields, found.description, found.labels) == (["s", "n"], "sales", {"team": "a"})
    assert found.require_partition_filter and found.table_type == "TABLE"
    assert (found.num_rows, found.num_bytes) == (0, 0)


def test_a_range_partitioned_table_is_kept(client: bigquery.Client) -> None:
    table = bigquery.Table("local.d.t", [INTEGER])
    table.range_partitioning = bigquery.RangePartitioning(bigquery.PartitionRange(0, 100, 10), field="n")
    client.create_table(table)
    assert client.get_table("d.t").range_partitioning.range_.interval == 10


def test_rows_and_logical_bytes_are_counted(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE TABLE d.t AS SELECT 1 AS n, 'abc' AS s, [1, 2] AS a UNION ALL SELECT NULL, NULL, []")
    table = client.get_table("d.t")
    assert (table.num_rows, table.num_bytes) == (2, 8 + (2 + 3) + 16)


def test_a_table_in_a_missing_dataset_and_a_missing_table_are_not_found(client: bigquery.Client) -> None:
    with pytest.raises(exceptions.NotFound, match="Not found: Dataset local:none"):
        client.create_table(bigquery.Table("local.none.t", [TEXT]))
    with pytest.raises(exceptions.NotFound, match=r"Not found: Table local:d\.t"):
        client.get_table("d.t")
    with pytest.raises(exceptions.NotFound):
        client.delete_table("d.t")
    client.delete_table("d.t", not_found_ok=True)


def test_a_table_that_exists_is_a_conflict(client: bigquery.Client) -> None:
    client.create_table(bigquery.Table("local.d.t", [TEXT]))
    with pytest.raises(exceptions.Conflict, match=r"Already Exists: Table local:d\.t"):
        client.create_table(bigquery.Table("local.d.t", [TEXT]))
    client.create_table(bigquery.Table("local.d.t", [TEXT]), exists_ok=True)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([bigquery.SchemaField("x", "NUMBER")], "NUMBER is not a valid value"),
        ([bigquery.SchemaField("x", "INT64"), bigquery.SchemaField("X", "INT64")], "Duplicate field name: X"),
    ],
)
def test_an_impossible_schema_is_refused(
    client: bigquery.Client, fields: list[bigquery.SchemaField], message: str
) -> None:
    with pytest.raises(exceptions.BadRequest, match=message):
        client.create_table(bigquery.Table("local.d.t", fields))


def test_a_view_finds_its_columns_itself(client: bigquery.Client) -> None:
    client.create_table(bigquery.Table("local.d.t", [INTEGER]))
    view = bigquery.Table("local.d.v")
    view.view_query = "SELECT n + 1 AS next, CAST(n AS STRING) AS text FROM d.t"
    client.create_table(view)
    found = client.get_table("d.v")
    assert [(field.name, field.field_type) for field in found.schema] == [("next", "INTEGER"), ("text", "STRING")]
    assert (found.table_type, found.num_rows) == ("VIEW", None)
    client.query_and_wait("INSERT INTO d.t (n) VALUES (1)")
    assert [row.next for row in client.query_and_wait("SELECT next FROM d.v")] == [2]
    found.view_query = "SELECT n FROM d.t"
    assert [field.name for field in client.update_table(found, ["view_query"]).schema] == ["n"]


def test_a_view_whose_query_is_wrong_is_refused(client: bigquery.Client) -> None:
    view = bigquery.Table("local.d.v")
    view.view_query = "SELECT missing FROM d.nothing"
    with pytest.raises(exceptions.NotFound, match=r"d\.nothing"):
        client.create_table(view)


def test_an_update_adds_columns_and_changes_metadata(client: bigquery.Client) -> None:
    table = client.create_table(bigquery.Table("local.d.t", [INTEGER]))
    client.query_and_wait("INSERT INTO d.t (n) VALUES (1)")
    table.schema, table.description = [*table.schema, TEXT], "longer"
    table = client.update_table(table, ["schema", "description"])
    assert ([field.name for field in table.schema], table.description) == (["n", "s"], "longer")
    assert [tuple(row) for row in client.query_and_wait("SELECT * FROM d.t")] == [(1, None)]


def test_an_update_adds_columns_inside_of_records(client: bigquery.Client) -> None:
    def schema(*names: str) -> list[bigquery.SchemaField]:
        inner = [bigquery.SchemaField(name, "INT64") for name in names]
        return [bigquery.SchemaField(name, "RECORD", mode, fields=inner) for name, mode in RECORDS]

    table = client.create_table(bigquery.Table("local.d.t", schema("x")))
    client.query_and_wait("INSERT d.t VALUES (STRUCT(1), [STRUCT(2)])")
    table.schema = schema("x", "y")
    table = client.update_table(table, ["schema"])
    assert [tuple(row) for row in client.query_and_wait("SELECT * FROM d.t")] == [
        ({"x": 1, "y": None}, [{"x": 2, "y": None}])
    ]
    table.schema = schema("z", "y")
    with pytest.raises(exceptions.BadRequest, match=r"Field one\.x is missing in new schema"):
        client.update_table(table, ["schema"])


def test_an_update_that_takes_a_column_away_is_refused(client: bigquery.Client) -> None:
    table = client.create_table(bigquery.Table("local.d.t", [INTEGER, TEXT]))
    table.schema = [INTEGER]
    with pytest.raises(exceptions.BadRequest, match="Field s is missing"):
        client.update_table(table, ["schema"])


def test_an_update_of_an_old_version_is_refused(client: bigquery.Client) -> None:
    table = client.create_table(bigquery.Table("local.d.t", [TEXT]))
    old = client.get_table("d.t")
    table.description = old.description = "x"
    client.update_table(table, ["description"])
    with pytest.raises(exceptions.PreconditionFailed):
        client.update_table(old, ["description"])


def test_tables_are_listed_with_kind_partitioning_and_labels(client: bigquery.Client) -> None:
    table = bigquery.Table("local.d.b", [bigquery.SchemaField("day", "DATE")])
    table.time_partitioning, table.labels = bigquery.TimePartitioning(field="day"), {"team": "a"}
    client.create_table(table)
    client.query_and_wait("CREATE VIEW d.a AS SELECT 1 AS x")
    first, second = client.list_tables("d")
    assert (first.table_id, first.table_type) == ("a", "VIEW")
    assert (second.table_id, second.time_partitioning.field, second.labels) == ("b", "day", {"team": "a"})
    with pytest.raises(exceptions.NotFound):
        list(client.list_tables("none"))


def test_a_default_value_counts_for_rows_that_do_not_give_it(client: bigquery.Client) -> None:
    fields = [INTEGER, bigquery.SchemaField("s", "STRING", default_value_expression="CONCAT('a', 'b')")]
    client.create_table(bigquery.Table("local.d.t", fields))
    client.query_and_wait("INSERT INTO d.t (n) VALUES (1)")
    assert [row.s for row in client.query_and_wait("SELECT s FROM d.t")] == ["ab"]
