import gzip
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import fastavro
import pytest
from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery import LoadJobConfig, SchemaField

from embedded_bigquery import connect

N, S = SchemaField("n", "INT64"), SchemaField("s", "STRING")


@pytest.fixture
def client() -> Iterator[bigquery.Client]:
    with connect() as client:
        client.create_dataset("d")
        yield client


def rows(client: bigquery.Client, table: str = "d.t") -> list[dict[str, object]]:
    return [dict(row.items()) for row in client.list_rows(client.get_table(table))]


def load(client: bigquery.Client, content: bytes | str, form: str, **config: object) -> bigquery.LoadJob:
    content = content.encode() if isinstance(content, str) else content
    job_config = LoadJobConfig(source_format=form, **config)
    job = client.load_table_from_file(io.BytesIO(content), "local.d.t", size=len(content), job_config=job_config)
    return job.result()


def parquet(tmp_path: Path, query: str) -> bytes:
    duckdb.sql(f"COPY ({query}) TO '{tmp_path / 'file'}' (FORMAT parquet)")
    return (tmp_path / "file").read_bytes()


# ---- Parquet


def test_parquet_brings_its_own_columns(client: bigquery.Client, tmp_path: Path) -> None:
    content = parquet(
        tmp_path,
        "SELECT 1::INTEGER AS n, 'x' AS s, 1.5::DECIMAL(10, 2) AS d, TIMESTAMPTZ '2013-01-07 00:00:00+00' AS ts, "
        "TIMESTAMP '2013-01-07 00:00:00' AS dt, [1, 2]::INTEGER[] AS a, {'x': DATE '2013-01-07'} AS r, 'y'::BLOB AS b",
    )
    job = load(client, content, "PARQUET")
    assert (job.output_rows, job.state) == (1, "DONE")
    types = {field.name: (field.field_type, field.mode) for field in client.get_table("d.t").schema}
    assert types == {
        "n": ("INTEGER", "NULLABLE"),
        "s": ("STRING", "NULLABLE"),
        "d": ("NUMERIC", "NULLABLE"),
        "ts": ("TIMESTAMP", "NULLABLE"),
        "dt": ("DATETIME", "NULLABLE"),
        "a": ("INTEGER", "REPEATED"),
        "r": ("RECORD", "NULLABLE"),
        "b": ("BYTES", "NULLABLE"),
    }
    [row] = rows(client)
    assert (row["ts"], row["dt"]) == (datetime(2013, 1, 7, tzinfo=UTC), datetime(2013, 1, 7))
    assert (row["a"], row["r"]) == ([1, 2], {"x": date(2013, 1, 7)})


def test_parquet_goes_into_the_columns_of_a_table_by_name(client: bigquery.Client, tmp_path: Path) -> None:
    client.create_table(bigquery.Table("local.d.t", [S, SchemaField("n", "FLOAT64"), SchemaField("more", "DATE")]))
    load(client, parquet(tmp_path, "SELECT 1::INTEGER AS N, 'x' AS s"), "PARQUET")
    assert rows(client) == [{"s": "x", "n": 1.0, "more": None}]


def test_parquet_with_a_column_that_the_table_lacks_is_refused(client: bigquery.Client, tmp_path: Path) -> None:
    client.create_table(bigquery.Table("local.d.t", [N]))
    content = parquet(tmp_path, "SELECT 1 AS n, 2 AS z")
    with pytest.raises(exceptions.BadRequest, match=r"Cannot add fields \(field: z\)"):
        load(client, content, "PARQUET")
    load(client, content, "PARQUET", schema_update_options=["ALLOW_FIELD_ADDITION"])
    assert rows(client) == [{"n": 1, "z": 2}]


@pytest.mark.parametrize(("kind", "shown"), [("DOUBLE", "FLOAT64"), ("VARCHAR", "STRING")])
def test_parquet_of_another_type_is_refused(client: bigquery.Client, tmp_path: Path, kind: str, shown: str) -> None:
    client.create_table(bigquery.Table("local.d.t", [N]))
    with pytest.raises(exceptions.BadRequest, match=f"Field n has changed type from INT64 to {shown}"):
        load(client, parquet(tmp_path, f"SELECT 1::{kind} AS n"), "PARQUET")


