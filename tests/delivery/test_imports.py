"""The import directions: kept by the packages, and broken by what they forbid."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Tool = Callable[..., subprocess.CompletedProcess[str]]


def test_import_directions_hold(tool: Tool) -> None:
    done = tool("lint-imports", "--no-cache")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        (
            "deployer/procedure_etl.py",
            "import deployer.sync.plan",
            "A pod that publishes carries no deploy code BROKEN",
        ),
        ("deployer/ledger.py", "import embedded_bigquery.types", "Only deployer.warehouse imports the engine BROKEN"),
        ("embedded_bigquery/types.py", "import deployer.errors", "The engine knows nothing of deployer BROKEN"),
        ("embedded_bigquery/catalog.py", "import duckdb", "Only embedded_bigquery.duck imports duckdb BROKEN"),
        ("embedded_bigquery/sql/dml.py", "import embedded_bigquery.script.scope", "finds its place here BROKEN"),
        ("deployer/sync/plan.py", "import deployer.warehouse", "neither asks the warehouse nor changes it BROKEN"),
        ("deployer/new.py", "", "deployer.new"),
    ],
)
def test_an_import_in_the_wrong_direction_is_found(
    tool: Tool, root: Path, tmp_path: Path, module: str, line: str, contract: str
) -> None:
    for package in ("deployer", "embedded_bigquery"):
        shutil.copytree(root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a") as file:
        file.write(f"\n{line}\n")
    done = tool("lint-imports", "--no-cache", cwd=tmp_path)
    assert done.returncode == 1
    assert contract in re.sub(r"\s+", " ", done.stdout)
