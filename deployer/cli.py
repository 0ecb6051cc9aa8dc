"""The `deployer` command: parses, calls, prints, sets the exit status.

0 done, or nothing to do; 1 failed; 2 wrong input, nothing was written; 3 `plan` found changes, or another process
holds what the command needs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deployer.__version__ import __version__
from deployer.errors import DeployerError, UsageError

if TYPE_CHECKING:
    from deployer.config import Config
    from deployer.sync.commands import How
    from deployer.sync.compare import Options


class Commands(click.Group):
    """Ends every error as one paragraph on stderr; the traceback only with --debug."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt as error:
            ctx.exit(getattr(error, "exit_status", 130))
        except Exception as error:
            if ctx.params["debug"]:
                raise
            if isinstance(error, DeployerError):
                click.echo(f"deployer: {error}", err=True)
                ctx.exit(error.exit_status)
            advice = "This is a fault of deployer itself; run again with `deployer --debug …` for the traceback."
            click.echo(f"deployer: {type(error).__name__}: {error}. {advice}", err=True)
            ctx.exit(1)


@click.group(cls=Commands)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name="deployer")
def main(debug: bool) -> None:
    """Deploys sql/ to a warehouse, and shows what runs there.

    CONFIG is gs://bucket/filename or /path/to/file.
    """


