"""sql/: what `deployer check` asks of each statement holds for each file as a whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "sql"
FILES = sorted(ROOT.rglob("*.sql"))
PROCEDURES = [file for file in FILES if file.parent.name == "procedures"]


def label(file: Path) -> str:
    return str(file.relative_to(ROOT))


def columns() -> dict[str, set[str]]:
    """Table -> its column names, from the CREATE's column lines."""
    found = {}
    for file in FILES:
        if file.parent.name == "tables":
            lines = re.findall(r"^  ([a-z_0-9]+) [A-Z]", file.read_text(), re.MULTILINE)
            found[f"{file.parts[-3]}.{file.stem}"] = set(lines)
    return found


@pytest.mark.parametrize("file", PROCEDURES, ids=label)
def test_procedure_argument_never_shares_a_name_with_a_column_it_can_touch(file: Path) -> None:
    """On a clash BigQuery silently takes the column: `WHERE run_id = run_id` is always true."""
    text = file.read_text()
    body = text.split("\nBEGIN\n", 1)[1]
    arguments = set(re.findall(r"^  (?:IN|OUT|INOUT) ([a-z_0-9]+) ", text, re.MULTILINE))
    tables = {name: names for name, names in columns().items() if re.search(rf"\b{re.escape(name)}\b", body)}
    assert arguments
    assert tables
    assert {name: arguments & names for name, names in tables.items() if arguments & names} == {}