def test_a_file_that_is_not_of_its_format_is_refused(client: bigquery.Client) -> None:
    with pytest.raises(exceptions.BadRequest, match="Error while reading data"):
        load(client, "n,s\n1,a", "PARQUET")


# ---- JSON


def test_json_rows_fill_the_columns_that_they_name(client: bigquery.Client) -> None:
    record = SchemaField("r", "RECORD", mode="REPEATED", fields=[SchemaField("x", "INT64"), SchemaField("y", "JSON")])
    schema = [N, S, SchemaField("ts", "TIMESTAMP"), SchemaField("b", "BYTES"), SchemaField("f", "BOOL"), record]
    given = [
        {"n": "12", "s": 1.50, "ts": "2013-01-07T00:00:00Z", "b": "AAE=", "f": True, "r": [{"x": 1, "y": {"k": [1]}}]},
        {"ts": 1.5},
    ]
    client.load_table_from_json(given, "d.t", job_config=LoadJobConfig(schema=schema)).result()
    first, second = rows(client)
    assert first == {
        "n": 12,
        "s": "1.5",
        "ts": datetime(2013, 1, 7, tzinfo=UTC),
        "b": b"\x00\x01",
        "f": True,
        "r": [{"x": 1, "y": {"k": [1]}}],
    }
    assert second == {
        "n": None,
        "s": None,
        "ts": datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC),
        "b": None,
        "f": None,
        "r": [],
    }


def test_json_without_a_schema_is_detected(client: bigquery.Client) -> None:
    client.load_table_from_json([{"n": 1, "s": "x", "a": [1.5], "t": "2013-01-07T00:00:00"}], "d.t").result()
    types = {field.name: field.field_type for field in client.get_table("d.t").schema}
    assert types == {"n": "INTEGER", "s": "STRING", "a": "FLOAT", "t": "TIMESTAMP"}


@pytest.mark.parametrize(
    ("row", "message"),
    [({"n": 1.5}, "Bad int64 value: 1.5"), ({"n": "x"}, "x"), ({"z": 1}, "No such field: z")],
)
def test_json_that_does_not_fit_is_refused_and_nothing_is_loaded(
    client: bigquery.Client, row: dict[str, object], message: str
) -> None:
    client.create_table(bigquery.Table("local.d.t", [N]))
    with pytest.raises(exceptions.BadRequest, match=message) as refused:
        client.load_table_from_json([{"n": 1}, row], "d.t").result()
    assert refused.value.errors[0]["reason"] == "invalid"
    assert rows(client) == []


def test_unknown_values_can_be_ignored(client: bigquery.Client) -> None:
    config = LoadJobConfig(schema=[N], ignore_unknown_values=True)
    client.load_table_from_json([{"n": 1, "z": 2}], "d.t", job_config=config).result()
    assert rows(client) == [{"n": 1}]


# ---- CSV


def test_csv_columns_go_by_position(client: bigquery.Client) -> None:
    schema = [N, S, SchemaField("day", "DATE")]
    load(client, 'n,s,day\n1,"a, b",2013-01-07\n,,\n', "CSV", schema=schema, skip_leading_rows=1)
    assert rows(client) == [
        {"n": 1, "s": "a, b", "day": date(2013, 1, 7)},
        {"n": None, "s": "", "day": None},
    ]


def test_csv_with_its_own_separator_null_marker_and_compression(client: bigquery.Client) -> None:
    content = gzip.compress(b"1|NA\n2|x\n")
    load(client, content, "CSV", schema=[N, S], field_delimiter="|", null_marker="NA")
    assert rows(client) == [{"n": 1, "s": None}, {"n": 2, "s": "x"}]


def test_csv_without_a_schema_is_detected_by_its_header(client: bigquery.Client) -> None:
    load(client, "n,s\n1,x\n2,y\n", "CSV", autodetect=True, skip_leading_rows=1)
    assert rows(client) == [{"n": 1, "s": "x"}, {"n": 2, "s": "y"}]


def test_csv_with_too_many_fields_is_refused(client: bigquery.Client) -> None:
    with pytest.raises(exceptions.BadRequest, match="Error while reading data"):
        load(client, "1,a,b\n", "CSV", schema=[N, S])
    with pytest.raises(exceptions.BadRequest, match="No schema specified"):
        load(client, "1,a\n", "CSV")


