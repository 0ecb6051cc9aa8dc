"""Other tools at the same task: a thousand models of the same size, deployed, and nothing to do."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

VENV = Path(".benchmarks") / "others"
REQUIREMENTS = ("dbt-core>=1.10,<1.11", "dbt-duckdb>=1.9,<2", "sqlmesh")
DBT_PROJECT = "name: bench\nversion: '1'\nprofile: bench\nmodels: {bench: {+materialized: view}}\n"
DBT_PROFILE = "bench: {target: dev, outputs: {dev: {type: duckdb, path: bench.duckdb, threads: 4}}}\n"
SQLMESH_CONFIG = """\
gateways: {duckdb: {connection: {type: duckdb, database: bench.duckdb}}}
default_gateway: duckdb
model_defaults: {dialect: duckdb, start: 2013-01-01}
"""
# As many columns as make the size of a procedure of this repository, 85 lines.
COLUMNS = ",\n".join(
    f"  CASE WHEN n.number > {column} THEN n.number + {column} END AS c{column}" for column in range(80)
)
Measure = Callable[[list[str], Path], object]


def installed(venv: Path) -> Path:
    """The tools' folder; they do not go together with each other's and this project's pins, so they have a venv."""
    tools = venv.absolute() / "bin"
    if not (tools / "sqlmesh").exists():
        click.echo(f"Installing {', '.join(REQUIREMENTS)} in {venv} …", err=True)
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(tools / "pip"), "install", "-q", *REQUIREMENTS], check=True)
    return tools


def no_ops(tools: Path, folder: Path, models: int, measure: Measure) -> Iterator[tuple[str, list[str], Path]]:
    """A name, the command and where to run it, of each command that finds nothing to do."""
    dbt, project = [str(tools / "dbt"), "--quiet", "--no-use-colors"], folder / "dbt"
    _write_dbt(project, models)
    at = ["--profiles-dir", "."]
    measure([*dbt, "run", *at], project)
    yield f"dbt parse, nothing changed, {models:,} models", [*dbt, "parse", *at], project
    shutil.copytree(project / "target", project / "before")
    select = ["--select", "state:modified", "--state", "before"]
    yield f"dbt run, nothing changed (state:modified), {models:,} models", [*dbt, "run", *at, *select], project
    sqlmesh, project = [str(tools / "sqlmesh")], folder / "sqlmesh"
    _write_sqlmesh(project, models)
    plan = [*sqlmesh, "plan", "--no-prompts", "--auto-apply"]
    measure(plan, project)
    yield f"sqlmesh plan, nothing changed, {models:,} models", plan, project


def _write_dbt(project: Path, models: int) -> None:
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text(DBT_PROJECT)
    (project / "profiles.yml").write_text(DBT_PROFILE)
    for number in range(models):
        source = f"{{{{ ref('m{number - 1}') }}}}" if number % 10 else "(SELECT 1 AS number)"
        (project / "models" / f"m{number}.sql").write_text(_query(source))


def _write_sqlmesh(project: Path, models: int) -> None:
    (project / "models").mkdir(parents=True)
    (project / "config.yaml").write_text(SQLMESH_CONFIG)
    for number in range(models):
        source = f"bench.m{number - 1}" if number % 10 else "(SELECT 1 AS number)"
        text = f"MODEL (name bench.m{number}, kind VIEW);\n\n{_query(source)}"
        (project / "models" / f"m{number}.sql").write_text(text)


def _query(source: str) -> str:
    return f"SELECT\n  n.number,\n{COLUMNS}\nFROM {source} AS n\n"
