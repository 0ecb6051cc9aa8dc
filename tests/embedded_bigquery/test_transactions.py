"""Transactions of many threads, through the client: conflicts are reported, and no change is lost."""

from __future__ import annotations

import random
import re
import threading
import time
from contextlib import nullcontext, suppress

import pytest
from google.api_core.exceptions import BadRequest, GoogleAPICallError
from google.cloud import bigquery

import embedded_bigquery

THREADS, TRANSACTIONS, ROWS = 8, 200, 5
CONFLICT = re.compile(
    r"Query error: Transaction is aborted due to concurrent update against table local:d\.[ab]\. at \[[345]:1\]"
)
TRANSFER = """
BEGIN TRANSACTION;
UPDATE d.a SET amount = amount - @n WHERE id = @from_row;
UPDATE d.b SET amount = amount + @n WHERE id = @to_row;
INSERT INTO d.moves (id, n) VALUES (@id, @n);
COMMIT TRANSACTION;
"""
TOTAL = "SELECT (SELECT SUM(amount) FROM d.a) + (SELECT SUM(amount) FROM d.b)"


def parameters(**values: int) -> bigquery.QueryJobConfig:
    return bigquery.QueryJobConfig(
        query_parameters=[bigquery.ScalarQueryParameter(name, "INT64", value) for name, value in values.items()]
    )


def scalar(client: bigquery.Client, sql: str) -> int:
    [row] = client.query_and_wait(sql)
    return int(row[0])


def test_concurrent_transactions_keep_the_sum_and_report_conflicts() -> None:
    client = embedded_bigquery.connect()
    client.create_dataset("d")
    for table in ("a", "b"):
        client.query_and_wait(f"CREATE TABLE d.{table} AS SELECT id, 1000 AS amount FROM UNNEST([0, 1, 2, 3, 4]) AS id")
    client.query_and_wait("CREATE TABLE d.moves (id INT64, n INT64)")
    done: dict[int, int] = {}
    conflicts: list[str] = []
    totals: set[int] = set()
    writing = threading.Event()
    writing.set()

    def write(thread: int) -> None:
        choose = random.Random(thread)
        for turn in range(TRANSACTIONS):
            id, n = thread * TRANSACTIONS + turn, choose.randrange(1, 9)
            config = parameters(id=id, n=n, from_row=choose.randrange(ROWS), to_row=choose.randrange(ROWS))
            try:
                client.query_and_wait(TRANSFER, job_config=config, job_retry=None)
            except BadRequest as error:
                conflicts.append(error.errors[0]["message"])
                time.sleep(choose.random() / 10)  # so that not all of them only get in each other's way
            else:
                done[id] = n

    def read() -> None:
        while writing.is_set():
            totals.add(scalar(client, TOTAL))
            time.sleep(0.02)

    writers = [threading.Thread(target=write, args=(thread,)) for thread in range(THREADS)]
    reader = threading.Thread(target=read)
    for thread in (*writers, reader):
        thread.start()
    for thread in writers:
        thread.join()
    writing.clear()
    reader.join()
    assert [message for message in conflicts if CONFLICT.fullmatch(message) is None] == []
    assert len(done) + len(conflicts) == THREADS * TRANSACTIONS
    assert {row.id: row.n for row in client.query_and_wait("SELECT id, n FROM d.moves")} == done
    assert totals == {2 * 1000 * ROWS}
    assert scalar(client, "SELECT SUM(amount) FROM d.a") == 1000 * ROWS - sum(done.values())
    assert scalar(client, "SELECT SUM(amount) FROM d.b") == 1000 * ROWS + sum(done.values())
    client.close()


def test_statements_outside_transactions_are_queued() -> None:
    client = embedded_bigquery.connect()
    client.create_dataset("d")
    client.query_and_wait("CREATE TABLE d.t AS SELECT 0 AS n")
    jobs = [client.query("UPDATE d.t SET n = n + 1 WHERE TRUE") for _ in range(30)]
    for job in jobs:
        job.result()
    assert scalar(client, "SELECT n FROM d.t") == 30
    client.close()


def test_reader_sees_the_table_as_it_was_while_a_transaction_is_open() -> None:
    client = embedded_bigquery.connect()
    client.create_dataset("d")
    client.query_and_wait("CREATE TABLE d.t AS SELECT 1 AS n")
    in_session = session_of(client)
    client.query("BEGIN TRANSACTION", in_session).result()
    client.query("DELETE FROM d.t WHERE TRUE", in_session).result()
    assert scalar(client, "SELECT COUNT(*) FROM d.t") == 1
    client.query("COMMIT TRANSACTION", in_session).result()
    assert scalar(client, "SELECT COUNT(*) FROM d.t") == 0
    client.close()


def session_of(client: bigquery.Client) -> bigquery.QueryJobConfig:
    job = client.query("SELECT 1", bigquery.QueryJobConfig(create_session=True))
    job.result()
    assert job.session_info is not None
    return bigquery.QueryJobConfig(
        connection_properties=[bigquery.ConnectionProperty("session_id", job.session_info.session_id)]
    )


def test_session_goes_on_after_a_cancelled_job() -> None:
    client = embedded_bigquery.connect()
    config = session_of(client)
    endless = client.query("WHILE TRUE DO SELECT 1; END WHILE", config)
    client.cancel_job(endless.job_id)
    with pytest.raises(GoogleAPICallError):
        endless.result()
    assert [row[0] for row in client.query("SELECT 7", config).result()] == [7]
    client.close()


