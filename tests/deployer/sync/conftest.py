"""A small sql/ that tests may change, a config for it, and a warehouse whose calls are counted and may fail."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from deployer.config import Config
from deployer.sync.apply import Applied, apply_plan
from deployer.sync.compare import Options, Step
from deployer.sync.definitions import load_definitions
from deployer.sync.live import read_state
from deployer.sync.plan import Plan, make_plan
from deployer.warehouse import Warehouse

OPS = Path(__file__).parents[3] / "sql" / "ops" / "tables"
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


def make_sql(root: Path) -> Path:
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / "ops" / "tables").mkdir()
    for name in ("deployments.sql", "deploy_locks.sql"):
        shutil.copy(OPS / name, root / "ops" / "tables")
    return root


def make_config(folder: Path) -> Config:
    return Config.model_validate(
        {
            "environment": "test",
            "warehouse": {"engine": "embedded", "project": "sid-test", "path": folder / "sid.duckdb"},
            "sql": folder / "sql",
            "datasets": {"raw": "ops_raw", "sid": "dev", "ops": "dev_operations"},
            "transfers": {},
            "retries": {"seconds": 20, "first_wait": 0.01, "longest_wait": 0.02},
        }
    )


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a warehouse that has the small sql/."""
    folder = tmp_path_factory.mktemp("template")
    make_sql(folder / "sql")
    with Warehouse(make_config(folder)) as opened:
        assert synced(opened).is_complete
    return folder / "sid.duckdb"


@pytest.fixture
def sql(tmp_path: Path) -> Path:
    return make_sql(tmp_path / "sql")


@pytest.fixture
def config(sql: Path, tmp_path: Path) -> Config:
    return make_config(tmp_path)


@pytest.fixture
def empty(config: Config) -> Iterator[Warehouse]:
    """No warehouse yet."""
    with Warehouse(config) as opened:
        yield opened


@pytest.fixture
def warehouse(config: Config, template: Path) -> Iterator[Warehouse]:
    """It has what sql/ says, by deployment 1."""
    assert config.warehouse.path is not None
    shutil.copy(template, config.warehouse.path)
    with Warehouse(config) as opened:
        yield opened


Answer = Callable[[], requests.Response]
Fault = Callable[[requests.PreparedRequest, Answer], requests.Response]


class Wire(BaseAdapter):
    """Between the client and what answers it: keeps the calls, and lets a fault come into their way."""

    def __init__(self, warehouse: Warehouse) -> None:
        super().__init__()
        adapters = warehouse.client._http.adapters
        [(self.scheme, self.inner)] = adapters.items()
        adapters[self.scheme] = self
        self.calls: list[requests.PreparedRequest] = []
        self.fault: Fault | None = None
        self._lock = threading.Lock()

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        with self._lock:
            self.calls.append(request)
        if self.fault is None:
            return self.inner.send(request, **options)
        return self.fault(request, lambda: self.inner.send(request, **options))

    def close(self) -> None:
        self.inner.close()

    def told(self) -> list[str]:
        """Each call in a few words."""
        return [f"{call.method} {str(call.url).split('/bigquery/v2/projects/sid-test')[1]}" for call in self.calls]


@pytest.fixture
def wire(warehouse: Warehouse) -> Wire:
    return Wire(warehouse)


def sent(request: requests.PreparedRequest) -> str:
    """The statement of a call, and its parameters; the URL of one that has none."""
    if not request.body:
        return f"{request.method} {request.url}"
    content = json.loads(request.body)
    return f"{content.get('query')} {content.get('queryParameters')}"


def refusal(request: requests.PreparedRequest, status: int, reason: str, message: str) -> requests.Response:
    """An error as BigQuery answers it."""
    made = requests.Response()
    made.status_code, made.request, made.url = status, request, request.url or ""
    made.headers["Content-Type"] = "application/json"
    error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    made._content = json.dumps({"error": error}).encode()
    return made


class Silent:
    """Watches steps, and keeps them."""

    def __init__(self) -> None:
        self.begun: list[Step] = []
        self.ended: list[Step] = []

    def started(self, step: Step) -> None:
        self.begun.append(step)

    def done(self, step: Step, seconds: float) -> None:
        self.ended.append(step)

    def failed(self, step: Step) -> None:
        self.ended.append(step)


def planned(warehouse: Warehouse, options: Options | None = None) -> Plan:
    definitions = load_definitions(warehouse.config)
    options = options or Options()
    return make_plan(definitions, read_state(warehouse, definitions, removed=options.prune), options)


def synced(warehouse: Warehouse, options: Options | None = None, **how: Any) -> Applied:
    """Raises AssertionError when something is in the way."""
    plan = planned(warehouse, options)
    assert not plan.hindrances
    return apply_plan(warehouse, plan, Silent(), **how) if plan.steps else Applied(0)


def told(applied: Applied) -> list[str]:
    return [f"{step.verb} {step.target}" for step in applied.done]


def edit(sql: Path, file: str, old: str, new: str) -> None:
    text = (sql / file).read_text()
    assert old in text
    (sql / file).write_text(text.replace(old, new))
