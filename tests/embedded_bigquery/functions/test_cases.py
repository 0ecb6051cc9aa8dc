"""Expressions and what they give, as files: each `=>` line is FORMAT('%T') of a row by Google's own implementation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_bigquery.catalog import Catalog
from embedded_bigquery.duck import Database
from embedded_bigquery.errors import EngineError
from embedded_bigquery.script.interpreter import run
from embedded_bigquery.script.session import Session

FILES = sorted((Path(__file__).parent / "cases").glob("*.txt"))


def cases(file: Path) -> Iterator[tuple[str, str]]:
    lines = [line for line in file.read_text().split("\n") if line and not line.startswith("--")]
    for expression, answer in zip(lines[::2], lines[1::2], strict=True):
        assert answer.startswith("=> "), f"{file.name}: {answer}"
        yield expression, answer.removeprefix("=> ")


@pytest.fixture(scope="module")
def session(database: Database) -> Iterator[Session]:
    made = Session(database, Catalog(database, "local", "EU"))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [pytest.param(*case, id=f"{file.stem}-{number}") for file in FILES for number, case in enumerate(cases(file), 1)],
)
def test_expression(session: Session, expression: str, expected: str) -> None:
    query = expression if expression.upper().startswith(("SELECT", "WITH")) else f"SELECT {expression}"
    try:
        found = run(f"SELECT FORMAT('%T', t) FROM ({query}) t", session, {}, lambda child: None).rows[0][0]
    except EngineError as error:
        found = f"error: {error.bare_message}".rstrip().rstrip()  # a line of a case has no space at its end
    assert found == expected
