"""Runs one function or CAST on DuckDB, without a parser: arguments are DuckDB text with a BigQuery type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from embedded_bigquery.duck import Connection, Database
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.functions.conversion import cast
from embedded_bigquery.sql.functions.registry import Call, lookup
from embedded_bigquery.sql.functions.signatures import parse_type

# (value as text, result type as text)
Answer = tuple[Any, str]


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    made = Database()
    made.add_natives("bq_error(")
    yield made
    made.close()


@pytest.fixture(scope="session")
def duck(database: Database) -> Connection:
    return database.cursor()


def _argument(argument: Any) -> tuple[str, str | None, nodes.Node | None]:
    """A str is a STRING literal, an int an INT64 literal, (text, TYPE) an expression, (word, None) a keyword."""
    if isinstance(argument, str):
        return "'" + argument.replace("'", "''") + "'", "STRING", nodes.String((1, 1), argument)
    if isinstance(argument, int):
        return str(argument), "INT64", nodes.Number((1, 1), str(argument))
    text, kind = argument
    return text, kind, nodes.Path((1, 1), (text,))


@pytest.fixture
def evaluate(duck: Connection) -> Callable[..., Answer]:
    def run(name: str, *arguments: Any, rows: str = "", **modifiers: Any) -> Answer:
        function = lookup(name)
        assert function is not None, name
        parts = [_argument(argument) for argument in arguments]
        call = Call(
            name.upper().removeprefix("SAFE."),
            tuple(part[0] for part in parts),
            tuple(parse_type(part[1]) if part[1] else None for part in parts),
            tuple(part[2] for part in parts),
            **modifiers,
        )
        bound = function.bind(call)
        found = duck.execute(f"SELECT CAST({function.render(bound)} AS VARCHAR) {rows}").fetchone()
        assert found is not None
        return found[0], str(bound.result)

    return run


@pytest.fixture
def convert(duck: Connection) -> Callable[..., Any]:
    def run(text: str, source: str, target: str, **options: Any) -> Any:
        given = parse_type(source)
        value = f"CAST({text} AS {given.duckdb()})"
        found = duck.execute(f"SELECT CAST({cast(value, given, parse_type(target), **options)} AS VARCHAR)").fetchone()
        assert found is not None
        return found[0]

    return run
