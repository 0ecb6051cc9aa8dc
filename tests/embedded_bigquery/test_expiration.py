"""Tables whose time has come are not there any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from embedded_bigquery import connect

PAST, FUTURE = datetime(2013, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@pytest.fixture
def client() -> Iterator[bigquery.Client]:
    with connect() as client:
        client.create_dataset("d")
        client.query_and_wait("CREATE TABLE d.t AS SELECT 1 AS x; CREATE TABLE d.kept AS SELECT 1 AS x;")
        yield client


def expire(client: bigquery.Client, name: str, time: datetime | None) -> bigquery.Table:
    table = client.get_table(name)
    table.expires = time
    return client.update_table(table, ["expires"])


def test_an_expired_table_is_not_found_and_can_be_made_again(client: bigquery.Client) -> None:
    expire(client, "d.t", PAST)
    for call in (lambda: client.get_table("d.t"), lambda: client.query_and_wait("SELECT * FROM d.t")):
        with pytest.raises(exceptions.NotFound, match=r"local:d\.t was not found"):
            call()
    assert [table.table_id for table in client.list_tables("d")] == ["kept"]
    client.query_and_wait("CREATE TABLE d.t AS SELECT 'new' AS y")
    assert [row.y for row in client.query_and_wait("SELECT y FROM d.t")] == ["new"]


def test_a_statement_can_expire_a_table_too(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE VIEW d.v AS SELECT 1 AS x")
    client.query_and_wait("ALTER TABLE d.t SET OPTIONS (expiration_timestamp = TIMESTAMP '2013-01-01')")
    client.query_and_wait("ALTER VIEW d.v SET OPTIONS (expiration_timestamp = TIMESTAMP '2013-01-01')")
    assert [table.table_id for table in client.list_tables("d")] == ["kept"]


def test_a_table_of_the_future_and_one_without_an_end_stay(client: bigquery.Client) -> None:
    assert expire(client, "d.t", FUTURE).expires == FUTURE
    assert client.get_table("d.t").num_rows == 1
    assert expire(client, "d.t", None).expires is None


def test_a_table_that_expired_while_the_file_was_closed_is_gone(tmp_path: Path) -> None:
    with connect(tmp_path / "w") as client:
        client.create_dataset("d")
        client.query_and_wait("CREATE TABLE d.t AS SELECT 1 AS x")
        expire(client, "d.t", PAST)
    with connect(tmp_path / "w") as client:
        assert list(client.list_tables("d")) == []
        client.delete_dataset("d")


def test_new_tables_have_the_datasets_lifetime(client: bigquery.Client) -> None:
    day = 86_400_000
    dataset = client.get_dataset("d")
    dataset.default_table_expiration_ms, dataset.default_partition_expiration_ms = day, 2 * day
    client.update_dataset(dataset, ["default_table_expiration_ms", "default_partition_expiration_ms"])
    client.query_and_wait("CREATE TABLE d.a (x INT64); CREATE TABLE d.b (day DATE) PARTITION BY day;")
    plain, partitioned = client.get_table("d.a"), client.get_table("d.b")
    assert abs(plain.expires - plain.created - timedelta(days=1)) < timedelta(minutes=1)
    assert (partitioned.expires, partitioned.time_partitioning.expiration_ms) == (None, 2 * day)
    assert client.get_table("d.kept").expires is None
    own = client.create_table(bigquery.Table("local.d.own"))
    assert expire(client, "d.own", FUTURE).expires == FUTURE != own.expires


@pytest.mark.parametrize(
    ("kind", "partition"),
    [
        ("DATE", "day"),
        ("TIMESTAMP", "TIMESTAMP_TRUNC(day, MONTH)"),
        ("DATETIME", "DATETIME_TRUNC(day, YEAR)"),
    ],
)
def test_rows_of_expired_partitions_are_gone(client: bigquery.Client, kind: str, partition: str) -> None:
    options = "OPTIONS (partition_expiration_days = 800)"
    client.query_and_wait(f"CREATE TABLE d.p (day {kind}, n INT64) PARTITION BY {partition} {options}")
    old = f"SELECT CAST(DATE '2013-01-07' AS {kind}), 1"
    client.query_and_wait(
        f"INSERT d.p {old} UNION ALL SELECT CAST(CURRENT_DATE() AS {kind}), 2 UNION ALL SELECT NULL, 3"
    )
    assert [row.n for row in client.query_and_wait("SELECT n FROM d.p ORDER BY n")] == [2, 3]
    client.query_and_wait(f"INSERT d.p {old}")
    assert client.get_table("d.p").num_rows == 2
    view = "d.INFORMATION_SCHEMA.PARTITIONS"
    assert [row.n for row in client.query_and_wait(f"SELECT COUNT(*) AS n FROM {view} WHERE table_name = 'p'")] == [2]


def test_a_shorter_lifetime_counts_for_the_partitions_that_there_are(client: bigquery.Client) -> None:
    client.query_and_wait("CREATE TABLE d.p (n INT64) PARTITION BY _PARTITIONDATE")
    client.query_and_wait("INSERT d.p (_PARTITIONTIME, n) VALUES (TIMESTAMP '2013-01-07', 1)")
    client.query_and_wait("INSERT d.p (n) VALUES (2)")
    assert client.get_table("d.p").num_rows == 2
    client.query_and_wait("ALTER TABLE d.p SET OPTIONS (partition_expiration_days = 30)")
    assert [row.n for row in client.list_rows("d.p")] == [2]


def test_a_table_is_as_young_as_its_latest_rows(client: bigquery.Client) -> None:
    made = client.get_table("d.t").modified
    assert made is not None
    client.query_and_wait("BEGIN TRANSACTION; INSERT d.t VALUES (2); COMMIT TRANSACTION")
    changed = client.get_table("d.t").modified
    assert changed is not None and changed > made
