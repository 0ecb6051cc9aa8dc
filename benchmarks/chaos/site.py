"""A warehouse with the sample's rows and a config of its own, and what is to be seen in it after an attack."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

import embedded_bigquery
from deployer.bootstrap import bootstrap
from deployer.config import Config, load_config
from deployer.run import Window, new_run
from deployer.warehouse import Warehouse

REPOSITORY = Path(__file__).parents[2]
TRANSFERS = ("sid_dim_agent", "sid_fct_departure", "sid_agg_agent_daily")  # upstream first
PROJECT = "sid-chaos"
TARGETS = ("fct_departure", "agent_daily_state", "dim_agent", "agg_agent_daily")
STAGING = ("fct_departure", "agent_daily_state", "agg_agent_daily")


@dataclass(frozen=True, slots=True)
class Site:
    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def warehouse(self) -> Path:
        return self.folder / "sid.duckdb"

    def loaded(self) -> Config:
        return load_config(str(self.config))

    def command(self, *words: str) -> list[str]:
        """`pipeline`, where the word CONFIG is the config's path."""
        words = tuple(str(self.config) if word == "CONFIG" else word for word in words)
        return [sys.executable, "-m", "deployer.run_pipeline", *words]

    @contextmanager
    def client(self) -> Iterator[bigquery.Client]:
        with embedded_bigquery.connect(self.warehouse, project=PROJECT) as made:
            yield made


def make_site(folder: Path, warehouse: dict[str, str] | None = None, **more: Any) -> Site:
    """A folder's config; `warehouse` is that section of it, and `more` are further sections."""
    content = {
        "environment": "chaos",
        "warehouse": warehouse or {"engine": "embedded", "project": PROJECT, "path": "sid.duckdb"},
        "sql": str(REPOSITORY / "sql"),
        "sample_data": str(REPOSITORY / "sample_data"),
        "datasets": {"raw": "raw", "staging": "staging", "sid": "sid", "ops": "ops"},
        "transfers": {
            "sid_dim_agent": {"dataset": "sid", "start_date": "2013-01-01"},
            "sid_fct_departure": {"dataset": "sid", "start_date": "2013-01-01"},
            "sid_agg_agent_daily": {
                "dataset": "sid",
                "start_date": "2013-01-01",
                "depends_on": ["sid_fct_departure", "sid_dim_agent"],
            },
        },
        "lease": {"seconds": 60},
        "retries": {"seconds": 120, "first_wait": 0.01, "longest_wait": 0.1},
        **more,
    }
    folder.mkdir(parents=True, exist_ok=True)
    made = Site(folder)
    made.config.write_text(yaml.safe_dump(content, sort_keys=False))
    return made


def seeded(folder: Path) -> Site:
    """With the procedures and the raw rows, and nothing published; made once, and then copied."""
    made = make_site(folder)
    if not made.warehouse.exists():
        bootstrap(str(made.config), made.warehouse)
    return made


def copy_of(site: Site, folder: Path, **more: Any) -> Site:
    made = make_site(folder, **more)
    shutil.copy(site.warehouse, made.warehouse)
    return made


@contextmanager
def emulated(site: Site) -> Iterator[Site]:
    """The same site, its warehouse served by a process of its own: `deployer emulate`."""
    command = [sys.executable, "-m", "deployer.cli", "emulate", "--port", "0", "--project", PROJECT]
    with subprocess.Popen([*command, "--path", str(site.warehouse)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split(" is served at ")[1].split(";")[0]
        more = {key: value for key, value in yaml.safe_load(site.config.read_text()).items() if key != "warehouse"}
        section = {"engine": "bigquery", "project": PROJECT, "endpoint": address}
        try:
            yield make_site(site.folder / "emulated", section, **more)
        finally:
            server.terminate()


def client_of(site: Site) -> bigquery.Client:
    """Of an emulated site."""
    credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
    endpoint = site.loaded().warehouse.endpoint
    return bigquery.Client(PROJECT, credentials=credentials, client_options={"api_endpoint": endpoint})


def rows(client: bigquery.Client, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in client.query_and_wait(sql)]


def state(client: bigquery.Client) -> dict[str, Any]:
    """What must be equal after the same work, however it was disturbed, when no run died or failed in between."""
    windows = "SELECT transfer, window_start, window_end, write_mode FROM ops.published_windows ORDER BY 1, 2, 3"
    return {
        **{name: sorted(rows(client, f"SELECT * FROM sid.{name}"), key=repr) for name in TARGETS},
        **{f"staging {name}": rows(client, f"SELECT COUNT(*) FROM staging.{name}") for name in STAGING},
        "leases": rows(client, "SELECT transfer FROM ops.leases WHERE holder IS NOT NULL"),
        "windows": rows(client, windows),
        "runs": rows(
            client,
            "SELECT transfer, window_start, window_end, write_mode, status, rows_in, rows_published, rows_rejected "
            "FROM ops.runs ORDER BY 1, 2, 3",
        ),
    }


def publish(warehouse: Warehouse, window: Window, transfers: Sequence[str] = TRANSFERS) -> list[str]:
    """In this process; the ids of the runs."""
    from deployer.procedure_etl import ProcedureETL, missing_procedures

    ids = []
    for transfer in transfers:
        assert missing_procedures(warehouse, transfer) == []
        run = new_run(warehouse.config, transfer, window, "delta")
        ProcedureETL(run, warehouse).run()
        ids.append(run.run_id)
    return ids
