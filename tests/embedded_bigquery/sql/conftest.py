"""GoogleSQL on an engine in memory: a script's last rows, or its error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from embedded_bigquery.catalog import Catalog
from embedded_bigquery.duck import Database
from embedded_bigquery.errors import EngineError
from embedded_bigquery.script.interpreter import run
from embedded_bigquery.script.session import Session

SCHEMA = """
CREATE SCHEMA d;
CREATE TABLE d.t (a INT64, b STRING, s STRUCT<x INT64, y STRUCT<z STRING>>, items ARRAY<INT64>);
INSERT INTO d.t VALUES
  (1, 'x', STRUCT(1, STRUCT('p')), [1, 2]),
  (2, NULL, NULL, []),
  (3, 'x', STRUCT(3, STRUCT('r')), [5]);
CREATE TABLE d.sized (
  name STRING(3), raw BYTES(2), amount NUMERIC(4, 2), need INT64 NOT NULL, made INT64 DEFAULT 7, tags ARRAY<STRING(2)>
);
"""
Rows = list[tuple[Any, ...]]


def opened() -> Iterator[Session]:
    """A session on a new engine with the tables d.t and d.sized."""
    database = Database()
    made = Session(database, Catalog(database, "p", "EU"))
    run(SCHEMA, made, {}, lambda child: None)
    yield made
    made.close()
    database.close()


@pytest.fixture
def session() -> Iterator[Session]:
    yield from opened()


@pytest.fixture
def rows(session: Session) -> Callable[[str], Rows]:
    return lambda text: [tuple(row) for row in run(text, session, {}, lambda child: None).rows]


@pytest.fixture
def error(session: Session) -> Callable[[str], str]:
    def message(text: str) -> str:
        with pytest.raises(EngineError) as caught:
            run(text, session, {}, lambda child: None)
        return caught.value.message

    return message
