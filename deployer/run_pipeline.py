"""The `pipeline` command: publishes one window of one transfer."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import cast

import click

from deployer.config import Config, load_config
from deployer.errors import DeployerError, UsageError
from deployer.report import Report, place_of, report_for
from deployer.run import Run, WriteMode, requested_run
from deployer.signals import SIGNALS, Ended

WRITE_MODES = ("truncate", "delta")


def main() -> None:
    for optional in ("pandas", "pyarrow"):
        # The BigQuery client loads them wherever they are installed: 0.4 s of which no step makes use.
        sys.modules.setdefault(optional, None)  # type: ignore[arg-type]
    SIGNALS.install()
    pipeline()


@click.command()
@click.argument("execution_date", metavar="EXECUTION_DATE")
@click.argument("transfer_name", metavar="TRANSFER_NAME")
@click.argument("write_mode", metavar="[truncate|delta]")
@click.argument("config_location", metavar="CONFIG_LOCATION", required=False)
@click.option("--delta_start_date", metavar="YYYYMMDD", help="First day of the delta window.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=0,
    metavar="SECONDS",
    help="Wait so long for another run of the transfer to end.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def pipeline(
    execution_date: str,
    transfer_name: str,
    write_mode: str,
    config_location: str | None,
    delta_start_date: str | None,
    wait: float,
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
    window from delta_start_date to EXECUTION_DATE, both included.

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
        _publish(execution_date, transfer_name, write_mode, config_location, delta_start_date, wait)
    except Ended as error:
        _tell(error, debug)
        sys.exit(error.exit_status)
    except Exception as error:
        _tell(error, debug)
        sys.exit(error.exit_status if isinstance(error, DeployerError) else 1)


def _publish(
    execution_date: str,
    transfer_name: str,
    write_mode: str,
    config_location: str,
    delta_start_date: str | None,
    wait: float,
) -> None:
    if config_location in WRITE_MODES:
        raise UsageError("CONFIG_LOCATION is missing; write it after the write mode, as a path or gs://bucket/file.")
    if write_mode not in WRITE_MODES:
        raise UsageError(f"WRITE_MODE {write_mode!r} is neither truncate nor delta.")
    config = load_config(config_location)
    SIGNALS.grace_seconds = config.grace_seconds
    run = requested_run(config, execution_date, transfer_name, cast("WriteMode", write_mode), delta_start_date)
    with report_for(config, run) as report:
        try:
            _run(config, config_location, run, report, wait)
        except BaseException as error:
            report.error(_paragraph(error))
            raise


def _run(config: Config, config_location: str, run: Run, report: Report, wait: float) -> None:
    file = config.warehouse.path
    advice = f"run `deployer sync {config_location}`"
    if file is not None and not file.exists():
        if not config.bootstrap:
            raise UsageError(f"There is no warehouse {file}; {advice}.")
        from deployer.bootstrap import bootstrap

        report.note(f"There is no warehouse {file} yet: deploying sql/ and loading the sample data into a new one.")
        bootstrap(config_location, file)
    # Half a second that refused input does not pay.
    from deployer.procedure_etl import ProcedureETL, missing_procedures
    from deployer.warehouse import Warehouse

    with Warehouse(config, report.retried) as warehouse:
        missing = missing_procedures(warehouse, run.transfer)
        if not missing:
            etl = ProcedureETL(run, warehouse, report, wait)
            with SIGNALS.watched(etl, warehouse.patience):
                outcome = etl.run()
            report.published(run, outcome, place_of(warehouse, run))
            return
        is_empty = config.bootstrap and warehouse.is_empty()
    if file is None or not is_empty:
        raise UsageError(f"{run.transfer} is not deployed ({', '.join(missing)} missing); {advice}.")
    file.unlink(missing_ok=True)  # nothing is in it
    _run(config, config_location, run, report, wait)


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
