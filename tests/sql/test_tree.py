"""sql/: every file is valid GoogleSQL, one CREATE that its path names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from zetasql.api import Parser

ROOT = Path(__file__).parents[2] / "sql"
FILES = sorted(ROOT.rglob("*.sql"))
PROCEDURES = [file for file in FILES if file.parent.name == "procedures"]
CREATE = re.compile(
    r"^CREATE (?:OR REPLACE (?:TABLE )?(PROCEDURE|VIEW|FUNCTION)|(TABLE) IF NOT EXISTS) ([a-z_]+)\.([a-z_0-9]+)",
    re.MULTILINE,
)
SIGNATURE = "IN window_start DATE, IN window_end DATE, IN write_mode STRING, IN run_id STRING, OUT rows_affected INT64"


def label(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", FILES, ids=label)
def test_file_parses_as_googlesql(file: Path, googlesql: Parser) -> None:
    script = googlesql.parse_script(file.read_text())
    assert script is not None


@pytest.mark.parametrize("file", FILES, ids=label)
def test_file_first_line_and_create_equal_its_path(file: Path) -> None:
    text = file.read_text()
    dataset, kind, name = file.relative_to(ROOT).with_suffix("").parts
    assert text.splitlines()[0] == f"-- {dataset}.{name}"
    creates = [(match[1] or match[2], match[3], match[4]) for match in CREATE.finditer(text)]
    assert creates == [(kind.removesuffix("s").upper(), dataset, name)]


@pytest.mark.parametrize("step", ["cleanse", "publish", "cleanup"])
@pytest.mark.parametrize("transfer", ["sid_dim_agent", "sid_fct_departure", "sid_agg_agent_daily"])
def test_transfer_has_its_procedure_with_the_one_signature(transfer: str, step: str) -> None:
    text = (ROOT / "sid" / "procedures" / f"{transfer}_{step}.sql").read_text()
    arguments = text.split(f"sid.{transfer}_{step}(", 1)[1].split(")", 1)[0]
    assert " ".join(arguments.split()) == SIGNATURE


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


@pytest.mark.parametrize("file", PROCEDURES, ids=label)
def test_procedure_header_lists_the_tables_its_body_names(file: Path) -> None:
    text = file.read_text()
    header, body = text.split("CREATE OR REPLACE", 1)
    body = re.sub(r"--.*|'[^']*'", "", body)
    listed = set(re.findall(r"[a-z_]+\.[a-z_0-9]+", re.sub(r"--.*rerun:.*", "", header.split("-- reads:")[1])))
    named = set(re.findall(r"\b(?:raw|staging|sid|ops)\.[a-z_0-9]+", body.split("BEGIN", 1)[1]))
    assert listed == named
