"""script/parser.py: nodes, places, and the same verdict as Google's parser on every file of sql/."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.script import nodes
from embedded_bigquery.script.parser import parse_script

SQL = Path(__file__).parents[2] / "sql"


@pytest.mark.parametrize("file", sorted(SQL.rglob("*.sql")), ids=lambda file: str(file.relative_to(SQL)))
def test_every_file_of_sql_is_one_statement_that_spans_its_create(file: Path) -> None:
    text = file.read_text()
    script = parse_script(text)
    [statement] = script.statements
    assert script.slice(statement) == text[text.index("CREATE") :].rstrip().removesuffix(";")
    assert isinstance(statement, nodes.CreateProcedure) == (file.parent.name == "procedures")


def test_script_spans_give_each_statement_and_expression_its_own_text() -> None:
    script = parse_script(
        "DECLARE a, b INT64 DEFAULT 1;\nSET (a, b) = (2, 3);\nIF CASE WHEN a > 1 THEN TRUE END THEN\n"
        "  SELECT 1;\nELSEIF b = 2 THEN SELECT 2; ELSE SELECT 3; END IF;"
    )
    declare, assign, choice = script.statements
    assert isinstance(declare, nodes.Declare) and isinstance(assign, nodes.Set) and isinstance(choice, nodes.If)
    assert declare.names == ("a", "b")
    assert declare.default is not None and script.slice(declare.default) == "1"
    assert assign.targets == ("a", "b") and script.slice(assign.value) == "(2, 3)"
    conditions = [script.slice(branch.condition) for branch in choice.branches]
    assert conditions == ["CASE WHEN a > 1 THEN TRUE END", "b = 2"]
    assert [script.slice(branch.body[0]) for branch in choice.branches] == ["SELECT 1", "SELECT 2"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("IF TRUE THEN\n  SELECT 1\nEND IF;", (3, 1)),
        ("SELECT 1;\nDECLARE x INT64;", (2, 1)),
        ("BREAK;", (1, 1)),
        ("a: LOOP\n  BREAK b;\nEND LOOP a;", (2, 3)),
        ("a: LOOP\n  BREAK;\nEND LOOP b;", (3, 10)),
        ("a: BEGIN\n  CONTINUE a;\nEND;", (2, 3)),
        ("BEGIN\n  SELECT 1;", (2, 12)),
        ("CALL p(1", (1, 9)),
        ("WHILE DO SELECT 1; END WHILE;", (1, 7)),
    ],
)
def test_bad_script_is_refused_at_its_place(text: str, place: tuple[int, int]) -> None:
    with pytest.raises(InvalidQuery) as caught:
        parse_script(text)
    assert caught.value.at == place
