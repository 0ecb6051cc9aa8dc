"""check/: what is found, where, and in which form it is told; broken/ holds a fault a procedure."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from textwrap import indent

import pytest
from click.testing import CliRunner

from deployer.check import cache, crew
from deployer.check.checker import Report, check
from deployer.check.rules import RULES, Rule, index, page
from deployer.cli import main

REPOSITORY = Path(__file__).parents[3]
BROKEN = Path(__file__).parent / "broken"
Place = tuple[str, int, int]


def places(report: Report) -> list[Place]:
    return [(finding.code, finding.line, finding.column) for finding in report.findings]


@pytest.fixture(scope="session")
def broken() -> dict[str, Report]:
    return {report.path.stem: report for report in check([BROKEN])}


def expected() -> dict[str, Place]:
    rows = csv.reader((BROKEN / "expected.tsv").open(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return {name: (code, int(line), int(column)) for name, code, line, column, _ in rows}


def test_every_fault_is_found_once_at_its_place_and_nothing_else(broken: dict[str, Report]) -> None:
    wanted = expected()
    assert len(wanted) >= 60 and wanted.keys() <= broken.keys()
    assert {name: places(report) for name, report in broken.items() if report.findings} == {
        name: [place] for name, place in wanted.items()
    }
    assert {rule.code for rule in RULES} == {code for code, _, _ in wanted.values()}


def test_sql_of_this_repository_has_no_finding_and_nothing_unchecked() -> None:
    reports = check([REPOSITORY / "sql"])
    assert len(reports) > 30
    found = [place for report in reports for place in places(report) if place[0] != "HR10"]
    assert not found and not any(report.unchecked for report in reports)


# ---- the table of rules


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    shutil.copytree(BROKEN, tmp_path / "tree", ignore=lambda folder, names: names if Path(folder).name == "sid" else ())
    for table in ("agent", "departure"):
        for dataset in ("sid", "staging"):
            text = (BROKEN / "sid" / "tables" / f"{table}.sql").read_text().replace("sid.", f"{dataset}.")
            (tmp_path / "tree" / dataset / "tables").mkdir(parents=True, exist_ok=True)
            (tmp_path / "tree" / dataset / "tables" / f"{table}.sql").write_text(text)
    return tmp_path / "tree"


def codes_of_examples(tree: Path, example: Callable[[Rule], str]) -> dict[str, set[str]]:
    """What each rule's example gets in the tree: its statements as a procedure's, or the file that it is."""
    shutil.rmtree(tree / "sid" / "procedures", ignore_errors=True)
    (tree / "sid" / "procedures").mkdir()
    files = {}
    for rule in RULES:
        text, own = example(rule), f"sid.rule_{rule.code.lower()}"
        if not text.startswith("-- sid."):
            text = f"-- sid.example\nCREATE OR REPLACE PROCEDURE sid.example()\nBEGIN\n{indent(text, '  ')}\nEND;\n"
        text = text.replace("sid.example", own).replace("sid.other", own)
        name = text.split("\n", 1)[0].removeprefix("-- sid.")
        files[name] = rule.code
        (tree / "sid" / "procedures" / f"{name}.sql").write_text(text)
    return {
        files[report.path.stem]: {code for code, _, _ in places(report)} for report in check([tree / "sid/procedures"])
    }


def test_wrong_example_of_a_rule_breaks_it_and_the_right_one_does_not(tree: Path) -> None:
    wrong = codes_of_examples(tree, lambda rule: rule.wrong)
    right = codes_of_examples(tree, lambda rule: rule.right)
    assert len(wrong) == len(right) == len(RULES)
    assert [code for code, found in wrong.items() if code not in found] == []
    # One example cannot show the whole transfer, nor the file of the tests.
    assert [code for code, found in right.items() if code in found] == ["HR09", "HR10"]


def test_pages_of_the_rules_are_what_the_table_says() -> None:
    folder = REPOSITORY / "docs" / "rules"
    written = {file.stem: file.read_text() for file in folder.glob("*.md")}
    assert written == {"README": index(), **{rule.code: page(rule) for rule in RULES}}


# ---- the command


def run(*words: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["check", *map(str, words)])
    return done.exit_code, done.output


def test_command_tells_the_same_in_every_format() -> None:
    file = BROKEN / "sid" / "procedures" / "unknown_column.sql"
    code, line, column = expected()["unknown_column"]
    status, text = run(file)
    file = file.relative_to(Path.cwd())
    assert status == 1
    assert text.startswith(f"{file}:{line}:{column}: {code} Unrecognized name: nam; did you mean name?\n")
    _, as_json = run(file, "--json")
    [finding] = json.loads(as_json)["findings"]
    assert (finding["file"], finding["line"], finding["column"], finding["code"]) == (str(file), line, column, code)
    _, github = run(file, "--format", "github")
    assert github.startswith(f"::error file={file},line={line},col={column},title={code} unknown name::Unrecognized")
    _, sarif = run(file, "--format", "sarif")
    [ran] = json.loads(sarif)["runs"]
    [result] = ran["results"]
    assert ran["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == code
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": line, "startColumn": column}


def test_command_refuses_what_is_no_tree_with_status_2(tmp_path: Path) -> None:
    (tmp_path / "query.sql").write_text("SELECT 1")
    for path in (tmp_path, tmp_path / "query.sql", tmp_path / "none"):
        status, output = run(path)
        assert status == 2 and str(path) in output


def test_fix_rewrites_headers_alone(tree: Path) -> None:
    file = tree / "ops" / "procedures" / "note_run.sql"
    right = file.read_text()
    file.write_text(right.replace("-- writes: ops.runs\n", "").replace("-- reads:  -\n", "-- reads:  ops.a, ops.b\n"))
    status, output = run(tree, "--fix")
    assert (status, file.read_text()) == (0, right), output


# ---- the cache


def test_second_check_asks_nothing_of_the_analyzer_until_something_it_needs_changes(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache" / "sid-publisher-job").mkdir(parents=True)
    for module in cache.cache_folder().glob("*.cwasm"):
        (tmp_path / "cache" / "sid-publisher-job" / module.name).symlink_to(module)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    asked: list[str] = []
    for name in ("_outlines", "_analyse"):
        monkeypatch.setattr(crew, name, noting(asked, getattr(crew, name)))
    text = "DELETE FROM sid.departure WHERE flight_date = CURRENT_DATE() AND delay > 3;"
    file = tree / "sid" / "procedures" / "example.sql"
    file.parent.mkdir()
    file.write_text(
        "-- sid.example\n-- reads:  -\n-- writes: sid.departure\n-- calls:  -\n"
        f"CREATE OR REPLACE PROCEDURE sid.example()\nBEGIN\n  {text}\nEND;\n"
    )
    (tree / "a.test.sql").write_text("CALL sid.example();\nCALL ops.note_run();\nCALL ops.count_agents();\n")

    def checked() -> tuple[set[str], list[str]]:
        asked.clear()
        found = [code for report in check([tree]) for code, _, _ in places(report)]
        return set(asked), found

    first, found = checked()
    assert "example" in first and not found
    assert checked() == (set(), [])
    table = tree / "sid" / "tables" / "departure.sql"
    table.write_text(table.read_text().replace("delay", "delay_minutes"))
    again, found = checked()
    assert {"departure", "example"} <= again and "note_run" not in again
    assert found == ["GS01"]
    assert checked() == (set(), ["GS01"])


def noting(asked: list[str], do: Callable[[list[Path]], object]) -> Callable[[list[Path]], object]:
    def noted(paths: list[Path]) -> object:
        asked.extend(path.stem for path in paths)
        return do(paths)

    return noted
