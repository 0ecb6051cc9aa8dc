"""What `deployer docs` does: reads sql/ and the ledger, and writes the site."""

from __future__ import annotations

from pathlib import Path

from deployer.config import Config
from deployer.docs.site import Runs, write_site
from deployer.runs import HEADINGS, recent_runs, texts_of
from deployer.source import load_tree
from deployer.warehouse import Warehouse


def write_docs(config: Config, folder: Path, last: int) -> str:
    """Writes the site with the last so many runs of a year, and returns what to tell of it."""
    objects = load_tree(config.sql, config.datasets.keys())
    path = config.warehouse.path
    if path is not None and not path.exists():  # opening it would create it
        runs = Runs(HEADINGS, (), "There is no warehouse yet.")
    else:
        with Warehouse(config) as warehouse:
            found = recent_runs(warehouse, None, 365, last)
        runs = Runs(HEADINGS, [texts_of(run) for run in found], "No run in the last year.")
    pages = write_site(folder, f"{config.warehouse.project}, {config.environment}", objects, config.transfers, runs)
    return f"{pages} pages; begin with {folder / 'index.html'}"
