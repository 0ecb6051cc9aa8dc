"""A small sql/ that tests may change, and a config for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deployer.config import Config

DEPLOYMENTS = Path(__file__).parents[3] / "sql" / "ops" / "tables" / "deployments.sql"
FILES = {
    "raw/tables/flights.sql": "CREATE TABLE IF NOT EXISTS raw.flights (\n  carrier STRING,\n  flight INT64\n);\n",
    "sid/tables/fct.sql": "CREATE TABLE IF NOT EXISTS sid.fct (\n  agent STRING\n);\n",
    "sid/views/agents.sql": "CREATE OR REPLACE VIEW sid.agents AS\nSELECT DISTINCT f.agent FROM sid.fct AS f;\n",
    "ops/procedures/note.sql": (
        "CREATE OR REPLACE PROCEDURE ops.note(IN word STRING)\nBEGIN\n  SELECT word AS noted;\nEND;\n"
    ),
    # `ops` is here the alias of a table as well as a dataset.
    "sid/procedures/publish.sql": (
        "CREATE OR REPLACE PROCEDURE sid.publish()\n"
        "BEGIN\n"
        "  INSERT INTO sid.fct (agent) SELECT ops.carrier FROM raw.flights AS ops WHERE ops.flight > 0;\n"
        "  CALL ops.note('ops.note');\n"
        "END;\n"
    ),
}


@pytest.fixture
def sql(tmp_path: Path) -> Path:
    root = tmp_path / "sql"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / "ops" / "tables").mkdir()
    shutil.copy(DEPLOYMENTS, root / "ops" / "tables")
    return root


@pytest.fixture
def config(sql: Path, tmp_path: Path) -> Config:
    return Config.model_validate(
        {
            "environment": "test",
            "warehouse": {"engine": "embedded", "project": "sid-test", "path": tmp_path / "sid.duckdb"},
            "sql": sql,
            "datasets": {"raw": "ops_raw", "sid": "dev", "ops": "dev_operations"},
            "transfers": {},
        }
    )
