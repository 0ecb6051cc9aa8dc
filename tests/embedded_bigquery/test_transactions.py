"""Transactions of many threads, through the client: conflicts are reported, and no change is lost."""

from __future__ import annotations

import random
import threading
from collections import Counter

import pytest
from google.api_core.exceptions import BadRequest, GoogleAPICallError
from google.cloud import bigquery

import embedded_bigquery

THREADS, TRANSACTIONS, ROWS = 8, 25, 5
TRANSFER = """
BEGIN TRANSACTION;
UPDATE d.a SET amount = amount - @n WHERE id = @from_row;
UPDATE d.b SET amount = amount + @n WHERE id = @to_row;
COMMIT TRANSACTION;
"""


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
    outcomes: Counter[str] = Counter()
    moved = 0
    lock = threading.Lock()

    def work(seed: int) -> None:
        nonlocal moved
        choose = random.Random(seed)
        for _ in range(TRANSACTIONS):
            n = choose.randrange(1, 9)
            config = parameters(n=n, from_row=choose.randrange(ROWS), to_row=choose.randrange(ROWS))
            try:
                client.query(TRANSFER, config, job_retry=None).result()
            except BadRequest as error:
                with lock:
                    outcomes["conflict" if "aborted due to concurrent update against table" in str(error) else "?"] += 1
            else:
                with lock:
                    outcomes["done"] += 1
                    moved += n

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes["?"] == 0
    assert outcomes["done"] + outcomes["conflict"] == THREADS * TRANSACTIONS
    assert scalar(client, "SELECT SUM(amount) FROM d.a") == 1000 * ROWS - moved
    assert scalar(client, "SELECT SUM(amount) FROM d.b") == 1000 * ROWS + moved
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