def test_aborted_session_takes_no_job_and_rolls_back() -> None:
    client = embedded_bigquery.connect()
    client.create_dataset("d")
    client.query_and_wait("CREATE TABLE d.t AS SELECT 1 AS n")
    config = session_of(client)
    client.query("BEGIN TRANSACTION; DELETE FROM d.t WHERE TRUE", config).result()
    client.query("CALL BQ.ABORT_SESSION()", config).result()
    with pytest.raises(BadRequest, match="terminated"):
        client.query("SELECT 1", config).result()
    assert scalar(client, "SELECT COUNT(*) FROM d.t") == 1
    client.close()


CONFLICTS = "Transaction is aborted due to concurrent update against table local:d.t."
# What a transaction does to d.t, what is done elsewhere, what the transaction does then, and what comes of it.
MEETINGS = {
    "an INSERT and an UPDATE": ("INSERT INTO d.t VALUES (3)", "UPDATE d.t SET n = 2 WHERE n = 1", "SELECT 0", [2, 3]),
    "an INSERT and a TRUNCATE": ("INSERT INTO d.t VALUES (3)", "TRUNCATE TABLE d.t", "SELECT 0", [3]),
    "an UPDATE and an INSERT": ("UPDATE d.t SET n = 2 WHERE TRUE", "INSERT INTO d.t VALUES (3)", "SELECT 0", [2, 3]),
    "two UPDATEs": ("SELECT 0", "UPDATE d.t SET n = 2 WHERE TRUE", "UPDATE d.t SET n = 3 WHERE TRUE", CONFLICTS),
    "an UPDATE and DROP": ("UPDATE d.t SET n = 2 WHERE TRUE", "DROP TABLE d.t", "SELECT 0", CONFLICTS),
    "an INSERT and a new table": (
        "INSERT INTO d.t VALUES (3)",
        "CREATE OR REPLACE TABLE d.t (n INT64)",
        "SELECT 0",
        CONFLICTS,
    ),
    "a new table and a SELECT": ("SELECT 0", "CREATE OR REPLACE TABLE d.t (n INT64)", "SELECT n FROM d.t", CONFLICTS),
    "a new column and a SELECT": ("SELECT 0", "ALTER TABLE d.t ADD COLUMN m INT64", "SELECT m FROM d.t", CONFLICTS),
    "a failure after an INSERT elsewhere": (
        "DELETE FROM d.t WHERE TRUE",
        "INSERT INTO d.t VALUES (3)",
        "SELECT 1 / 0",
        CONFLICTS,
    ),
    "a failure after an UPDATE of what was read": (
        "SELECT n FROM d.t",
        "UPDATE d.t SET n = 2 WHERE TRUE",
        "SELECT 1 / 0",
        CONFLICTS,
    ),
    "a failure after changes of other tables": (
        "UPDATE d.t SET n = 2 WHERE TRUE",
        "INSERT INTO d.u VALUES (3)",
        "SELECT 1 / 0",
        [2],
    ),
    "a failure after random values": (
        "INSERT INTO d.t SELECT CAST(RAND() AS INT64)",
        "SELECT 0",
        "SELECT 1 / 0",
        "not supported: going on",
    ),
    "a failure after a word in quotes": (
        "UPDATE d.t SET n = LENGTH('random()') WHERE TRUE",
        "SELECT 0",
        "SELECT 1 / 0",
        [8],
    ),
}


@pytest.mark.parametrize(("first", "elsewhere", "then", "result"), MEETINGS.values(), ids=MEETINGS)
def test_transaction_commits_only_what_it_saw(first: str, elsewhere: str, then: str, result: list[int] | str) -> None:
    client = embedded_bigquery.connect()
    client.create_dataset("d")
    client.query_and_wait("CREATE TABLE d.t AS SELECT 1 AS n; CREATE TABLE d.u AS SELECT 1 AS n")
    in_session = session_of(client)
    client.query(f"BEGIN TRANSACTION; {first}", in_session).result()
    client.query_and_wait(elsewhere)
    found: list[int] | str
    try:
        with suppress(BadRequest) if "1 / 0" in then else nullcontext():
            client.query(then, in_session).result()
        client.query("COMMIT TRANSACTION", in_session).result()
        found = [row.n for row in client.query_and_wait("SELECT n FROM d.t ORDER BY n")]
    except BadRequest as error:
        found = str(error)
        client.query("ROLLBACK TRANSACTION", in_session).result()
    assert found == result if isinstance(result, list) else result in found
    client.query_and_wait("CREATE OR REPLACE TABLE d.t AS SELECT 1 AS n; UPDATE d.t SET n = 2 WHERE TRUE")
    client.close()


def test_transaction_keeps_its_time_after_a_failed_statement() -> None:
    client = embedded_bigquery.connect()
    client.create_dataset("d")
    client.query_and_wait("CREATE TABLE d.t (made TIMESTAMP, word STRING)")
    script = """
    BEGIN
      BEGIN TRANSACTION;
      INSERT INTO d.t VALUES (CURRENT_TIMESTAMP(), 'now()');
      SELECT 1 / 0;
    EXCEPTION WHEN ERROR THEN
      INSERT INTO d.t SELECT CURRENT_TIMESTAMP(), 'now()';
      SELECT COUNT(*), COUNT(DISTINCT made), MIN(word), LOGICAL_AND(made = CURRENT_TIMESTAMP()) FROM d.t;
      COMMIT TRANSACTION;
    END;
    """
    job = client.query(script)
    job.result()
    children = client.list_jobs(parent_job=job)
    rows = [tuple(row) for job in children if job.statement_type == "SELECT" and not job.error_result for row in job]
    assert rows == [(2, 1, "now()", True)]
    client.close()
