"""Partitions by name: `table$20130101` is written, read, measured and emptied alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery import LoadJobConfig, QueryJobConfig, SchemaField

from embedded_bigquery import connect


@pytest.fixture
def client() -> Iterator[bigquery.Client]:
    with connect() as client:
        client.create_dataset("d")
        client.query_and_wait(
            """
            CREATE TABLE d.t (day DATE, x INT64) PARTITION BY day;
            INSERT d.t VALUES ('2013-01-01', 1), ('2013-01-01', 2), ('2013-01-02', 3), (NULL, 4);
            CREATE TABLE d.ingested (x INT64) PARTITION BY _PARTITIONDATE;
            CREATE TABLE d.ranged (x INT64) PARTITION BY RANGE_BUCKET(x, GENERATE_ARRAY(0, 100, 10));
            INSERT d.ranged VALUES (1), (9), (10), (100), (NULL);
            CREATE TABLE d.plain (x INT64);
            """
        )
        yield client


def rows(client: bigquery.Client, table: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in client.query_and_wait(f"SELECT x FROM {table} ORDER BY x")]


def write(client: bigquery.Client, query: str, table: str, disposition: str) -> None:
    config = QueryJobConfig(destination=f"local.d.{table}", write_disposition=disposition)
    client.query(query, config).result()


def test_a_partition_is_replaced_alone(client: bigquery.Client) -> None:
    write(client, "SELECT DATE '2013-01-01' AS day, 9 AS x", "t$20130101", "WRITE_TRUNCATE")
    assert rows(client, "d.t") == [(3,), (4,), (9,)]
    write(client, "SELECT DATE '2013-01-01' AS day, 10 AS x", "t$20130101", "WRITE_APPEND")
    assert rows(client, "d.t") == [(3,), (4,), (9,), (10,)]
    with pytest.raises(exceptions.Conflict, match=r"Already Exists: Table local:d\.t\$20130101"):
        write(client, "SELECT DATE '2013-01-01' AS day, 11 AS x", "t$20130101", "WRITE_EMPTY")
    write(client, "SELECT DATE '2013-01-03' AS day, 11 AS x", "t$20130103", "WRITE_EMPTY")
    assert client.get_table("d.t$20130103").num_rows == 1


def test_rows_of_another_partition_are_refused_and_nothing_is_changed(client: bigquery.Client) -> None:
    days = "SELECT day, 9 AS x FROM UNNEST([DATE '2013-01-01', DATE '2013-01-02']) AS day"
    with pytest.raises(exceptions.BadRequest, match=r"different partitions .* destination partition local:d\.t\$2013"):
        write(client, days, "t$20130101", "WRITE_TRUNCATE")
    assert rows(client, "d.t") == [(1,), (2,), (3,), (4,)]


def test_a_load_replaces_a_partition(client: bigquery.Client) -> None:
    config = LoadJobConfig(write_disposition="WRITE_TRUNCATE")
    client.load_table_from_json([{"day": "2013-01-02", "x": 8}], "local.d.t$20130102", job_config=config).result()
    assert rows(client, "d.t") == [(1,), (2,), (4,), (8,)]
    config = LoadJobConfig(
        write_disposition="WRITE_TRUNCATE",
        schema_update_options=["ALLOW_FIELD_ADDITION"],
        schema=[SchemaField("day", "DATE"), SchemaField("x", "INT64"), SchemaField("note", "STRING")],
    )
    row = {"day": "2013-01-02", "x": 7, "note": "new"}
    client.load_table_from_json([row], "local.d.t$20130102", job_config=config).result()
    assert [field.name for field in client.get_table("d.t").schema] == ["day", "x", "note"]
    assert rows(client, "d.t") == [(1,), (2,), (4,), (7,)]


def test_rows_of_an_ingestion_time_table_get_the_time_of_their_partition(client: bigquery.Client) -> None:
    write(client, "SELECT 1 AS x", "ingested$20130107", "WRITE_TRUNCATE")
    write(client, "SELECT 2 AS x", "ingested$20130107", "WRITE_APPEND")
    found = client.query_and_wait("SELECT x, STRING(_PARTITIONTIME) AS t FROM d.ingested ORDER BY x")
    assert [tuple(row.values()) for row in found] == [(1, "2013-01-07 00:00:00+00"), (2, "2013-01-07 00:00:00+00")]


def test_a_load_makes_a_partitioned_table(client: bigquery.Client) -> None:
    config = LoadJobConfig(schema=[SchemaField("x", "INT64")], time_partitioning=bigquery.TimePartitioning("MONTH"))
    client.load_table_from_json([{"x": 1}], "local.d.monthly$201301", job_config=config).result()
    assert client.list_partitions("d.monthly") == ["201301"]


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ("t$20130101", [1, 2]),
        ("t$__NULL__", [4]),
        ("t$20130105", []),
        ("ranged$0", [1, 9]),
        ("ranged$10", [10]),
        ("ranged$__UNPARTITIONED__", [100]),
    ],
)
def test_a_partition_is_read_and_measured(client: bigquery.Client, table: str, found: list[int]) -> None:
    resource = client.get_table(f"d.{table}")
    assert (resource.table_id, resource.num_rows) == (table, len(found))
    assert [row.x for row in client.list_rows(resource, selected_fields=[SchemaField("x", "INT64")])] == found


def test_partitions_are_listed_and_deleted(client: bigquery.Client) -> None:
    assert client.list_partitions("d.t") == ["20130101", "20130102", "__NULL__"]
    client.delete_table("d.t$20130101")
    assert client.list_partitions("d.t") == ["20130102", "__NULL__"]
    assert client.list_partitions("d.ranged") == ["0", "10", "__NULL__", "__UNPARTITIONED__"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("t$2013", "Invalid partition id 2013 in t"),
        ("t$20130101' OR 1", "Invalid partition id"),
        ("ranged$x", "Invalid partition id x"),
        ("plain$20130101", "the table is not partitioned"),
        ("new$20130101", "the table is not partitioned"),
    ],
)
def test_what_is_no_partition_is_refused(client: bigquery.Client, table: str, message: str) -> None:
    with pytest.raises(exceptions.BadRequest, match=message):
        write(client, "SELECT 1 AS x", table, "WRITE_TRUNCATE")
    with pytest.raises((exceptions.BadRequest, exceptions.NotFound)):
        client.get_table(f"local.d.{table}")
    with pytest.raises(exceptions.NotFound):
        client.get_table("d.new")


def test_a_table_without_partitions_lists_none(client: bigquery.Client) -> None:
    with pytest.raises(exceptions.BadRequest, match="the table is not partitioned"):
        client.list_partitions("d.plain")
