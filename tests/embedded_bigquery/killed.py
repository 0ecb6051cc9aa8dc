"""What test_kill.py kills: processes that open one warehouse, check what the last one left, and change it for ever.

`python killed.py FILE` forks one for each line on its standard input, a seed, and says when it is over; a fork is
a process of its own that need not import everything again. They say what they have done once they were told so.
"""

from __future__ import annotations

import os
import random
import sys
import traceback
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from embedded_bigquery.api import Api
from embedded_bigquery.catalog import fields_of
from embedded_bigquery.duck import execute, fetch
from embedded_bigquery.engine import Engine
from embedded_bigquery.script import interpreter  # noqa: F401 (imported late otherwise, after the forks)
from embedded_bigquery.sql.functions.registry import lookup
from embedded_bigquery.transport import ENDPOINT, session

ROWS = 5_000  # of a batch: so many that DuckDB makes a checkpoint now and then
SETUP = """
CREATE SCHEMA IF NOT EXISTS d;
CREATE TABLE IF NOT EXISTS d.left_side (id STRING NOT NULL, n INT64, filler STRING DEFAULT REPEAT('x', 60));
CREATE TABLE IF NOT EXISTS d.right_side (id STRING, n INT64, filler STRING DEFAULT REPEAT('x', 60));
CREATE TABLE IF NOT EXISTS d.total (amount INT64) AS SELECT 0 AS amount;
CREATE TABLE IF NOT EXISTS d.streamed (id STRING);
CREATE TABLE IF NOT EXISTS d.grown (id STRING);
"""
TRANSACTION = f"""
BEGIN TRANSACTION;
INSERT INTO d.left_side (id, n) SELECT @id, n FROM UNNEST(GENERATE_ARRAY(1, {ROWS})) AS n;
UPDATE d.left_side SET n = n + 1 WHERE id != @id AND MOD(n, 100) = @part;
UPDATE d.total SET amount = amount + {ROWS} WHERE TRUE;
UPDATE d.right_side SET n = n + 1 WHERE MOD(n, 100) = @part;
INSERT INTO d.right_side (id, n) SELECT @id, n FROM UNNEST(GENERATE_ARRAY(1, {ROWS})) AS n;
COMMIT TRANSACTION;
"""


def say(*words: str) -> None:
    os.write(1, (" ".join(words) + "\n").encode())


# ---- what a process does


def change(client: bigquery.Client, choose: random.Random, seed: str) -> None:
    kinds = ["transaction"] * 4 + [
        "table",
        "table",
        "procedure",
        "procedure",
        "column",
        "drop",
        "replace",
        "stream",
        "api",
    ]
    for turn in count():
        id, kind = f"{seed}_{turn}", choose.choice(kinds)
        if kind == "transaction":
            values = [("id", "STRING", id), ("part", "INT64", choose.randrange(100))]
            parameters = [bigquery.ScalarQueryParameter(*value) for value in values]
            client.query_and_wait(TRANSACTION, job_config=bigquery.QueryJobConfig(query_parameters=parameters))
        elif kind == "stream":
            client.insert_rows_json("d.streamed", [{"id": id}])
        elif kind == "api":
            table = bigquery.Table("local.d.api_" + id, [bigquery.SchemaField("a", "INT64")])
            table = client.create_table(table)
            table.schema = [*table.schema, bigquery.SchemaField("b", "STRING")]
            client.update_table(table, ["schema"])
        else:
            client.query_and_wait(DEFINITIONS[kind].format(id=id))
        say("done", kind, id)


DEFINITIONS = {
    "table": "CREATE TABLE d.made_{id} (a INT64, b STRING DEFAULT GENERATE_UUID()) AS SELECT 1 AS a, 'x' AS b",
    "procedure": "CREATE PROCEDURE d.call_{id}(OUT found STRING) BEGIN SET found = '{id}'; END",
    "column": "ALTER TABLE d.grown ADD COLUMN c_{id} INT64",
    "drop": "CREATE TABLE d.gone_{id} (a INT64); DROP TABLE d.gone_{id}",
    "replace": "CREATE OR REPLACE TABLE d.replaced AS SELECT '{id}' AS id, n FROM UNNEST(GENERATE_ARRAY(1, 500)) AS n",
}


# ---- what must hold


def opened(path: Path) -> tuple[Engine, bigquery.Client]:
    """As embedded_bigquery.connect does, with the engine to look into."""
    engine = Engine(path, "local", "EU")
    options = {"credentials": AnonymousCredentials(), "client_options": {"api_endpoint": ENDPOINT}}
    return engine, bigquery.Client("local", _http=session(Api(engine)), **options)


def problems(engine: Engine) -> Iterator[str]:
    """Of the metadata and the tables that it describes."""
    catalog = engine.catalog
    described = {
        f"{dataset}.{table['tableReference']['tableId']}": [field.name for field in fields_of(table)]
        for dataset in [found["datasetReference"]["datasetId"] for found in catalog.datasets("local")]
        for table in catalog.tables("local", dataset)
    }
    stored: dict[str, list[str]] = {}
    columns = "SELECT schema_name || '.' || table_name, column_name FROM duckdb_columns() WHERE NOT internal "
    with engine.connection() as connection:
        columns += " AND schema_name != '_bigquery' ORDER BY column_index"
        for name, column in fetch(execute(connection, columns)):
            stored.setdefault(name, []).append(column)
    if described != stored:
        yield f"the metadata says {described}, the file has {stored}"


def differences(client: bigquery.Client) -> Iterator[str]:
    """Of what a transaction changes together."""
    sides = [
        {
            row.id: (row.c, row.n)
            for row in client.query_and_wait(f"SELECT id, COUNT(*) c, SUM(n) n FROM d.{side} GROUP BY id")
        }
        for side in ("left_side", "right_side")
    ]
    [total] = client.query_and_wait("SELECT amount FROM d.total")
    if sides[0] != sides[1]:
        yield f"the sides differ: {sides}"
    if {found for found, _ in sides[0].values()} - {ROWS} or total.amount != ROWS * len(sides[0]):
        yield f"half of a transaction: {total.amount}, {sides[0]}"


def work(path: Path, seed: str) -> None:
    engine, client = opened(path)
    for problem in problems(engine):
        say("wrong", problem)
    client.query_and_wait(SETUP)
    for problem in differences(client):
        say("wrong", problem)
    say("ready")
    change(client, random.Random(seed), seed)


def main() -> None:
    lookup("SUM")  # reads all functions, once for all forks
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            say("pid", str(os.getpid()))
            try:
                work(Path(sys.argv[1]), line.strip())
            except BaseException:
                say("wrong", traceback.format_exc().replace("\n", " | "))
            os._exit(1)
        os.waitpid(child, 0)
        say("over")


if __name__ == "__main__":
    main()
