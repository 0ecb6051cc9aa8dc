"""config/: what is shipped is valid, and the environments differ only where they should."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployer.config import load_config


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_config_of_a_cloud_environment_loads(root: Path, environment: str) -> None:
    config = load_config(str(root / f"config/{environment}.yaml"))
    assert config.environment == environment
    assert config.warehouse.engine == "bigquery"
    assert config.warehouse.project == f"example-sid-{environment}"
    assert config.sql == root / "sql"


def test_every_environment_has_the_same_transfers_and_logical_datasets(root: Path) -> None:
    local, dev, prod = (load_config(str(root / f"config/{name}.yaml")) for name in ("local", "dev", "prod"))
    assert local.transfers == dev.transfers == prod.transfers
    assert set(local.datasets) == set(dev.datasets) == set(prod.datasets)
