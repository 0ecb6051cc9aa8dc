"""Extracts to gs:// and loads from there, where gs:// is a folder."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery import ExtractJobConfig, LoadJobConfig

from embedded_bigquery import connect

FLIGHTS = """
CREATE TABLE d.flight (
  flight INT64, carrier STRING, departed TIMESTAMP, day DATE, delay FLOAT64, fare NUMERIC, code BYTES, late BOOL,
  planned DATETIME, note JSON);
INSERT d.flight VALUES
  (1545, 'U"A, Inc', '2013-01-01 10:17:00.25', '2013-01-01', 2.5, 99.90, b'ab', TRUE, '2013-01-01T05:15:00',
   JSON '{"gate": 1}'),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
"""


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BIGQUERY_EMBEDDED_GCS", str(tmp_path))
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    return bucket


@pytest.fixture
def client(bucket: Path) -> Iterator[bigquery.Client]:
    with connect() as client:
        client.create_dataset("d")
        client.query_and_wait(FLIGHTS)
        yield client


def rows(client: bigquery.Client, table: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in client.query_and_wait(f"SELECT * FROM {table} ORDER BY 1")]


def test_csv_has_a_header_and_values_as_bigquery_writes_them(client: bigquery.Client, bucket: Path) -> None:
    job = client.extract_table("d.flight", "gs://bucket/out/flight-*.csv").result()
    assert job.destination_uri_file_counts == [1]
    header, first, second = csv.reader((bucket / "out/flight-000000000000.csv").open())
    assert header == ["flight", "carrier", "departed", "day", "delay", "fare", "code", "late", "planned", "note"]
    shown = ["1545", 'U"A, Inc', "2013-01-01 10:17:00.250 UTC", "2013-01-01", "2.5", "99.9", "YWI=", "true"]
    assert first == [*shown, "2013-01-01T05:15:00", '{"gate":1}']
    assert second == [""] * 10


def test_csv_takes_a_delimiter_no_header_and_gzip(client: bigquery.Client, bucket: Path) -> None:
    client.query_and_wait("CREATE TABLE d.t AS SELECT 1 AS a, 'x' AS b")
    config = ExtractJobConfig(field_delimiter="|", print_header=False, compression="GZIP")
    client.extract_table("d.t", "gs://bucket/t.gz", job_config=config).result()
    assert gzip.decompress((bucket / "t.gz").read_bytes()) == b"1|x\n"


def test_json_has_nested_values_and_no_nulls(client: bigquery.Client, bucket: Path) -> None:
    client.query_and_wait("CREATE TABLE d.t AS SELECT STRUCT(1 AS n, [TRUE] AS b) AS s, 2.5 AS f, JSON '[1]' AS j")
    config = ExtractJobConfig(destination_format="NEWLINE_DELIMITED_JSON")
    client.extract_table("d.t", "gs://bucket/t.json", job_config=config).result()
    assert json.loads((bucket / "t.json").read_text()) == {"s": {"n": "1", "b": [True]}, "f": 2.5, "j": [1]}
    client.extract_table("d.flight", "gs://bucket/flight.json", job_config=config).result()
    assert (bucket / "flight.json").read_text().splitlines()[1] == "{}"


@pytest.mark.parametrize("form", ["CSV", "NEWLINE_DELIMITED_JSON", "PARQUET"])
def test_what_is_extracted_can_be_loaded(client: bigquery.Client, form: str) -> None:
    config = ExtractJobConfig(destination_format=form, compression="GZIP")
    client.extract_table("d.flight", "gs://bucket/flight-*", job_config=config).result()
    schema = client.get_table("d.flight").schema
    load = LoadJobConfig(source_format=form, schema=schema, skip_leading_rows=1 if form == "CSV" else 0)
    job = client.load_table_from_uri("gs://bucket/flight-*", "d.again", job_config=load).result()
    assert (job.output_rows, job.input_files) == (2, 1)
    wanted = rows(client, "d.flight")
    if form == "CSV":
        # An empty field is an empty STRING, and empty BYTES.
        wanted[0] = (None, "", *wanted[0][2:6], b"", *wanted[0][7:])
    assert rows(client, "d.again") == wanted


def test_parquet_has_types_of_its_own(client: bigquery.Client, bucket: Path) -> None:
    client.extract_table(
        "d.flight", "gs://bucket/t", job_config=ExtractJobConfig(destination_format="PARQUET")
    ).result()
    found = duckdb.sql(
        f"SELECT typeof(flight), typeof(fare), typeof(day) FROM read_parquet('{bucket}/t') LIMIT 1"
    ).fetchall()
    assert found == [("BIGINT", "DECIMAL(38,9)", "DATE")]


def test_several_files_are_loaded_together(client: bigquery.Client, bucket: Path) -> None:
    for name in ("a/1.csv", "a/2.csv", "b.csv", "c.txt"):
        (bucket / name).parent.mkdir(exist_ok=True)
        (bucket / name).write_text(f"n\n{len(name)}\n")
    config = LoadJobConfig(schema=[bigquery.SchemaField("n", "INT64")], skip_leading_rows=1)
    job = client.load_table_from_uri(["gs://bucket/a/*.csv", "gs://bucket/c.txt"], "d.n", job_config=config).result()
    assert (job.input_files, rows(client, "d.n")) == (3, [(5,), (7,), (7,)])


@pytest.mark.parametrize(
    ("uri", "error", "message"),
    [
        ("gs://bucket/nothing.csv", exceptions.NotFound, "Not found: URI gs://bucket/nothing.csv"),
        ("gs://bucket/*.nothing", exceptions.NotFound, "Not found: URI"),
        ("gs://bucket/*/*.csv", exceptions.BadRequest, "one \\* at most"),
        ("gs://../etc/passwd", exceptions.BadRequest, "Invalid URI"),
        ("gs://bucket/../../etc/passwd", exceptions.BadRequest, "Invalid URI"),
        ("/etc/passwd", exceptions.BadRequest, "Invalid URI"),
    ],
)
def test_what_is_no_file_of_a_bucket_is_refused(
    client: bigquery.Client, uri: str, error: type[Exception], message: str
) -> None:
    config = LoadJobConfig(schema=[bigquery.SchemaField("n", "INT64")])
    with pytest.raises(error, match=message):
        client.load_table_from_uri(uri, "d.n", job_config=config).result()


@pytest.mark.parametrize(
    ("table", "uri", "config", "message"),
    [
        ("d.nested", "gs://bucket/t", {}, "nested schema. Field: a"),
        ("d.v", "gs://bucket/t", {}, "local:d.v is not allowed for this operation because it is currently a VIEW."),
        ("d.nothing", "gs://bucket/t", {}, "Not found: Table local:d.nothing"),
        ("d.flight", "gs://nowhere/t", {}, "Not found: bucket of gs://nowhere/t"),
        ("d.flight", "gs://bucket/t", {"destination_format": "AVRO"}, "not supported: extract as AVRO"),
        ("d.flight", "gs://bucket/t", {"compression": "SNAPPY"}, "Compression SNAPPY does not go with CSV"),
    ],
)
def test_what_cannot_be_extracted_is_refused(
    client: bigquery.Client, bucket: Path, table: str, uri: str, config: dict[str, str], message: str
) -> None:
    client.query_and_wait("CREATE TABLE d.nested AS SELECT [1] AS a; CREATE VIEW d.v AS SELECT 1 AS x;")
    with pytest.raises(exceptions.GoogleAPICallError, match=message):
        client.extract_table(table, uri, job_config=ExtractJobConfig(**config)).result()
    assert list(bucket.iterdir()) == []
