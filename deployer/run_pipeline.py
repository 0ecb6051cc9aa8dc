"""The `pipeline` command: publishes one window of one transfer."""

from __future__ import annotations

import logging
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import click

from deployer.config import Config, load_config
from deployer.errors import DeployerError, UsageError
from deployer.report import Report, place_of, report_for
from deployer.run import Run, WriteMode, requested_run
from deployer.signals import SIGNALS, Ended

if TYPE_CHECKING:
    from deployer.warehouse import Warehouse

WRITE_MODES = ("truncate", "delta")


def main() -> None:
    for optional in ("pandas", "pyarrow"):
        # The BigQuery client loads them wherever they are installed: 0.4 s of which no step makes use.
        sys.modules.setdefault(optional, None)  # type: ignore[arg-type]
    SIGNALS.install()
    try:
        pipeline()
    finally:
        # Here and not in the command: a process that calls the command as a function goes on after it.
        SIGNALS.finish()


@dataclass(frozen=True, slots=True)
class Options:
    fill_gaps: bool
    ignore_upstream: bool
    wait_seconds: float


@click.command()
@click.argument("execution_date", metavar="EXECUTION_DATE")
@click.argument("transfer_name", metavar="TRANSFER_NAME")
@click.argument("write_mode", metavar="[truncate|delta]")
@click.argument("config_location", metavar="CONFIG_LOCATION", required=False)
@click.option("--delta_start_date", metavar="YYYYMMDD", help="First day of the delta window.")
@click.option("--fill-gaps", is_flag=True, help="Publish just those days of the window that are not published yet.")
@click.option("--ignore-upstream", is_flag=True, help="Run even if the inputs are not published for the window.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=0,
    metavar="SECONDS",
    help="Wait so long for another run of the transfer to end.",
)
@click.option("--log-format", type=click.Choice(["json", "text"]), help="Default: text on a terminal, else json.")
@click.option("--quiet", is_flag=True, help="Tell warnings and errors alone.")
@click.option("--verbose", is_flag=True, help="Tell what becomes of each job, too.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def pipeline(
    execution_date: str,
    transfer_name: str,
    write_mode: str,
    config_location: str | None,
    delta_start_date: str | None,
    fill_gaps: bool,
    ignore_upstream: bool,
    wait: float,
    log_format: str | None,
    quiet: bool,
    verbose: bool,
    debug: bool,
) -> None:
    """This will run the pipeline

    \b
    EXECUTION_DATE: date of pipeline execution YYYYMMDD
    TRANSFER_NAME: pipeline name to transfer
    WRITE_MODE: Options truncate/delta (default: delta)
    CONFIG_LOCATION: location of config file in form gs://bucket/filename or /path/to/file

    --delta_start_date: date to backfill from YYYYMMDD (default: EXECUTION_DATE)

    truncate rebuilds the target from the transfer's start_date up to and including EXECUTION_DATE; delta replaces the
    window from delta_start_date to EXECUTION_DATE, both included. A window that is longer than the transfer's
    max_window_days is published in chunks, each by itself; the same command goes on where they stopped.

    Exit status: 0 published; 1 failed, the target as it was; 2 bad usage or config, nothing was started; 3 another run
    of the transfer is at work, nothing was started; 130 or 143 ended by SIGINT or SIGTERM.
    """
    if config_location is None:
        # WRITE_MODE stands in the middle and may be left out.
        config_location, write_mode = write_mode, "delta"
    if not debug:
        # Without a handler, what libraries log would reach stderr, tracebacks included.
        logging.getLogger().addHandler(logging.NullHandler())
    try:
        if config_location in WRITE_MODES:
            raise UsageError(
                "CONFIG_LOCATION is missing; write it after the write mode, as a path or gs://bucket/file."
            )
        if write_mode not in WRITE_MODES:
            raise UsageError(f"WRITE_MODE {write_mode!r} is neither truncate nor delta.")
        config = load_config(config_location)
        SIGNALS.grace_seconds = config.grace_seconds
        mode = cast("WriteMode", write_mode)
        run = requested_run(config, execution_date, transfer_name, mode, delta_start_date, fill_gaps=fill_gaps)
        with report_for(config, log_format, quiet=quiet, verbose=verbose) as report:
            report.about(run)
            try:
                _publish(config, config_location, run, Options(fill_gaps, ignore_upstream, wait), report)
            except BaseException as error:
                report.error(_paragraph(error))
                raise
    except Ended as error:
        _tell(error, debug)
        sys.exit(error.exit_status)
    except Exception as error:
        _tell(error, debug)
        sys.exit(error.exit_status if isinstance(error, DeployerError) else 1)


def _publish(config: Config, config_location: str, asked: Run, options: Options, report: Report) -> None:
    file = config.warehouse.path
    advice = f"run `deployer sync {config_location}`"
    if file is not None and not file.exists():
        if not config.bootstrap:
            raise UsageError(f"There is no warehouse {file}; {advice}.")
        from deployer.bootstrap import bootstrap

        report.note(f"There is no warehouse {file} yet: deploying sql/ and loading the sample data into a new one.")
        bootstrap(config_location, file)
    # Half a second that refused input does not pay.
    from deployer.procedure_etl import missing_procedures
    from deployer.warehouse import Warehouse

    with Warehouse(config, report.retried, report.detail) as warehouse:
        missing = missing_procedures(warehouse, asked.transfer)
        if not missing:
            runs = _runs(warehouse, asked, options, report)
            for run in runs:
                SIGNALS.check()
                _run(warehouse, run, options, report, is_last=run is runs[-1])
            return
        is_empty = config.bootstrap and warehouse.is_empty()
    if file is None or not is_empty:
        raise UsageError(f"{asked.transfer} is not deployed ({', '.join(missing)} missing); {advice}.")
    file.unlink(missing_ok=True)  # nothing is in it
    _publish(config, config_location, asked, options, report)


def _runs(warehouse: Warehouse, asked: Run, options: Options, report: Report) -> list[Run]:
    from deployer.coverage import runs_of, runs_to_fill_gaps

    if not options.fill_gaps:
        return runs_of(warehouse, asked)
    runs = runs_to_fill_gaps(warehouse, asked)
    days = ", ".join(str(run.window) for run in runs)
    report.note(f"{asked.transfer}, {asked.window}: {f'to publish: {days}' if runs else 'no day is missing'}.")
    return runs


def _run(warehouse: Warehouse, run: Run, options: Options, report: Report, *, is_last: bool) -> None:
    from deployer.procedure_etl import ProcedureETL

    report.about(run)
    etl = ProcedureETL(run, warehouse, report, options.wait_seconds, ignore_upstream=options.ignore_upstream)
    SIGNALS.watch(etl, warehouse.patience)
    outcome = etl.run()
    report.published(run, outcome, etl.status, place_of(warehouse, run) if is_last else None)


def _tell(error: BaseException, debug: bool) -> None:
    if debug:
        traceback.print_exception(error)
    else:
        click.echo(f"Error: {_paragraph(error)}", err=True)


def _paragraph(error: BaseException) -> str:
    text = " ".join([str(error), *getattr(error, "__notes__", [])])
    if isinstance(error, DeployerError | Ended):
        return text
    return f"{type(error).__name__}: {text} This is a bug; --debug shows where."


if __name__ == "__main__":
    main()