CONFIG = click.argument("config")
WAREHOUSE_PATH = click.option(
    "--warehouse-path",
    type=click.Path(dir_okay=False, path_type=Path),
    hidden=True,
    help="The embedded engine's file, instead of the config's.",
)
SUFFIX = click.option(
    "--suffix", metavar="_NAME", help="The sandbox of that name: what every dataset's name ends with."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
YES = click.option("--yes", is_flag=True, help="Lose rows or values without asking.")
OVERWRITE_DRIFT = click.option(
    "--overwrite-drift", is_flag=True, help="Replace what was changed in the warehouse by no deployment."
)
JOBS = click.option(
    # At 0.3 s a call more would meet the API's 100 requests a second.
    "--jobs",
    type=click.IntRange(1, 32),
    default=8,
    show_default=True,
    help="How much is done at once.",
)
PLANNING = (
    CONFIG,
    SUFFIX,
    click.option("--expire-after", metavar="72h", help="When the tables of the sandbox's new datasets expire."),
    OVERWRITE_DRIFT,
    click.option("--allow-destructive", is_flag=True, help="Change and drop tables even if rows or values are lost."),
    click.option("--prune", is_flag=True, help="Drop what was deployed and is in sql/ no more."),
    JOBS,
    JSON,
    WAREHOUSE_PATH,
)

Command = Callable[..., None]


def takes(*words: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Arguments and options, in the order in which --help lists them."""

    def decorated(command: Command) -> Command:
        for word in reversed(words):
            command = word(command)
        return command

    return decorated


@main.command()
@takes(*PLANNING, click.option("--no-rollback", is_flag=True, help="Leave what is replaced if something fails."), YES)
def sync(**words: Any) -> None:
    """Brings the environment to what sql/ says: only what changed, in dependency order, recorded."""
    from deployer.sync import commands

    commands.sync(*_asked(**words))


@main.command()
@takes(*PLANNING)
@click.pass_context
def plan(ctx: click.Context, /, **words: Any) -> None:
    """Shows what sync would do, and writes nothing: exit status 0 nothing to do, 3 changes, 1 error."""
    from deployer.sync import commands

    ctx.exit(commands.plan(*_asked(**words)))


@main.command()
@takes(CONFIG, SUFFIX, JSON, WAREHOUSE_PATH)
def status(**words: Any) -> None:
    """Shows each object: in sync, changed here, drifted in the warehouse, missing, or unmanaged."""
    from deployer.sync import commands

    config, _, how = _asked(**words)
    commands.status(config, how, _print_table)


@main.command()
@takes(
    CONFIG,
    click.option("--to", type=click.IntRange(min=1), help="A deployment's id.  [default: the one before the latest]"),
    SUFFIX,
    OVERWRITE_DRIFT,
    JOBS,
    JSON,
    WAREHOUSE_PATH,
)
def rollback(to: int | None, **words: Any) -> None:
    """Restores the routines and views of an earlier deployment; tables stay as they are."""
    from deployer.sync import commands

    config, options, how = _asked(**words)
    _require_warehouse(config)
    commands.rollback(config, to, options, how)


@main.command()
@takes(
    CONFIG,
    click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many at most."),
    SUFFIX,
    JSON,
    WAREHOUSE_PATH,
)
def history(limit: int, **words: Any) -> None:
    """Lists the deployments, the latest first."""
    from deployer.sync import commands

    config, _, how = _asked(**words)
    _require_warehouse(config)
    commands.history(config, limit, how, _print_table)


@main.command()
@takes(CONFIG, SUFFIX, YES, JSON, WAREHOUSE_PATH)
def destroy(**words: Any) -> None:
    """Deletes a sandbox, the datasets that `sync --suffix` made, and nothing else."""
    from deployer.sync import commands

    if not words["suffix"]:
        raise UsageError("destroy deletes sandboxes alone: name one with --suffix")
    config, _, how = _asked(**words)
    _require_warehouse(config)
    commands.destroy(config, words["suffix"], how)


@main.command()
@takes(
    CONFIG,
    SUFFIX,
    click.option("--yes", is_flag=True, help="Replace the rows of a warehouse on BigQuery without asking."),
    WAREHOUSE_PATH,
)
def seed(config: str, suffix: str | None, yes: bool, warehouse_path: Path | None) -> None:
    """Replaces the rows of the landing tables by the sample data."""
    loaded = _config(config, warehouse_path, suffix)
    _require_warehouse(loaded)
    if loaded.warehouse.engine == "bigquery" and not yes:
        place = f"{loaded.warehouse.project}.{loaded.datasets.get('raw', 'raw')}"
        if not sys.stdin.isatty():
            raise UsageError(f"seed replaces all rows of the landing tables of {place}; say --yes if you mean it.")
        click.confirm(f"Replace all rows of the landing tables of {place} by the sample data?", abort=True)

    from deployer.seed import load_samples
    from deployer.warehouse import Warehouse

    with Warehouse(loaded) as warehouse:
        for table, rows in load_samples(warehouse, loaded.sample_data):
            click.echo(f"{table}: {rows:,} rows")


@main.command()
@click.argument("config")
@click.argument("transfer", required=False)
@click.option("--transfer", "named", metavar="TRANSFER", help="The same as TRANSFER.")
@click.option("--last", "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many at most.")
@click.option("--days", type=click.IntRange(1, 36_500), default=30, show_default=True, help="How far back.")
@SUFFIX
@JSON
@WAREHOUSE_PATH
def runs(
    config: str,
    transfer: str | None,
    named: str | None,
    last: int,
    days: int,
    suffix: str | None,
    as_json: bool,
    warehouse_path: Path | None,
) -> None:
    """Shows the run ledger, the latest run first; with --json all of its columns."""
    loaded = _config(config, warehouse_path, suffix)
    _require_warehouse(loaded)
    transfer = named or transfer

    from deployer.runs import HEADINGS, recent_runs, texts_of, value_of
    from deployer.warehouse import Warehouse

    with Warehouse(loaded) as warehouse:
        found = recent_runs(warehouse, transfer, days, last)
    if as_json:
        click.echo(json.dumps([value_of(dict(run.items())) for run in found], ensure_ascii=False, indent=2))
    elif found:
        _print_table(HEADINGS, [texts_of(run) for run in found])
    elif transfer is not None and transfer not in loaded.transfers:
        known = ", ".join(loaded.transfers) or "none"
        click.echo(f"No run of {transfer} in the last {days} days; the config's transfers: {known}.")
    else:
        click.echo(f"No run{f' of {transfer}' if transfer else ''} in the last {days} days.")


@main.command()
@click.argument("config")
@click.argument("transfer", required=False)
@click.option("--until", metavar="YYYYMMDD", help="The last day to look at.  [default: yesterday, in UTC]")
@SUFFIX
@JSON
@WAREHOUSE_PATH
def gaps(
    config: str,
    transfer: str | None,
    until: str | None,
    suffix: str | None,
    as_json: bool,
    warehouse_path: Path | None,
) -> None:
    """Shows the days since a transfer's start_date that no published window covers."""
    loaded = _config(config, warehouse_path, suffix)
    _require_warehouse(loaded)

    from deployer.runs import GAP_HEADINGS, gap_texts, gap_values, unpublished
    from deployer.warehouse import Warehouse

    with Warehouse(loaded) as warehouse:
        found = unpublished(warehouse, transfer, until)
    if as_json:
        click.echo(json.dumps(gap_values(found), indent=2))
    elif found:
        _print_table(GAP_HEADINGS, gap_texts(found))
    else:
        click.echo("No day is missing.")


@main.command()
@click.argument("config", required=False)
@click.option("--port", type=click.IntRange(0, 65_535), default=9050, show_default=True, help="0 takes any free one.")
@click.option("--path", type=click.Path(dir_okay=False, path_type=Path), help="The warehouse's file.")
@click.option("--project", help="The project that is served.  [default: the config's, else local]")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--allow-remote", is_flag=True, help="Let other machines in. The server asks nobody who they are.")
def emulate(
    config: str | None, port: int, path: Path | None, project: str | None, host: str, allow_remote: bool
) -> None:
    """Serves the embedded warehouse over HTTP, for any BigQuery client, until it is ended.

    Without CONFIG and --path it is in memory.
    """
    location = "EU"
    if config is not None:
        warehouse = _config(config, path).warehouse
        if warehouse.path is None:
            raise UsageError(f"{config}: emulate serves `engine: embedded` alone.")
        path, project, location = warehouse.path, project or warehouse.project, warehouse.location

    from deployer.warehouse import serve

    def ready(address: str) -> None:
        click.echo(f"Project {project or 'local'}, {path or 'in memory'}, is served at {address}; Ctrl-C ends it.")

    serve(path, project or "local", location, host=host, port=port, allow_remote=allow_remote, on_ready=ready)


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json", "github", "sarif"]), default="text")
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.option("--fix", is_flag=True, help="Rewrite headers that disagree with their bodies.")
@click.pass_context
def check(ctx: click.Context, paths: tuple[Path, ...], form: str, fix: bool) -> None:
    """Checks every statement of sql/, or of what PATHS name: exit status 0 no finding, 1 findings.

    GoogleSQL's own analyzer and the rules of this house; docs/rules says what each code means. No warehouse is needed.
    """
    from deployer.check.command import run_check

    ctx.exit(run_check(paths or (Path("sql"),), form, fix=fix))


@main.command()
@click.argument("config")
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), required=True, help="The folder.")
@click.option("--last", type=click.IntRange(min=1), default=200, show_default=True, help="How many runs at most.")
@SUFFIX
@WAREHOUSE_PATH
def docs(config: str, output: Path, last: int, suffix: str | None, warehouse_path: Path | None) -> None:
    """Writes a static site: the lineage, a page for each object of sql/, and the runs of the last year."""
    from deployer.docs.command import write_docs

    click.echo(write_docs(_config(config, warehouse_path, suffix), output, last))


