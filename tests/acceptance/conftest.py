"""Warehouses that are made once and copied for each test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode puts no test folder there

from warehouse import WEEK, Warehouse


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Raw rows and procedures, nothing published."""
    warehouse = Warehouse(tmp_path_factory.mktemp("seeded"))
    warehouse.command("cli", "sync", str(warehouse.config))
    warehouse.command("cli", "seed", str(warehouse.config))
    return warehouse


@pytest.fixture(scope="session")
def published_week(seeded: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """3-9 January, published as one window."""
    warehouse = seeded.copy(tmp_path_factory.mktemp("week"))
    warehouse.publish(WEEK[0], WEEK[-1], process=True)
    return warehouse


@pytest.fixture
def empty(seeded: Warehouse, tmp_path: Path) -> Warehouse:
    return seeded.copy(tmp_path)


@pytest.fixture
def week(published_week: Warehouse, tmp_path: Path) -> Warehouse:
    return published_week.copy(tmp_path)
