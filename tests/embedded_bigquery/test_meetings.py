"""Statements, jobs and requests of many threads that read, write, replace, alter and drop the same two tables."""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Callable

from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery

import embedded_bigquery

THREADS, TURNS = 5, 60
TRANSACTION = """
BEGIN
  BEGIN TRANSACTION;
  UPDATE d.{one} SET v = v + 1 WHERE k = {k};
  SELECT 1 / (SELECT COUNT(*) FROM d.{other} WHERE k = {k});
  INSERT INTO d.{other} (k, v) VALUES ({k}, 1);
  COMMIT TRANSACTION;
EXCEPTION WHEN ERROR THEN
  INSERT INTO d.{other} (k, v) VALUES ({k}, 2);
  {end} TRANSACTION;
END;
"""
STATEMENTS = (
    "INSERT INTO d.{one} (k, v) VALUES ({k}, {k})",
    "UPDATE d.{one} SET v = v + 1 WHERE k < {k}",
    "DELETE FROM d.{one} WHERE k = {k}",
    "TRUNCATE TABLE d.{one}",
    "MERGE d.{one} AS x USING (SELECT DISTINCT k FROM d.{other}) AS y ON x.k = y.k WHEN MATCHED THEN UPDATE SET v = 0",
    "CREATE OR REPLACE TABLE d.{one} AS SELECT k, k AS v FROM UNNEST(GENERATE_ARRAY(1, 9)) AS k",
    "DROP TABLE IF EXISTS d.{one}; CREATE TABLE IF NOT EXISTS d.{one} (k INT64, v INT64)",
    "ALTER TABLE d.{one} ADD COLUMN IF NOT EXISTS w INT64",
    "ALTER TABLE d.{one} DROP COLUMN IF EXISTS w",
    "SELECT * FROM d.{one}",
    "SELECT table_name, column_name FROM d.INFORMATION_SCHEMA.COLUMNS",
    TRANSACTION.replace("{end}", "COMMIT"),
    TRANSACTION.replace("{end}", "ROLLBACK"),
)
# What BigQuery says, too, of a table that is not there just then, or that others are changing all the time.
EXPECTED = re.compile(
    r"(Query error: )?(Not found: Table local:d\.[ab] was not found in location EU"
    r"|Transaction is aborted due to concurrent update against table local:d\.[ab]\."
    r"|Could not serialize access to table due to concurrent update)( at \[\d+:\d+\])?"
    r"|No schema specified on job or table\."
    r"|Not found: the table of these rows; it was replaced, altered or dropped since"
)


def load(client: bigquery.Client, one: str, other: str) -> None:
    config = bigquery.LoadJobConfig(write_disposition="WRITE_APPEND")
    client.load_table_from_json([{"k": 1, "v": 1}], f"d.{one}", job_config=config).result()


def stream(client: bigquery.Client, one: str, other: str) -> None:
    client.insert_rows_json(f"d.{one}", [{"k": 2, "v": 2}])


def gather(client: bigquery.Client, one: str, other: str) -> None:
    config = bigquery.QueryJobConfig(destination=f"local.d.{one}", write_disposition="WRITE_APPEND")
    client.query(f"SELECT k, v FROM d.{other} LIMIT 5", config, job_retry=None).result()


def copy(client: bigquery.Client, one: str, other: str) -> None:
    config = bigquery.CopyJobConfig(write_disposition="WRITE_TRUNCATE")
    client.copy_table(f"d.{other}", f"d.{one}", job_config=config).result()


def read(client: bigquery.Client, one: str, other: str) -> None:
    list(client.list_rows(client.get_table(f"d.{one}")))


REQUESTS: tuple[Callable[[bigquery.Client, str, str], None], ...] = (load, stream, gather, copy, read)


def test_who_meets_a_change_of_a_table_comes_after_it_or_is_told_in_bigquerys_words() -> None:
    client = embedded_bigquery.connect()
    client.create_dataset("d")
    client.query_and_wait("CREATE TABLE d.a (k INT64, v INT64); CREATE TABLE d.b (k INT64, v INT64)")
    messages: Counter[str] = Counter()

    def work(thread: int) -> None:
        choose = random.Random(thread)
        for _ in range(TURNS):
            one, other = choose.sample("ab", 2)
            action = choose.choice((*STATEMENTS, *REQUESTS))
            try:
                if isinstance(action, str):
                    client.query(action.format(one=one, other=other, k=choose.randrange(9)), job_retry=None).result()
                else:
                    action(client, one, other)
            except GoogleAPICallError as error:
                messages[str(error.errors[0]["message"])] += 1

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(THREADS)]
    for running in threads:
        running.start()
    for running in threads:
        running.join()
    assert [message for message in messages if EXPECTED.fullmatch(message) is None] == []
    client.query_and_wait("CREATE OR REPLACE TABLE d.a AS SELECT 1 AS k; DELETE FROM d.a WHERE k = 1")
    client.close()
