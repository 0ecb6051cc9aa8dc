"""A deployed and seeded embedded warehouse, made once; each test works on a copy of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery

import embedded_bigquery
from deployer.bootstrap import bootstrap

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and the log lines that it wrote where there is no terminal."""

    status: int
    log: list[dict[str, Any]]
    stderr: str

    @property
    def published(self) -> dict[str, Any]:
        [line] = [line for line in self.log if line["severity"] == "NOTICE"]
        return line


@dataclass(frozen=True, slots=True)
class Site:
    """A folder with a config and its warehouse, and the `pipeline` command at work there."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def warehouse(self) -> Path:
        return self.folder / "sid.duckdb"

    def command(self, *words: str) -> list[str]:
        """`pipeline` with the config's path where a word is CONFIG."""
        command = Path(sys.executable).with_name("pipeline")
        return [str(command), *(str(self.config) if word == "CONFIG" else word for word in words)]

    def start(self, *words: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(self.command(*words), stdout=pipe, stderr=pipe, text=True, cwd=self.folder)

    @staticmethod
    def ended(process: subprocess.Popen[str]) -> Done:
        stdout, stderr = process.communicate(timeout=120)
        return Done(process.returncode, [json.loads(line) for line in stdout.splitlines()], stderr)

    def pipeline(self, *words: str) -> Done:
        return self.ended(self.start(*words))

    @contextmanager
    def client(self) -> Iterator[bigquery.Client]:
        made = embedded_bigquery.connect(self.warehouse, project="sid-local")
        try:
            yield made
        finally:
            made.close()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.client() as client:
            return [row.values() for row in client.query_and_wait(sql)]


def make_site(folder: Path) -> Site:
    (folder / "config.yaml").write_text(
        "environment: local\n"
        "warehouse: {engine: embedded, project: sid-local, path: sid.duckdb}\n"
        "bootstrap: true\n"
        f"sql: {REPOSITORY / 'sql'}\n"
        f"sample_data: {REPOSITORY / 'sample_data'}\n"
        "datasets: {raw: raw, staging: staging, sid: sid, ops: ops}\n"
        "transfers:\n"
        "  sid_dim_agent: {dataset: sid, start_date: 2013-01-01}\n"
        "  sid_fct_departure: {dataset: sid, start_date: 2013-01-01}\n"
        "  sid_agg_agent_daily:\n"
        "    {dataset: sid, start_date: 2013-01-01, depends_on: [sid_fct_departure, sid_dim_agent]}\n"
    )
    return Site(folder)


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Shared: copy it, never run on it."""
    made = make_site(tmp_path_factory.mktemp("deployed"))
    bootstrap(str(made.config), made.warehouse)
    return made


@pytest.fixture
def site(deployed: Site, tmp_path: Path) -> Site:
    shutil.copy(deployed.warehouse, tmp_path)
    return make_site(tmp_path)


@pytest.fixture
def new_site(tmp_path: Path) -> Site:
    """No warehouse yet."""
    return make_site(tmp_path)
