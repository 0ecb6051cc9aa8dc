"""Scripts in cases/*.sql: each runs in an engine of its own, and ends as its last comment lines say.

A case begins with `-- case: name` and ends with `-- rows: <JSON>` (of the last query) or `-- error: <text>`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from embedded_bigquery.catalog import Catalog
from embedded_bigquery.duck import Database
from embedded_bigquery.errors import EngineError
from embedded_bigquery.script.interpreter import run
from embedded_bigquery.script.session import Session

FOLDER = Path(__file__).parent / "cases"
CASE = re.compile(r"-- case: (?P<name>.+)\n(?P<sql>(?:.*\n)*?)-- (?P<kind>rows|error): (?P<expected>.+)\n")


def cases() -> list[Any]:
    found = []
    for file in sorted(FOLDER.glob("*.sql")):
        text = file.read_text()
        matches = list(CASE.finditer(text))
        assert len(matches) == text.count("-- case: "), f"{file.name}: a case has no rows and no error"
        found += [pytest.param(match, id=f"{file.stem}: {match['name']}") for match in matches]
    return found


@pytest.mark.parametrize("case", cases())
def test_script_ends_as_the_case_says(case: re.Match[str]) -> None:
    database = Database()
    catalog = Catalog(database, "p", "EU")
    setup = Session(database, catalog)
    run("CREATE SCHEMA d", setup, {}, lambda child: None)
    setup.close()
    session = Session(database, catalog)
    try:
        outcome = run(case["sql"], session, {}, lambda child: None)
    except EngineError as error:
        assert case["kind"] == "error", error
        assert case["expected"] in str(error)
    else:
        assert case["kind"] == "rows", outcome
        assert json.loads(json.dumps(outcome.rows, default=str)) == json.loads(case["expected"])
    finally:
        session.close()
        database.close()
