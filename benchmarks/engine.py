"""What the embedded engine costs beside plain DuckDB, as a table: `python -m benchmarks.engine`.

The statements run on the flights of 2013; each pair says the same in BigQuery's SQL and in DuckDB's.
Exit status 1 when a target is missed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import duckdb
from google.cloud import bigquery

import embedded_bigquery
from benchmarks.measuring import Measure, process, ratio, side_by_side, table, timed, undisturbed

# BigQuery's text, and DuckDB's where it is another.
STATEMENTS: dict[str, tuple[str, str | None]] = {
    "aggregate by two keys": (
        """SELECT COUNT(*), SUM(n), AVG(delay) FROM (
             SELECT tailnum, flight_date, COUNT(*) AS n, AVG(dep_delay) AS delay, COUNT(DISTINCT dest) AS places
             FROM bench.flights GROUP BY tailnum, flight_date)""",
        None,
    ),
    "join of flights with the next ones": (
        """SELECT COUNT(*), AVG(b.dep_delay - a.arr_delay) FROM bench.flights AS a
           JOIN bench.flights AS b ON a.tailnum = b.tailnum AND a.month = b.month AND a.time_hour < b.time_hour""",
        None,
    ),
    "window over each aircraft": (
        """SELECT MAX(s), MAX(p) FROM (
             SELECT SUM(distance) OVER w AS s, LAG(dest) OVER w AS p FROM bench.flights
             WINDOW w AS (PARTITION BY tailnum ORDER BY time_hour, flight))""",
        None,
    ),
    "newest row of each key (QUALIFY) into a table": (
        """CREATE OR REPLACE TABLE bench.newest AS SELECT * FROM bench.flights WHERE TRUE
           QUALIFY ROW_NUMBER() OVER (PARTITION BY carrier, flight, origin ORDER BY time_hour DESC) = 1""",
        None,
    ),
    "sorted copy": (
        "CREATE OR REPLACE TABLE bench.sorted AS SELECT * FROM bench.flights ORDER BY dest, time_hour",
        None,
    ),
    "texts and dates": (
        """SELECT COUNT(DISTINCT CONCAT(carrier, '-', CAST(flight AS STRING), '-', FORMAT_DATE('%Y%m%d', flight_date))),
             COUNTIF(REGEXP_CONTAINS(tailnum, r'^N\\d{3}[A-M]')), MAX(UPPER(SUBSTR(dest, 2))),
             COUNT(DISTINCT DATE_TRUNC(flight_date, WEEK)), SUM(EXTRACT(HOUR FROM time_hour))
           FROM bench.flights""",
        """SELECT COUNT(DISTINCT concat(carrier, '-', CAST(flight AS VARCHAR), '-', strftime(flight_date, '%Y%m%d'))),
             count(*) FILTER (WHERE regexp_matches(tailnum, '^N\\d{3}[A-M]')), max(upper(substr(dest, 2))),
             COUNT(DISTINCT date_trunc('week', flight_date + 1) - to_days(1)), sum(extract(hour FROM time_hour))
           FROM bench.flights""",
    ),
    "DELETE of a window and INSERT, in one transaction": (
        """BEGIN TRANSACTION;
           DELETE FROM bench.target WHERE flight_date BETWEEN '2013-03-01' AND '2013-08-31';
           INSERT INTO bench.target SELECT * FROM bench.flights WHERE flight_date BETWEEN '2013-03-01' AND '2013-08-31';
           COMMIT TRANSACTION""",
        None,
    ),
    "MERGE of a month": (
        """MERGE bench.target AS t USING (SELECT * FROM bench.flights WHERE month = 7) AS s
           ON t.carrier = s.carrier AND t.flight = s.flight AND t.time_hour = s.time_hour AND t.origin = s.origin
           WHEN MATCHED THEN UPDATE SET dep_delay = s.dep_delay, arr_delay = s.arr_delay""",
        """MERGE INTO bench.target AS t USING (SELECT * FROM bench.flights WHERE month = 7) AS s
           ON t.carrier = s.carrier AND t.flight = s.flight AND t.time_hour = s.time_hour AND t.origin = s.origin
           WHEN MATCHED THEN UPDATE SET dep_delay = s.dep_delay, arr_delay = s.arr_delay""",
    ),
}
LONG = 0.1  # seconds of DuckDB's work from which the target holds
LOOP = """DECLARE n, odd INT64 DEFAULT 0;
WHILE n < 1000 DO
  SET n = n + 1;
  IF MOD(n, 2) = 1 THEN SET odd = odd + 1; END IF;
END WHILE;
SELECT odd;"""
CLIENT = "import google.cloud.bigquery"
FIRST_ROW = f"{CLIENT}; import embedded_bigquery as e; print(list(e.connect().query_and_wait('SELECT 1')))"
LOAD_HERE = """
import sys, embedded_bigquery
from google.cloud import bigquery
client = embedded_bigquery.connect(sys.argv[1] + "/load_ours.duckdb")
client.create_dataset("bench")
config = bigquery.LoadJobConfig(source_format="PARQUET")
with open(sys.argv[2], "rb") as file:
    client.load_table_from_file(file, "local.bench.flights", job_config=config).result()
