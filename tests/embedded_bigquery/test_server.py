"""The API over HTTP, from a process of its own."""

from __future__ import annotations

import gzip
import io
import json
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from subprocess import PIPE
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

SERVE = """
from embedded_bigquery.server import Server
with Server(port=0) as server:
    server.open(None, "local", "EU")
    server.serve(lambda address: print(address, flush=True))
"""
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with subprocess.Popen([sys.executable, "-c", SERVE], stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


def client_of(address: str) -> bigquery.Client:
    credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
    return bigquery.Client("local", credentials=credentials, client_options={"api_endpoint": address})


@pytest.fixture
def client(address: str) -> Iterator[bigquery.Client]:
    with client_of(address) as client:
        client.create_dataset("d", exists_ok=True)
        yield client


@pytest.fixture
def connection(address: str) -> Iterator[HTTPConnection]:
    made = HTTPConnection(urlsplit(address).netloc, timeout=20)
    yield made
    made.close()


def asked(connection: HTTPConnection, *request: Any, **options: Any) -> tuple[int, Any]:
    connection.request(*request, **options)
    response = connection.getresponse()
    content = response.read()
    return response.status, json.loads(content) if content else None


def test_a_client_creates_loads_calls_reads_and_sees_errors(client: bigquery.Client) -> None:
    table = client.create_table(bigquery.Table("local.d.flight", [bigquery.SchemaField("x", "INT64")]))
    client.load_table_from_json([{"x": 1}, {"x": 2}], table).result()
    client.query_and_wait("CREATE PROCEDURE d.total(OUT t INT64) BEGIN SET t = (SELECT SUM(x) FROM d.flight); END")
    assert [row.t for row in client.query_and_wait("DECLARE t INT64; CALL d.total(t); SELECT t")] == [3]
    with pytest.raises(exceptions.BadRequest, match=r"Unrecognized name: y.* at \[1:8\]"):
        client.query_and_wait("SELECT y FROM d.flight")
    with pytest.raises(exceptions.NotFound):
        client.get_table("d.nothing")


def test_a_large_file_comes_in_pieces(client: bigquery.Client) -> None:
    lines = b"".join(b'{"x": %d, "text": "%s"}\n' % (number, b"a" * 100) for number in range(40_000))
    config = bigquery.LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON", autodetect=True)
    job = client.load_table_from_file(io.BytesIO(lines), "local.d.large", job_config=config)
    assert job.result().output_rows == 40_000


def test_a_page_follows_the_other_and_timestamps_are_exact(client: bigquery.Client) -> None:
    rows = client.query_and_wait("SELECT TIMESTAMP_MICROS(x) AS t FROM UNNEST([1, 1357035420250001]) AS x", page_size=1)
    assert [row.t.timestamp() for row in rows] == [0.000001, 1357035420.250001]


def test_an_etag_of_before_a_change_is_refused(client: bigquery.Client) -> None:
    table = client.create_table("local.d.etag", exists_ok=True)
    seen = client.get_table("local.d.etag")
    table.description = "first"
    client.update_table(table, ["description"])
    seen.description = "second"
    with pytest.raises(exceptions.PreconditionFailed):
        client.update_table(seen, ["description"])


def test_clients_work_at_once(address: str) -> None:
    with client_of(address) as first, client_of(address) as second:
        first.create_dataset("shared", exists_ok=True)
        first.query_and_wait("CREATE OR REPLACE TABLE shared.t (who INT64, x INT64)")
        slow = first.query("LOOP SELECT 1; END LOOP", job_retry=None)

        def insert(client: bigquery.Client, who: int) -> None:
            for x in range(10):
                client.query_and_wait(f"INSERT shared.t VALUES ({who}, {x})")

        threads = [threading.Thread(target=insert, args=pair) for pair in ((first, 1), (second, 2))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = second.query_and_wait("SELECT who, COUNT(*) AS n, SUM(x) AS s FROM shared.t GROUP BY who ORDER BY who")
        assert [tuple(row.values()) for row in found] == [(1, 10, 45), (2, 10, 45)]
        assert second.get_job(slow.job_id).state == "RUNNING"
        second.cancel_job(slow.job_id)
        with pytest.raises(exceptions.GoogleAPICallError, match="cancelled"):
            slow.result(retry=None)


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, "1.35703542025E9"),
        ({"useInt64Timestamp": False}, "1.35703542025E9"),
        ({"useInt64Timestamp": True}, "1357035420250000"),
        ({"timestampOutputFormat": "INT64"}, "1357035420250000"),
        ({"timestampOutputFormat": "ISO8601_STRING"}, "2013-01-01T10:17:00.250000Z"),
    ],
)
def test_timestamps_are_seconds_unless_the_client_wants_them_otherwise(
    connection: HTTPConnection, options: dict[str, Any], shown: str
) -> None:
    query = {"query": "SELECT TIMESTAMP '2013-01-01 10:17:00.25'", "useLegacySql": False, "formatOptions": options}
    status, answer = asked(connection, "POST", "/bigquery/v2/projects/local/queries", json.dumps(query), JSON)
    assert (status, answer["rows"]) == (200, [{"f": [{"v": shown}]}])
    id = answer["jobReference"]["jobId"]
    given = urlencode({f"formatOptions.{key}": str(value) for key, value in options.items()})
    _, again = asked(connection, "GET", f"/bigquery/v2/projects/local/queries/{id}?{given}")
    assert again["rows"] == answer["rows"]