def _asked(
    config: str,
    suffix: str | None = None,
    expire_after: str | None = None,
    overwrite_drift: bool = False,
    allow_destructive: bool = False,
    prune: bool = False,
    jobs: int = 8,
    as_json: bool = False,
    no_rollback: bool = False,
    yes: bool = False,
    warehouse_path: Path | None = None,
) -> tuple[Config, Options, How]:
    from deployer.sync.commands import How
    from deployer.sync.compare import Options
    from deployer.sync.sandbox import hours

    if expire_after is not None and not suffix:
        raise UsageError("--expire-after goes with --suffix: only a sandbox expires")
    expire_hours = hours(expire_after) if expire_after is not None else None
    options = Options(overwrite_drift, allow_destructive, prune, suffix or "", expire_hours)
    return _config(config, warehouse_path, suffix), options, How(jobs, not no_rollback, as_json, yes)


def _config(location: str, warehouse_path: Path | None, suffix: str | None = None) -> Config:
    from deployer.config import load_config

    config = load_config(location)
    if suffix is not None:
        from deployer.sync.sandbox import sandboxed

        config = sandboxed(config, suffix)
    if warehouse_path is None:
        return config
    if config.warehouse.path is None:
        raise UsageError("--warehouse-path goes with `engine: embedded` alone.")
    warehouse = config.warehouse.model_copy(update={"path": warehouse_path.resolve()})
    return config.model_copy(update={"warehouse": warehouse})


def _has_no_warehouse(config: Config) -> bool:
    """Whether opening the warehouse would create its file."""
    return config.warehouse.path is not None and not config.warehouse.path.exists()


def _require_warehouse(config: Config) -> None:
    if _has_no_warehouse(config):
        raise UsageError(f"{config.warehouse.path}: there is no warehouse yet; run `deployer sync CONFIG` first.")


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not sys.stdout.isatty():
        lines = [headings, *rows]
        widths = [max(len(line[place]) for line in lines) for place in range(len(headings))]
        for row in lines:
            click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*headings)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # a message's brackets are no markup
    Console().print(table)


if __name__ == "__main__":
    main(prog_name="deployer")
