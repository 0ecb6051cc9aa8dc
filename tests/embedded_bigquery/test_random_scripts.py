"""Random scripts against a model of the language that knows nothing of the engine.

Each example is told to both: every SELECT's rows, the tables afterwards, and the error that left the script must agree.
The suite runs a fixed sample. For a long search: RANDOM_SCRIPTS=100000 python -m pytest -n 0 -k random_scripts
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings

from embedded_bigquery.catalog import Catalog
from embedded_bigquery.duck import Database
from embedded_bigquery.errors import EngineError
from embedded_bigquery.script.interpreter import run
from embedded_bigquery.script.outcome import Child
from embedded_bigquery.script.session import Session

sys.path.insert(0, str(Path(__file__).parent / "model"))  # pytest's importlib mode puts no test folder there

from evaluation import Table, Undefined, in_order
from examples import Example, examples
from meaning import Machine
from script_text import procedure_text, script_text

SEARCH = os.environ.get("RANDOM_SCRIPTS")
EXAMPLES = int(SEARCH or 120)
FUEL = 250  # statements that an example may run
ROWS = "SELECT k, v FROM {} ORDER BY k, v"
CREATE = "CREATE OR REPLACE TABLE d.t0 (k INT64, v INT64); CREATE OR REPLACE TABLE d.t1 (k INT64 NOT NULL, v INT64);"


class Engine:
    """One database for all examples: each begins with tables and procedures of its own."""

    def __init__(self) -> None:
        self.database = Database()
        self.catalog = Catalog(self.database, "p", "EU")
        self.run("CREATE SCHEMA d")

    def run(self, text: str, told: list[Any] | None = None) -> Any:
        def on_child(child: Child) -> None:
            if told is not None and child.outcome is not None and child.outcome.kind == "SELECT":
                told.append(list(child.outcome.rows))

        session = Session(self.database, self.catalog)
        try:
            return run(text, session, {}, on_child)
        finally:
            session.close()

    def begin(self, example: Example) -> None:
        self.run(CREATE)
        self.run("DROP TABLE IF EXISTS d.t2")
        for table, rows in example.rows.items():
            if rows:
                values = ", ".join(f"({', '.join('NULL' if v is None else str(v) for v in row)})" for row in rows)
                self.run(f"INSERT INTO {table} (k, v) VALUES {values}")
        for procedure in example.procedures:
            self.run(procedure_text(procedure))

    def rows(self, table: str) -> list[Any]:
        return list(self.run(ROWS.format(table)).rows)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.database.close()


@dataclass
class Outcome:
    selected: list[Any]  # the rows of each SELECT
    error: str | None  # that left the script
    tables: dict[str, list[Any]]  # afterwards


def meant(example: Example) -> tuple[Outcome, bool]:
    """What the model says, and whether it knows the place of the error; raises Undefined."""
    tables = {name: Table(list(rows), name == "d.t1") for name, rows in example.rows.items()}
    machine = Machine(tables, example.procedures, FUEL)
    failure = machine.run(example.script)
    found = {name: sorted(table.rows, key=in_order) for name, table in machine.tables.items() if "." in name}
    return Outcome(machine.selected, failure and str(failure), found), failure is None or failure.at is not None


def done(engine: Engine, example: Example, tables: Iterable[str]) -> Outcome:
    """What the engine does."""
    engine.begin(example)
    selected: list[Any] = []
    error = None
    try:
        engine.run(script_text(example.script), selected)
    except EngineError as found:
        error = str(found)
    return Outcome(selected, error, {name: engine.rows(name) for name in tables})


def difference(engine: Engine, example: Example) -> str | None:
    """None when both agree; raises Undefined."""
    expected, is_placed = meant(example)
    actual = done(engine, example, expected.tables)
    if actual.error is not None and not is_placed:
        actual.error = actual.error.rpartition(" at [")[0]
    return None if actual == expected else f"expected {expected}\n  actual {actual}"


@settings(
    max_examples=EXAMPLES,
    derandomize=SEARCH is None,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(example=examples())
def test_random_scripts_mean_what_the_model_says(engine: Engine, example: Example) -> None:
    try:
        found = difference(engine, example)
    except Undefined:
        reject()
    assert found is None, found