# ---- dispositions, uploads


def test_write_dispositions(client: bigquery.Client) -> None:
    for value, disposition in ((1, "WRITE_EMPTY"), (2, "WRITE_APPEND")):
        load(client, json.dumps({"n": value}), "NEWLINE_DELIMITED_JSON", schema=[N], write_disposition=disposition)
    assert rows(client) == [{"n": 1}, {"n": 2}]
    with pytest.raises(exceptions.Conflict):
        load(client, '{"n": 3}', "NEWLINE_DELIMITED_JSON", schema=[N], write_disposition="WRITE_EMPTY")
    load(client, '{"s": "a"}', "NEWLINE_DELIMITED_JSON", schema=[S], write_disposition="WRITE_TRUNCATE")
    assert rows(client) == [{"s": "a"}]


def test_a_replaced_table_keeps_its_partitioning_and_description(client: bigquery.Client) -> None:
    day = SchemaField("day", "DATE")
    table = bigquery.Table("local.d.t", [day])
    table.time_partitioning, table.description = bigquery.TimePartitioning(field="day"), "days"
    client.create_table(table)
    load(client, '{"day": "2013-01-07"}', "NEWLINE_DELIMITED_JSON", schema=[day], write_disposition="WRITE_TRUNCATE")
    found = client.get_table("d.t")
    assert (found.time_partitioning.field, found.description, found.num_rows) == ("day", "days", 1)


def test_a_missing_table_is_not_made_when_that_is_forbidden(client: bigquery.Client) -> None:
    with pytest.raises(exceptions.NotFound):
        load(client, '{"n": 1}', "NEWLINE_DELIMITED_JSON", schema=[N], create_disposition="CREATE_NEVER")


@pytest.mark.parametrize("count", [0, 1, 400_000])
def test_a_file_of_unknown_size_is_sent_in_pieces(client: bigquery.Client, count: int) -> None:
    # Above one megabyte the client sends more than one piece.
    content = b"".join(b"%d,x\n" % number for number in range(count))
    config = LoadJobConfig(source_format="CSV", schema=[N, S])
    client.load_table_from_file(io.BytesIO(content), "d.t", job_config=config).result()
    assert client.get_table("d.t").num_rows == count


def test_a_file_on_another_computer_is_refused(client: bigquery.Client) -> None:
    with pytest.raises(exceptions.BadRequest, match=r"not supported: gs://bucket/file .* set BIGQUERY_EMBEDDED_GCS"):
        client.load_table_from_uri("gs://bucket/file", "d.t").result()


def test_nothing_of_an_upload_is_left_behind(client: bigquery.Client) -> None:
    uploads = client._http.get_adapter("embedded-bigquery://local")._api.engine.uploads()
    load(client, '{"n": 1}', "NEWLINE_DELIMITED_JSON", schema=[N])
    with pytest.raises(exceptions.BadRequest):
        load(client, "broken", "PARQUET")
    client.load_table_from_file(
        io.BytesIO(b"1"), "d.t", job_config=LoadJobConfig(source_format="CSV", schema=[N])
    ).result()
    assert list(uploads.iterdir()) == []
    client.close()
    assert not uploads.exists()


# ---- what a file may lack or have too much of

SCHEMA = [bigquery.SchemaField("a", "INT64"), bigquery.SchemaField("b", "STRING")]


def test_a_new_table_has_all_declared_columns(client: bigquery.Client) -> None:
    load(client, '{"b": "x"}\n', "NEWLINE_DELIMITED_JSON", schema=SCHEMA)
    assert rows(client) == [{"a": None, "b": "x"}]


