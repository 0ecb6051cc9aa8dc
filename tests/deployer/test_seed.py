"""seed.py: the sample data through the client's own load job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.config import Config
from deployer.errors import UsageError
from deployer.seed import load_samples
from deployer.sync.apply import apply_plan
from deployer.sync.definitions import load_definitions
from deployer.sync.live import read_state
from deployer.sync.plan import make_plan
from deployer.sync.progress import watching
from deployer.warehouse import Warehouse

REPO = Path(__file__).parents[2]
ROWS = [
    ("landing.airlines", 16),
    ("landing.airports", 1458),
    ("landing.flights", 12208),
    ("landing.planes", 3322),
]


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Warehouse]:
    config = Config.model_validate(
        {
            "environment": "test",
            "warehouse": {"engine": "embedded", "project": "sid-test", "path": tmp_path / "sid.duckdb"},
            "sql": REPO / "sql",
            "sample_data": REPO / "sample_data",
            "datasets": {"raw": "landing", "staging": "staging", "sid": "sid", "ops": "ops"},
            "transfers": {},
        }
    )
    with Warehouse(config) as opened:
        yield opened


@pytest.fixture
def warehouse(empty: Warehouse) -> Warehouse:
    definitions = load_definitions(empty.config)
    plan = make_plan(definitions, read_state(empty, definitions))
    with watching(plan, to_stderr=False) as watch:
        assert apply_plan(empty, plan, watch).is_complete
    return empty


def test_seeding_twice_leaves_the_same_rows_and_the_table_as_its_file_says(warehouse: Warehouse) -> None:
    before = warehouse.client.get_table("landing.flights")
    for _ in range(2):
        assert list(load_samples(warehouse, REPO / "sample_data")) == ROWS
    for table, rows in ROWS:
        [[count]] = warehouse.client.query_and_wait(f"SELECT COUNT(*) FROM {table}")
        assert count == rows
    after = warehouse.client.get_table("landing.flights")
    assert after.schema == before.schema
    assert after.time_partitioning == before.time_partitioning
    assert {field.name: field.description for field in after.schema}["time_hour"] == "scheduled hour, UTC"


def test_seed_keeps_values_dates_and_nulls(warehouse: Warehouse) -> None:
    list(load_samples(warehouse, REPO / "sample_data"))
    query = """
    SELECT CAST(MIN(flight_date) AS STRING), CAST(MAX(flight_date) AS STRING), COUNTIF(dep_time IS NULL) > 0,
      CAST(MIN(time_hour) AS STRING)
    FROM landing.flights
    """
    [row] = warehouse.client.query_and_wait(query)
    assert tuple(row) == ("2013-01-01", "2013-01-14", True, "2013-01-01 10:00:00+00")


def test_seed_asks_for_sync_before_it_loads_anything(warehouse: Warehouse) -> None:
    warehouse.client.delete_table("landing.planes")
    with pytest.raises(UsageError, match=r"landing\.planes, the table for planes\.parquet, does not exist; run `depl"):
        list(load_samples(warehouse, REPO / "sample_data"))
    [[count]] = warehouse.client.query_and_wait("SELECT COUNT(*) FROM landing.airlines")
    assert count == 0


def test_seed_refuses_a_folder_without_samples(empty: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no Parquet files"):
        list(load_samples(empty, tmp_path))
