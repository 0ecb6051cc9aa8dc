"""Sandboxes: the environment of a config under other dataset names, made on demand and destroyed as a whole."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from deployer.config import Config
from deployer.errors import UsageError
from deployer.sync.definitions import DEPLOYMENTS, LABEL

if TYPE_CHECKING:
    from deployer.warehouse import Warehouse

HOURS = {"h": 1, "d": 24}


def sandboxed(config: Config, suffix: str) -> Config:
    """The config of the sandbox; raises UsageError."""
    if not re.fullmatch(r"_[a-z0-9_]{1,29}", suffix):
        raise UsageError(f"--suffix {suffix!r}: write _ and up to 29 lower-case letters, digits and _, as in _alice")
    datasets = {logical: f"{target}{suffix}" for logical, target in config.datasets.items()}
    own = sorted(set(datasets.values()) & set(config.datasets.values()))
    if own:
        raise UsageError(f"--suffix {suffix}: the config itself has {', '.join(own)}; choose another suffix")
    environment = f"{config.environment}{suffix}"
    return config.model_copy(update={"datasets": datasets, "environment": environment})


def hours(text: str) -> float:
    """Of a length of time as people write it, 72h or 3d; raises UsageError."""
    found = re.fullmatch(r"(\d{1,5})([hd])", text)
    length = int(found[1]) * HOURS[found[2]] if found else 0
    if not 1 <= length <= 24 * 366:
        raise UsageError(f"--expire-after {text!r}: write a number of hours or days up to a year, as in 72h or 3d")
    return length


def refuse_foreign(warehouse: Warehouse, suffix: str) -> None:
    """Raises UsageError if a dataset of the sandbox was made by anything else."""
    labels = _labels(warehouse)
    foreign = [name for name, label in labels.items() if label != suffix]
    if foreign:
        project = warehouse.client.project
        raise UsageError(
            f"{', '.join(f'{project}.{name}' for name in foreign)}: not made by `deployer sync --suffix {suffix}`, so "
            "no part of that sandbox; nothing was changed. Choose another suffix"
        )


def destroy(warehouse: Warehouse, suffix: str) -> Iterator[str]:
    """Deletes the datasets of the sandbox with all that is in them; yields each one's name when it is gone.

    Raises UsageError, before anything is deleted, if one of them was made by anything else.
    """
    from deployer.jobs import CALL_SECONDS, NEVER
    from deployer.sync.calls import call

    refuse_foreign(warehouse, suffix)
    record = warehouse.config.datasets.get(DEPLOYMENTS.dataset)
    # The record goes last: what tells of a sandbox is there as long as the sandbox.
    for name in sorted(_labels(warehouse), key=lambda name: name == record):
        target = f"{warehouse.client.project}.{name}"

        def ask(target: str = target) -> None:
            warehouse.client.delete_dataset(
                target, delete_contents=True, not_found_ok=True, retry=NEVER, timeout=CALL_SECONDS
            )

        call(warehouse, f"Deleting {target}", ask)
        yield target


def _labels(warehouse: Warehouse) -> dict[str, str | None]:
    """The datasets of the config that exist, each with its label."""
    # Half a second that reading the command line does not pay.
    from deployer.jobs import CALL_SECONDS, NEVER
    from deployer.sync.calls import call

    wanted: Collection[str] = warehouse.config.datasets.values()

    def ask() -> dict[str, str | None]:
        listed = warehouse.client.list_datasets(page_size=1000, retry=NEVER, timeout=CALL_SECONDS)
        return {item.dataset_id: item.labels.get(LABEL) for item in listed if item.dataset_id in wanted}

    return call(warehouse, f"Listing the datasets of {warehouse.client.project}", ask)
