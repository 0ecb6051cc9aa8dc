"""Writes an sql/ with as many procedures as one asks for, each as large as those of this repository."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

SQL = Path(__file__).parents[1] / "sql"
STEPS = ("cleanse", "publish")  # the cleanups are a few lines each
TRANSFERS = ("sid_agg_agent_daily", "sid_dim_agent", "sid_fct_departure")
CONFIG = """\
environment: bench
warehouse: {{engine: embedded, project: sid-bench, path: warehouse.duckdb}}
sql: sql
datasets: {{raw: raw, staging: staging, sid: sid, ops: ops}}
transfers: {{}}
"""


def write_tree(folder: Path, procedures: int) -> Path:
    """The config beside the tree; the tables are those of this repository, the procedures copies of its own."""
    shutil.rmtree(folder / "sql", ignore_errors=True)
    shutil.copytree(SQL, folder / "sql", ignore=shutil.ignore_patterns("*_cleanup.sql", "*.test.sql", "*.md"))
    own = len(list((folder / "sql").glob("*/procedures/*.sql")))
    target = folder / "sql" / "sid" / "procedures"
    names = ((copy, transfer, step) for copy in itertools.count() for transfer in TRANSFERS for step in STEPS)
    for copy, transfer, step in itertools.islice(names, max(0, procedures - own)):
        name = f"{transfer.replace('sid_', f'c{copy:03}_')}_{step}"
        text = (SQL / "sid" / "procedures" / f"{transfer}_{step}.sql").read_text()
        (target / f"{name}.sql").write_text(text.replace(f"sid.{transfer}_{step}", f"sid.{name}"))
    config = folder / "config.yaml"
    config.write_text(CONFIG.format())
    return config
