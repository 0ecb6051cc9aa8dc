"""Whatever happens before, one clean sync ends in exactly the state of sql/, and no table with rows is ever lost."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from google.api_core.exceptions import GoogleAPICallError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployer.config import Config, Retries
from deployer.errors import DeployerError
from deployer.retries import Patience
from deployer.sync.apply import Superseded, apply_plan
from deployer.sync.compare import Options, checksum_of
from deployer.sync.definitions import load_definitions
from deployer.sync.live import read_state
from deployer.sync.plan import make_plan
from deployer.sync.rollback import definitions_at, earlier
from deployer.sync.tables import shape_of
from deployer.warehouse import Warehouse
from tests.deployer.sync.conftest import FILES, Answer, Silent, Wire, make_config, make_sql, planned, synced

EXTRA = "sid/tables/extra.sql"
NOTE, VIEW, PUBLISH, FCT = (
    "ops/procedures/note.sql",
    "sid/views/agents.sql",
    "sid/procedures/publish.sql",
    "sid/tables/fct.sql",
)
# What a file may become; None: it is deleted. A table's only get longer: what is shorter would lose something.
VERSIONS: dict[str, list[str | None]] = {
    NOTE: [
        FILES[NOTE],
        FILES[NOTE].replace("noted", "heard"),
        FILES[NOTE].replace("SELECT word", "SELECT word AS w, word"),
    ],
    VIEW: [FILES[VIEW], FILES[VIEW].replace("DISTINCT ", ""), None],
    PUBLISH: [
        FILES[PUBLISH],
        FILES[PUBLISH].replace("> 0", "> 1"),
        FILES[PUBLISH].replace("  CALL ops.note('ops.note');\n", ""),
        None,
    ],
    EXTRA: [None, "CREATE TABLE IF NOT EXISTS sid.extra (a INT64);"],
}
COLUMNS = ["agent STRING", "seats INT64", "OPTIONS_HOLDER STRING OPTIONS (description = 'x')"]
BY_HAND = [
    "CREATE OR REPLACE PROCEDURE dev_operations.note(IN word STRING) BEGIN SELECT word AS mine; END",
    "CREATE OR REPLACE VIEW dev.agents AS SELECT f.agent FROM dev.fct AS f WHERE f.agent IS NOT NULL",
    "DROP PROCEDURE IF EXISTS dev.publish",
    "DROP PROCEDURE IF EXISTS dev_operations.note",
    "DROP VIEW IF EXISTS dev.agents",
    "ALTER TABLE dev.fct SET OPTIONS (description = 'by hand')",
    "INSERT INTO dev.fct (agent) VALUES ('AA')",
    "INSERT INTO dev.extra (a) VALUES (1)",
    "DROP TABLE IF EXISTS dev_operations.deploy_locks",
]  # fmt: skip
edits = st.sampled_from([(file, version) for file, versions in VERSIONS.items() for version in versions])
actions = st.one_of(
    st.tuples(st.just("edit"), edits),
    st.tuples(st.just("lengthen"), st.just(None)),
    st.tuples(st.just("by hand"), st.sampled_from(BY_HAND)),
    # After so many calls nothing gets through any more: the last one's answer is lost, or it as well.
    st.tuples(st.just("cut off"), st.tuples(st.integers(0, 16), st.booleans())),
    st.tuples(st.just("sync"), st.builds(Options, st.booleans(), st.just(False), st.booleans())),
    st.tuples(st.just("rollback"), st.just(None)),
)


class House:
    """A warehouse and its sql/, and what is done to them."""

    def __init__(self, folder: Path, template: Path) -> None:
        self.sql, self.config = make_sql(folder / "sql"), make_config(folder)
        shutil.copy(template, folder / "sid.duckdb")
        self.warehouse = Warehouse(self.config)
        self.wire = Wire(self.warehouse)
        self.warehouse.patience = Patience(Retries(seconds=0.03, first_wait=0.01, longest_wait=0.01), lambda _: None)
        self.columns = 1
        self.rows = {"fct": 0, "extra": 0}

    def act(self, action: str, detail: object) -> None:
        self.wait()
        if action == "edit":
            file, text = detail  # type: ignore[misc]
            self.sql.joinpath(file).unlink(missing_ok=True)
            if text is not None:
                self.sql.joinpath(file).write_text(text)
        elif action == "lengthen":
            self.columns = min(self.columns + 1, len(COLUMNS))
            columns = ",\n".join(COLUMNS[: self.columns])
            self.sql.joinpath(FCT).write_text(f"CREATE TABLE IF NOT EXISTS sid.fct (\n{columns}\n);\n")
        elif action == "by hand":
            with suppress(GoogleAPICallError):  # what is not there cannot be changed
                self.warehouse.client.query_and_wait(str(detail))
                for table in self.rows:
                    self.rows[table] += f"INSERT INTO dev.{table} " in str(detail)
        elif action == "sync":
            assert isinstance(detail, Options)
            self.attempt(lambda: self.sync(detail))
        elif action == "rollback":
            self.attempt(self.rollback)
        elif action == "cut off":
            calls, is_done = detail  # type: ignore[misc]
            self.wire.fault = cut_off(calls, is_done)
            self.attempt(lambda: self.sync(Options(overwrite_drift=True, prune=True)))
            self.wire.fault = None

    def attempt(self, work: Callable[[], object]) -> None:
        with suppress(DeployerError, Superseded):
            work()

    def sync(self, options: Options) -> None:
        plan = planned(self.warehouse, options)
        if not plan.hindrances:
            apply_plan(self.warehouse, plan, Silent())

    def rollback(self) -> None:
        definitions = definitions_at(self.warehouse, earlier(self.warehouse, None))
        state = read_state(self.warehouse, definitions, removed=True)
        plan = make_plan(definitions, state, Options(prune=True))
        if not plan.hindrances:
            apply_plan(self.warehouse, plan, Silent(), outcome="rolled back")

    def wait(self) -> None:
        """A lock that a dead process left is over some time."""
        with suppress(GoogleAPICallError):
            self.warehouse.client.query_and_wait("UPDATE dev_operations.deploy_locks SET holder = NULL WHERE TRUE")

    def count(self, table: str) -> int:
        with suppress(GoogleAPICallError):
            [[count]] = self.warehouse.client.query_and_wait(f"SELECT COUNT(*) FROM dev.{table}")
            return int(count)
        return 0


def cut_off(calls: int, is_done: bool) -> Callable[[requests.PreparedRequest, Answer], requests.Response]:
    left = calls

    def fault(_: requests.PreparedRequest, answer: Answer) -> requests.Response:
        nonlocal left
        left -= 1
        if left >= 0:
            return answer()
        if left == -1 and is_done:
            answer()
        raise requests.exceptions.ConnectionError("cut off")

    return fault


@settings(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(actions, max_size=10))
def test_one_clean_sync_ends_in_the_state_of_sql_whatever_was_before(
    template: Path, story: list[tuple[str, object]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), template)
        with house.warehouse as warehouse:
            for action, detail in story:
                house.act(action, detail)
                assert {table: house.count(table) for table in house.rows} == house.rows
            house.wait()
            # Only a table with rows that sql/ has no more may stand in the way, and then it stays.
            options = Options(overwrite_drift=True, prune=True)
            in_the_way = [step.target for step in planned(warehouse, options).hindrances]
            is_kept = house.rows["extra"] > 0 and not house.sql.joinpath(EXTRA).exists()
            assert in_the_way == (["dev.extra"] if is_kept else [])
            applied = synced(warehouse, Options(overwrite_drift=True, prune=not is_kept))
            assert applied.is_complete
            assert planned(warehouse).steps == ()
            assert exactly(house.config, warehouse, {"dev.extra"} if is_kept else set())
            assert {table: house.count(table) for table in house.rows} == house.rows


def exactly(config: Config, warehouse: Warehouse, kept: set[str]) -> bool:
    """Whether the catalog has what sql/ says and nothing else, read apart from the product's own queries."""
    wanted = {str(made.target): made for made in load_definitions(config)}
    found: set[str] = set()
    for dataset in config.datasets.values():
        for view, column in (("TABLES", "table_name"), ("ROUTINES", "routine_name")):
            for name, ddl in warehouse.client.query_and_wait(
                f"SELECT {column}, ddl FROM {dataset}.INFORMATION_SCHEMA.{view}"
            ):
                target = f"{dataset}.{name}"
                found.add(target)
                if target in kept:
                    continue
                made = wanted[target]
                if made.kind == "TABLE":
                    assert shape_of(ddl) == shape_of(made.text)
                else:
                    assert checksum_of(ddl) == made.checksum
    assert found == wanted.keys() | kept
    return True


@pytest.mark.parametrize("is_done", [True, False])
@pytest.mark.parametrize("calls", range(4, 12))
def test_a_sync_that_is_cut_off_at_any_call_is_ended_by_the_next(template: Path, calls: int, is_done: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), template)
        with house.warehouse as warehouse:
            house.act("lengthen", None)
            house.act("edit", (NOTE, VERSIONS[NOTE][1]))
            house.act("edit", (PUBLISH, VERSIONS[PUBLISH][1]))
            house.act("cut off", (calls, is_done))
            house.wait()
            assert planned(warehouse).hindrances == ()
            assert synced(warehouse).is_complete
            assert planned(warehouse).steps == ()
            assert exactly(house.config, warehouse, set())