def test_bodies_come_whole_in_chunks_or_as_gzip(connection: HTTPConnection) -> None:
    body = json.dumps({"query": "SELECT 'naïve' AS x", "useLegacySql": False}).encode()
    path = "/bigquery/v2/projects/local/queries"
    plain = asked(connection, "POST", path, body, JSON)
    chunked = asked(connection, "POST", path, iter([body[:7], body[7:]]), JSON, encode_chunked=True)
    packed = asked(connection, "POST", path, gzip.compress(body), {**JSON, "Content-Encoding": "gzip"})
    without_version = asked(connection, "POST", "/projects/local/queries", body, JSON)
    for status, answer in (plain, chunked, packed, without_version):
        assert (status, answer["rows"]) == (200, [{"f": [{"v": "naïve"}]}])


def test_an_upload_goes_on_at_an_address_of_this_server(connection: HTTPConnection, address: str) -> None:
    path = "/upload/bigquery/v2/projects/local/jobs?uploadType=resumable"
    connection.request("POST", path, b"{}", JSON)
    response = connection.getresponse()
    response.read()
    location = response.headers["Location"]
    assert location.startswith(f"{address}/upload/bigquery/v2/projects/local/jobs?")
    piece = {"Content-Range": "bytes 0-2/9"}
    connection.request("PUT", location.removeprefix(address), b"abc", piece)
    response = connection.getresponse()
    response.read()
    assert (response.status, response.headers["Range"]) == (308, "bytes=0-2")


def test_what_has_no_content_is_answered_so(connection: HTTPConnection) -> None:
    body = {"datasetReference": {"datasetId": "gone"}}
    asked(connection, "POST", "/bigquery/v2/projects/local/datasets", json.dumps(body), JSON)
    # Java's client sends POST for PATCH.
    renamed = json.dumps({"friendlyName": "Gone"})
    headers = {**JSON, "X-HTTP-Method-Override": "PATCH"}
    assert asked(connection, "POST", "/bigquery/v2/projects/local/datasets/gone", renamed, headers)[0] == 200
    assert asked(connection, "DELETE", "/bigquery/v2/projects/local/datasets/gone") == (204, None)
    assert asked(connection, "GET", "/bigquery/v2/projects/local/datasets/gone")[0] == 404


@pytest.mark.parametrize(
    ("headers", "body", "status", "message"),
    [
        ({"Origin": "https://evil.example"}, b"{}", 403, "not https://evil.example"),
        ({"Host": "rebound.example"}, b"{}", 403, "not rebound.example"),
        ({"Content-Encoding": "gzip"}, b"{}", 400, "is not gzip"),
        ({"Content-Encoding": "br"}, b"{}", 400, "Content-Encoding br is not known here"),
        ({"Content-Length": "many"}, None, 400, "Invalid Content-Length: many"),
        ({"Transfer-Encoding": "chunked"}, b"no number\r\n", 400, "Malformed chunked body"),
        ({}, b"no JSON", 400, "the request's body is not JSON"),
    ],
)
def test_requests_of_web_pages_and_broken_ones_are_refused(
    connection: HTTPConnection, headers: dict[str, str], body: bytes | None, status: int, message: str
) -> None:
    found, answer = asked(connection, "POST", "/bigquery/v2/projects/local/queries", body, {**JSON, **headers})
    assert found == status
    assert message in answer["error"]["message"]


def test_a_client_that_goes_away_leaves_no_trace() -> None:
    with subprocess.Popen([sys.executable, "-c", SERVE], stdout=PIPE, stderr=PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        place = urlsplit(process.stdout.readline().strip())
        path = "/bigquery/v2/projects/local/queries"
        loop = json.dumps({"query": "LOOP SELECT 1; END LOOP", "timeoutMs": 1000})
        for length in (len(loop), 2 * len(loop)):  # before the answer, and amid the body
            with socket.create_connection((place.hostname, place.port), timeout=20) as gone:
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # ends with a reset
                gone.sendall(f"POST {path} HTTP/1.1\r\nHost: {place.netloc}\r\n".encode())
                gone.sendall(f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{loop}".encode())
        connection = HTTPConnection(place.netloc, timeout=20)
        assert asked(connection, "GET", "/bigquery/v2/projects/local/datasets")[0] == 200
        connection.close()
        process.terminate()
        assert (process.wait(20), process.stderr.read()) == (0, "")


def test_a_request_that_is_being_answered_at_the_end_gets_its_answer() -> None:
    with subprocess.Popen([sys.executable, "-c", SERVE], stdout=PIPE, stderr=PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        connection = HTTPConnection(urlsplit(process.stdout.readline().strip()).netloc, timeout=20)
        query = {"query": "LOOP SELECT 1; END LOOP", "timeoutMs": 0}
        _, answer = asked(connection, "POST", "/bigquery/v2/projects/local/queries", json.dumps(query), JSON)
        id = answer["jobReference"]["jobId"]
        connection.request("GET", f"/bigquery/v2/projects/local/queries/{id}?timeoutMs=20000")
        process.terminate()
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())["error"]["errors"][0]["reason"]) == (499, "stopped")
        assert (process.wait(20), process.stderr.read()) == (0, "")


def test_an_unknown_method_is_answered_in_the_apis_form(connection: HTTPConnection) -> None:
    status, answer = asked(connection, "GET", "/storage/v1/b")
    assert (status, answer["error"]["errors"][0]["reason"]) == (404, "notFound")