"""
LOAD_THERE = """
import sys, duckdb
from google.cloud import bigquery
connection = duckdb.connect(sys.argv[1] + "/load_theirs.duckdb")
connection.execute("CREATE TABLE flights AS FROM read_parquet(?)", [sys.argv[2]])
"""
JOBS = """
import embedded_bigquery
client = embedded_bigquery.connect()
def memory():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmRSS")).split()[1])
for n in range(1, {last} + 1):
    client.query_and_wait(f"SELECT {{n}} AS n, 'text' AS t")
    if n in ({first}, {last}):
        print(memory())
"""


@click.command()
@click.option("--quick", is_flag=True, help="A month of flights and few repeats: to see that it runs.")
def main(quick: bool) -> None:
    """Print the table of the engine's costs."""
    with tempfile.TemporaryDirectory() as folder:
        last = "20130131" if quick else "20131231"
        words = ("-m", "benchmarks.flights", "--from", "20130101", "--to", last, "-o", folder)
        process(*words)
        parquet = Path(folder) / "flights.parquet"
        measures = [
            *_statements(Path(folder), parquet, 1 if quick else 7),
            *_small_jobs(20 if quick else 300),
            *_processes(Path(folder), parquet, 1 if quick else 7),
            _history(20 if quick else 1_000, 40 if quick else 5_000),
        ]
    click.echo(table(measures))
    sys.exit(not quick and not all(each.is_met for each in measures))


def _statements(folder: Path, parquet: Path, repeats: int) -> Iterator[Measure]:
    client = embedded_bigquery.connect(folder / "ours.duckdb")
    theirs = duckdb.connect(folder / "theirs.duckdb")
    theirs.execute("SET TimeZone = 'UTC'")
    client.create_dataset("bench")
    with parquet.open("rb") as file:
        config = bigquery.LoadJobConfig(source_format="PARQUET")
        client.load_table_from_file(file, "local.bench.flights", job_config=config).result()
    client.query_and_wait("CREATE TABLE bench.target AS SELECT * FROM bench.flights")
    theirs.execute("CREATE SCHEMA bench")
    theirs.execute("CREATE TABLE bench.flights AS FROM read_parquet(?)", [str(parquet)])
    theirs.execute("CREATE TABLE bench.target AS FROM bench.flights")
    for name, (sql, other) in STATEMENTS.items():
        text = other or sql
        ours, plain = side_by_side(
            lambda sql=sql: list(client.query_and_wait(sql)),  # type: ignore[misc]
            lambda text=text: theirs.execute(text).fetchall(),  # type: ignore[misc]
            repeats,
        )
        found, note = ratio(ours, plain)
        yield Measure(f"{name}, beside plain DuckDB", found, "x", 1.15 if min(plain) >= LONG else None, note)
    client.close()
    theirs.close()


def _small_jobs(repeats: int) -> Iterator[Measure]:
    client = embedded_bigquery.connect()
    client.create_dataset("d")
    client.query_and_wait("CREATE PROCEDURE d.nothing(IN n INT64) BEGIN SELECT n; END")
    for name, sql, most in (("`SELECT 1`", "SELECT 1", 2), ("a trivial `CALL`", "CALL d.nothing(1)", 4)):
        list(client.query_and_wait(sql))
        seconds = [timed(lambda sql=sql: list(client.query_and_wait(sql))) for _ in range(repeats)]  # type: ignore[misc]
        yield Measure(f"{name} through the client", undisturbed(seconds) * 1e3, "ms", most)
    loops = [timed(lambda: list(client.query_and_wait(LOOP))) for _ in range(3)]
    yield Measure("a WHILE loop of 1,000 with SET and IF", min(loops), "s", 1.0)
    client.close()


def _processes(folder: Path, parquet: Path, repeats: int) -> Iterator[Measure]:
    codes = (FIRST_ROW, CLIENT)
    seconds = [[process(code=code).cpu_seconds for code in codes] for _ in range(repeats + 1)][1:]
    first_row, client = map(min, zip(*seconds, strict=True))
    name = "`connect()` to the first row, beyond the client's import (processor time)"
    yield Measure(name, (first_row - client) * 1e3, "ms", 150)
    ours, theirs = (process(str(folder), str(parquet), code=code).peak_bytes for code in (LOAD_HERE, LOAD_THERE))
    note = f"{ours / 2**20:.0f} MB"
    yield Measure("peak memory of a load of the file, beside plain DuckDB", ours / theirs, "x", 1.5, note)


def _history(first: int, last: int) -> Measure:
    code = JOBS.format(first=first, last=last)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    early, late = (int(line) for line in done.stdout.split())
    note = f"{early / 1024:.0f} MB, then {late / 1024:.0f} MB"
    return Measure(f"memory after {last:,} jobs, beside {first:,}", late / early, "x", 1.1, note)


if __name__ == "__main__":
    main()
