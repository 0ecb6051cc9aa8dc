"""A local warehouse of one test: the real command publishes into it, BigQuery's own client reads it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from expected import Expected, Row, days
from google.cloud import bigquery

import embedded_bigquery
from deployer.run_pipeline import pipeline

REPO = Path(__file__).parents[2]
TRANSFERS = ("sid_dim_agent", "sid_fct_departure", "sid_agg_agent_daily")  # upstream first

COLUMNS = {
    "sid.fct_departure": (
        "departure_key STRING, flight_date DATE, agent_code STRING, flight_number INTEGER, tail_number STRING, "
        "origin STRING, destination STRING, scheduled_departure DATETIME, departure_delay_minutes INTEGER, "
        "arrival_delay_minutes INTEGER, is_cancelled BOOLEAN, air_time_minutes INTEGER, distance_miles INTEGER, "
        "seats INTEGER"
    ),
    "sid.dim_agent": (
        "agent_code STRING, agent_name STRING, hub_airport STRING, fleet_band STRING, valid_from DATE, valid_to DATE, "
        "is_current BOOLEAN"
    ),
    "sid.agg_agent_daily": (
        "flight_date DATE, agent_code STRING, agent_name STRING, departures INTEGER, cancelled INTEGER, "
        "delayed_15 INTEGER, departure_delay_minutes_total INTEGER, distance_miles_total INTEGER, on_time_share NUMERIC"
    ),
}


def january(day: int) -> date:
    return date(2013, 1, day)


WEEK = days(january(3), january(9))


class Warehouse:
    """`expected` gets every correction that the raw tables get."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "sid.duckdb"
        self.config = folder / "local.yaml"
        self.expected = Expected()
        content = yaml.safe_load((REPO / "config" / "local.yaml").read_text())
        content["warehouse"]["path"] = str(self.file)
        content |= {"sql": str(REPO / "sql"), "sample_data": str(REPO / "sample_data")}
        self.config.write_text(yaml.safe_dump(content))

    def copy(self, folder: Path) -> Warehouse:
        """The same published rows in a file of its own; corrections are not copied."""
        for part in self.file.parent.glob(f"{self.file.name}*"):
            shutil.copy(part, folder)
        return Warehouse(folder)

    def publish(self, first: date, last: date, mode: str = "delta", *, process: bool = False) -> None:
        """All three transfers; a truncate begins at the config's start_date, whatever `first` is."""
        for transfer in TRANSFERS:
            self.run(transfer, first, last, mode, process=process)

    def run(self, transfer: str, first: date, last: date, mode: str = "delta", *, process: bool = False) -> None:
        """One run of the command, in this process or, at a second each, in its own."""
        arguments = [f"{last:%Y%m%d}", transfer, mode, str(self.config)]
        if first != last and mode == "delta":
            arguments.append(f"--delta_start_date={first:%Y%m%d}")
        if process:
            self.command("run_pipeline", *arguments)
        else:
            pipeline.main(arguments, standalone_mode=False)

    def command(self, module: str, *arguments: str) -> None:
        command = [sys.executable, "-m", f"deployer.{module}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"

    def correct(self, *statements: str) -> None:
        """Changes raw rows here and in `expected`."""
        with self.client() as client:
            for statement in statements:
                job = client.query(statement)
                job.result()
                assert job.num_dml_affected_rows == self.expected.correct(statement), statement

    def rows(self, table: str) -> list[Row]:
        return self.query(f"SELECT * FROM {table}")

    def query(self, query: str) -> list[Row]:
        with self.client() as client:
            return [row.values() for row in client.query(query).result()]

    @contextmanager
    def client(self) -> Iterator[bigquery.Client]:
        client: Any = embedded_bigquery.connect(self.file, project="sid-local", location="EU")
        try:
            yield client
        finally:
            client.close()  # one process at a time may have the file open


def assert_equal(found: list[Row], wanted: list[Row]) -> None:
    """Row for row, in any order, with the values' types: True is not 1."""
    here, there = (Counter(tuple((type(value), value) for value in row) for row in rows) for rows in (found, wanted))
    surplus, missing = (
        [tuple(value for _, value in row) for row in sorted(difference.elements(), key=repr)]
        for difference in (here - there, there - here)
    )
    assert not (surplus or missing), (
        f"{len(surplus)} rows too many, first {surplus[:5]}; {len(missing)} rows missing, first {missing[:5]}"
    )


def assert_targets(warehouse: Warehouse, published: list[date]) -> None:
    with warehouse.client() as client:
        found = {table: [row.values() for row in client.query(f"SELECT * FROM {table}").result()] for table in COLUMNS}
        staged = {
            table.table_id: [row.values() for row in client.query(f"SELECT * FROM staging.{table.table_id}").result()]
            for table in client.list_tables("staging")
        }
    assert_equal(found["sid.dim_agent"], warehouse.expected.agents(published))
    assert_equal([row[1:] for row in found["sid.fct_departure"]], warehouse.expected.departures(published))
    assert_equal(found["sid.agg_agent_daily"], warehouse.expected.agent_days(published))
    keys = {row[0] for row in found["sid.fct_departure"]}
    assert len(keys) == len(found["sid.fct_departure"])
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in keys)
    assert staged and not any(staged.values())


def snapshot(warehouse: Warehouse) -> dict[str, list[Row]]:
    """All that a repeated run must leave as it is, departure keys included."""
    return {table: sorted(warehouse.rows(table), key=repr) for table in COLUMNS}


def flight(warehouse: Warehouse, day: date, carrier: str) -> dict[str, Any]:
    """The agent's first raw row of the day."""
    rows = [row for row in warehouse.expected.raw("flights") if (row["flight_date"], row["carrier"]) == (day, carrier)]
    return min(rows, key=lambda row: (row["sched_dep_time"], row["flight"]))