@pytest.mark.parametrize(
    ("content", "form", "config", "message"),
    [
        ('1,"x\ny"', "CSV", {}, "Missing close double quote"),
        ("1,x,z", "CSV", {}, "CSV Error on Line: 1"),
        ('{"a": 1.5}', "NEWLINE_DELIMITED_JSON", {}, "Bad int64 value: 1.5$"),
        ('{"r": {"x": 1, "z": 2}}', "NEWLINE_DELIMITED_JSON", {}, "No such field: r.z."),
        ('{"l": [1, null]}', "NEWLINE_DELIMITED_JSON", {}, "Only optional fields can be set to NULL. Field: l"),
        ('{"s": "long"}', "NEWLINE_DELIMITED_JSON", {}, "STRING\\(3\\) has maximum length 3"),
        ("x", "ORC", {}, "not supported: load of ORC"),
        ("1,x", "CSV", {"encoding": "UTF-16LE"}, "not supported: encoding UTF-16LE"),
        ("1,x\n1,y,z\nq,w", "CSV", {"max_bad_records": 1}, "too many errors, giving up. Errors: 2; max bad: 1"),
    ],
)
def test_a_record_that_cannot_be_is_refused(
    client: bigquery.Client, content: str, form: str, config: dict[str, object], message: str
) -> None:
    nested = [
        bigquery.SchemaField("r", "RECORD", fields=[bigquery.SchemaField("x", "INT64")]),
        bigquery.SchemaField("l", "INT64", mode="REPEATED"),
        bigquery.SchemaField("s", "STRING", max_length=3),
    ]
    schema = SCHEMA if form == "CSV" or '"a"' in content else nested
    with pytest.raises(exceptions.BadRequest) as refused:
        load(client, content, form, schema=schema, **config)
    assert re.search(message, str(refused.value.errors[0]["message"]))
    assert "/" not in str(refused.value.errors[0]["message"])


@pytest.mark.parametrize(
    ("content", "form", "config", "expected"),
    [
        ('1,"x\ny"', "CSV", {"allow_quoted_newlines": True}, [(1, "x\ny")]),
        ("1,x,z\n2,y", "CSV", {"ignore_unknown_values": True}, [(1, "x"), (2, "y")]),
        ("1,x\n2,y,z\nq,w\n3,v", "CSV", {"max_bad_records": 2}, [(1, "x"), (3, "v")]),
        (
            '{"a": 1}\nnothing\n{"a": "q"}\n{"a": 2}',
            "NEWLINE_DELIMITED_JSON",
            {"max_bad_records": 2},
            [(1, None), (2, None)],
        ),
        ("1,-\n2,x", "CSV", {"null_marker": "-"}, [(1, None), (2, "x")]),
    ],
)
def test_what_a_job_allows_is_loaded(
    client: bigquery.Client, content: str, form: str, config: dict[str, object], expected: list[tuple[object, ...]]
) -> None:
    job = load(client, content, form, schema=SCHEMA, **config)
    assert [tuple(row.values()) for row in rows(client)] == expected
    assert job.output_rows == len(expected)


def test_avro_brings_its_own_columns(client: bigquery.Client, tmp_path: Path) -> None:
    schema = {
        "type": "record",
        "name": "r",
        "fields": [
            {"name": "n", "type": "long"},
            {"name": "s", "type": ["null", "string"]},
            {"name": "day", "type": {"type": "int", "logicalType": "date"}},
            {"name": "many", "type": {"type": "array", "items": "double"}},
            {"name": "pairs", "type": {"type": "map", "values": "bytes"}},
            {"name": "d", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        ],
    }
    moment = datetime(2013, 1, 7, 1, 2, 3, tzinfo=UTC)
    record = {
        "n": 1,
        "s": None,
        "day": date(2013, 1, 7),
        "many": [1.5],
        "pairs": {"k": b"v"},
        "d": Decimal("1.25"),
        "at": moment,
    }
    with (tmp_path / "file.avro").open("wb") as stream:
        fastavro.writer(stream, schema, [record])
    content = (tmp_path / "file.avro").read_bytes()
    load(client, content, "AVRO", use_avro_logical_types=True)
    expected = {"n": 1, "s": None, "day": date(2013, 1, 7), "many": [1.5], "pairs": [{"key": "k", "value": b"v"}]}
    assert rows(client) == [expected | {"d": Decimal("1.25"), "at": moment}]
    assert [field.mode for field in client.get_table("d.t").schema][:2] == ["REQUIRED", "NULLABLE"]
    load(client, content, "AVRO", write_disposition="WRITE_TRUNCATE")
    [plain] = rows(client)
    assert (plain["day"], plain["at"]) == (15712, 1357520523000000)
