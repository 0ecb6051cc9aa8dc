"""Transactions of many threads, through the client: conflicts are reported, and no change is lost."""

from __future__ import annotations

import random
import threading
from collections import Counter

from google.api_core.exceptions import BadRequest
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
    session = client.query("BEGIN TRANSACTION", bigquery.QueryJobConfig(create_session=True))
    session.result()
    assert session.session_info is not None
    in_session = bigquery.QueryJobConfig(
        connection_properties=[bigquery.ConnectionProperty("session_id", session.session_info.session_id)]
    )
    client.query("DELETE FROM d.t WHERE TRUE", in_session).result()
    assert scalar(client, "SELECT COUNT(*) FROM d.t") == 1
    client.query("COMMIT TRANSACTION", in_session).result()
    assert scalar(client, "SELECT COUNT(*) FROM d.t") == 0
    client.close()
