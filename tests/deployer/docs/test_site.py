"""`deployer docs`: a site whose links all lead somewhere, of the shipped sql/ and of a run."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from click.testing import CliRunner

from deployer.cli import main
from deployer.docs.graph import columns, svg
from deployer.source import load_tree

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    config = folder / "config.yaml"
    text = (ROOT / "config/local.yaml").read_text()
    config.write_text(text.replace("../.warehouse/", "") + f"sql: {ROOT / 'sql'}\n")
    made = CliRunner().invoke(main, ["docs", str(config), "--output", str(folder / "site")], catch_exceptions=False)
    assert made.exit_code == 0, made.output
    assert made.output.startswith(f"{len(load_tree(ROOT / 'sql')) + 1} pages; ")
    return folder / "site"


def test_every_object_has_a_page_and_every_link_leads_to_one(site: Path) -> None:
    pages = {file.name: file.read_text() for file in site.iterdir()}
    assert {f"{name}.html" for name in load_tree(ROOT / "sql")} | {"index.html"} == set(pages)
    for name, text in pages.items():
        assert set(re.findall(r'href="([^"]+)"', text)) <= set(pages), name
        assert "<script" not in text


def test_page_tells_what_reads_and_writes_and_the_definition(site: Path) -> None:
    text = (site / "sid.fct_departure.html").read_text()
    rows = dict(re.findall(r"<tr><td>(\w+ ?\w*)</td><td>(.*?)</td></tr>", text))
    assert "sid.sid_fct_departure_publish.html" in rows["written by"]
    assert "sid.sid_agg_agent_daily_cleanse.html" in rows["read by"]
    procedure = (site / "sid.sid_fct_departure_publish.html").read_text()
    assert "CREATE OR REPLACE PROCEDURE sid.sid_fct_departure_publish(" in procedure
    assert "Runs of sid_fct_departure" in procedure


def test_index_draws_the_lineage_and_says_that_nothing_ran(site: Path) -> None:
    text = (site / "index.html").read_text()
    assert "There is no warehouse yet." in text
    picture = ElementTree.fromstring(text[text.index("<svg") : text.index("</svg>") + 6])
    drawn = {each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert {"raw.flights", "sid.sid_fct_departure_cleanse", "staging.fct_departure", "sid.fct_departure"} <= drawn


def test_columns_go_from_sources_to_targets_and_a_circle_ends() -> None:
    assert columns({"a": set(), "b": {"a"}, "c": {"b", "a"}}) == [["a"], ["b"], ["c"]]
    assert sum(map(len, columns({"a": {"b"}, "b": {"a"}}))) == 2
    assert columns({}) == []


def test_names_and_texts_are_escaped() -> None:
    assert "<b>" not in svg({"<b>": set()}, {"<b>": "TABLE"})
