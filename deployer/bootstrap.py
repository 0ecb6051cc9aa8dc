"""An embedded warehouse that does not exist yet: synced and seeded before the first run."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from deployer.errors import DeployerError, UsageError


def bootstrap(config_location: str, warehouse: Path) -> None:
    """Makes the warehouse's file, whole or not at all; raises UsageError or DeployerError with what went wrong."""
    try:
        warehouse.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{warehouse.name}.", dir=warehouse.parent) as folder:
            made = Path(folder) / warehouse.name
            for command in ("sync", "seed"):
                _deployer(command, config_location, made)
            # A link refuses to replace: of two that bootstrap at once the slower one takes the file of the faster.
            with suppress(FileExistsError):
                warehouse.hardlink_to(made)
    except OSError as error:
        raise UsageError(f"{warehouse}: the warehouse cannot be made there: {error.strerror}") from error


def _deployer(command: str, config_location: str, warehouse: Path) -> None:
    # In a process of its own, so that the code that deploys is never part of the process that publishes.
    words = [sys.executable, "-m", "deployer.cli", command, config_location, "--warehouse-path", str(warehouse)]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        kind = UsageError if done.returncode == UsageError.exit_status else DeployerError
        raise kind(f"`deployer {command}` could not make the warehouse: {done.stderr.strip()}")
