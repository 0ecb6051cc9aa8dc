"""What a run tells: live lines and a summary on a terminal, else one JSON object a line for Cloud Logging."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from deployer.config import Config
from deployer.errors import DeployerError
from deployer.run import Run
from deployer.tmgetl import Holder, Outcome, Progress, Status, Step, StepResult

if TYPE_CHECKING:
    from rich.progress import TaskID

    from deployer.warehouse import Warehouse


SEVERITIES = ("DEBUG", "INFO", "NOTICE", "WARNING", "ERROR")  # Cloud Logging's, in their order
LOOK_SECONDS = 10.0  # for a look at the target, once it is published


@dataclass(frozen=True, slots=True)
class Place:
    """Where the published rows lie, and a command line that shows some of them."""

    table: str
    file: str | None  # of an embedded warehouse
    command: str

    def __str__(self) -> str:
        return self.table if self.file is None else f"{self.table} in {self.file}"


class Report(Progress):
    """Use it in a `with` around all runs, and `about` before each of them."""

    def __init__(self, least: int) -> None:
        """Messages below this severity are left out."""
        self._least = least
        self._run: Run | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def about(self, run: Run) -> None:
        self._run = run

    def detail(self, message: str) -> None:
        self._tell("DEBUG", message)

    def note(self, message: str) -> None:
        self._tell("INFO", message)

    def retried(self, message: str) -> None:
        self._tell("WARNING", message)

    def waiting(self, holder: Holder) -> None:
        self.note(f"Waiting for {holder.name}, whose lease ends {holder.until} unless it is renewed.")

    def begun(self, step: Step) -> None:
        self._tell("INFO", f"{step} begins", step=step)

    def ended(self, step: Step, result: StepResult) -> None:
        self._tell(
            "INFO",
            f"{step} ended after {result.seconds:.2f} s: {_counted(result)}",
            step=step,
            job_id=result.job_id,
            rows=result.rows,
            bytes_processed=result.bytes_processed,
            bytes_billed=result.bytes_billed,
            seconds=round(result.seconds, 3),
        )

    def failed(self, step: Step) -> None:
        self._tell("ERROR", f"{step} failed", step=step)

    def published(self, run: Run, outcome: Outcome, status: Status | None, place: Place | None) -> None:
        done = "published by an earlier process" if status == "skipped" else "published"
        self._tell(
            "NOTICE",
            f"{done} {run.transfer} for {run.window} ({run.write_mode}): {_rows(outcome)}; {_times(outcome)}",
            window_start=str(run.window_start),
            window_end=str(run.window_end),
            rows_in=outcome.rows_in,
            rows_published=outcome.rows_published,
            rows_rejected=outcome.rows_rejected,
            bytes_billed=outcome.bytes_billed,
        )
        if place is not None:
            self._tell("INFO", f"the data lies in {place}; to look at it: {place.command}", table=place.table)

    def error(self, message: str) -> None:
        """For logs alone: the paragraph on stderr says it to people."""

    def _tell(self, severity: str, message: str, **payload: Any) -> None:
        if SEVERITIES.index(severity) >= self._least:
            self._write(severity, message, payload)

    def _write(self, severity: str, message: str, payload: Mapping[str, Any]) -> None:
        raise NotImplementedError


def report_for(config: Config, log_format: str | None, *, quiet: bool, verbose: bool) -> Report:
    """`log_format` is json or text; without it a terminal gets live lines, and anything else JSON."""
    least = SEVERITIES.index("DEBUG" if verbose else "WARNING" if quiet else "INFO")
    is_terminal = sys.stdout.isatty()
    if log_format == "json" or (log_format is None and not is_terminal):
        return JsonReport(config, least)
    return TerminalReport(least) if is_terminal else TextReport(least)


class TextReport(Report):
    """A line a message, for people who read a file or a pipe."""

    def _write(self, severity: str, message: str, payload: Mapping[str, Any]) -> None:
        _print(message if severity in ("INFO", "NOTICE") else f"{severity.lower()}: {message}")


class JsonReport(Report):
    """Cloud Logging reads severity, time, message and labels of each line; the rest is its jsonPayload."""

    def __init__(self, config: Config, least: int) -> None:
        super().__init__(least)
        self._environment = config.environment

    def error(self, message: str) -> None:
        self._tell("ERROR", message)

    def _write(self, severity: str, message: str, payload: Mapping[str, Any]) -> None:
        run = self._run
        labels = {"environment": self._environment}
        if run is not None:
            labels |= {"transfer": run.transfer, "write_mode": run.write_mode, "run_id": run.run_id}
            payload = {"run_id": run.run_id, **payload}
        line = {
            "severity": severity,
            "time": datetime.now(UTC).isoformat(),
            "message": message,
            **payload,
            "logging.googleapis.com/labels": labels,
        }
        _print(json.dumps(line, ensure_ascii=False))


class TerminalReport(Report):
    """A line a step, with a running clock."""

    def __init__(self, least: int) -> None:
        super().__init__(least)
        # A pod's log does not pay for rich.
        from rich.progress import Progress as Lines
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        text = TextColumn("{task.fields[result]}")
        self._lines = Lines(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description:8}"),
            TimeElapsedColumn(),
            text,
            disable=least > SEVERITIES.index("INFO"),
        )
        self._tasks: dict[Step, TaskID] = {}

    def __exit__(self, *_: object) -> None:
        self._lines.stop()

    def about(self, run: Run) -> None:
        for task in self._tasks.values():
            self._lines.remove_task(task)
        self._tasks = {}
        self._lines.start()

    def begun(self, step: Step) -> None:
        self._tasks[step] = self._lines.add_task(step, total=1, result="")

    def ended(self, step: Step, result: StepResult) -> None:
        self._lines.update(self._tasks[step], completed=1, result=_counted(result))

    def failed(self, step: Step) -> None:
        self._lines.stop_task(self._tasks[step])
        self._lines.update(self._tasks[step], result="[red]failed")

    def published(self, run: Run, outcome: Outcome, status: Status | None, place: Place | None) -> None:
        self._lines.stop()  # the summary stands below the steps
        lines = {
            "published": f"{run.transfer} ({run.write_mode})",
            "window": str(run.window),
            "rows": _rows(outcome),
            "time": _times(outcome),
        }
        if status == "skipped":
            lines["note"] = "an earlier process had published it"
        if place is not None:
            lines |= {"data": str(place), "look at it": place.command}
        self._tell("NOTICE", "\n".join(f"{name:<11}{text}" for name, text in lines.items()))

    def _write(self, severity: str, message: str, payload: Mapping[str, Any]) -> None:
        # Lines that the terminal wraps by itself can be copied whole.
        self._lines.console.print(message, markup=False, highlight=False, soft_wrap=True)


def place_of(warehouse: Warehouse, run: Run) -> Place | None:
    """Where `sid_fct_departure` of dataset `sid` publishes: `sid.fct_departure`; None if there is no such table."""
    from deployer.jobs import NEVER
    from deployer.warehouse import explained

    config = warehouse.config
    dataset = config.transfers[run.transfer].dataset
    path = f"{warehouse.dataset(dataset)}.{run.transfer.removeprefix(f'{dataset}_')}"
    # A run that is published stays so, whether or not its target can be shown.
    with suppress(DeployerError), explained(f"Reading {path}"):
        table = warehouse.client.get_table(path, retry=NEVER, timeout=LOOK_SECONDS)
        where = ""
        if table.time_partitioning is not None and table.time_partitioning.field is not None:
            field = table.time_partitioning.field
            where = f' WHERE {field} BETWEEN "{run.window_start}" AND "{run.window_end}"'
        sql = f"SELECT * FROM `{path}`{where} LIMIT 5"
        file = config.warehouse.path
        return Place(path, None if file is None else _short(file), _look(config, sql))
    return None


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  whoever read along has left; the run goes on


def _look(config: Config, sql: str) -> str:
    warehouse = config.warehouse
    if warehouse.path is None:
        api = [] if warehouse.endpoint is None else ["--api", warehouse.endpoint]
        project = [f"--project_id={warehouse.project}", f"--location={warehouse.location}"]
        return shlex.join(["bq", *api, *project, "query", "--use_legacy_sql=false", sql])
    connect = f"e.connect({json.dumps(_short(warehouse.path))}, project={json.dumps(warehouse.project)})"
    code = f'import embedded_bigquery as e; print(*map(dict, {connect}.query_and_wait({json.dumps(sql)})), sep="\\n")'
    return shlex.join([_short(Path(sys.executable)), "-c", code])


def _short(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _rows(outcome: Outcome) -> str:
    counts = {"in": outcome.rows_in, "published": outcome.rows_published, "rejected": outcome.rows_rejected}
    return ", ".join(f"{_number(count)} {name}" for name, count in counts.items())


def _times(outcome: Outcome) -> str:
    steps = {"cleanse": outcome.cleanse, "publish": outcome.publish, "cleanup": outcome.cleanup}
    return ", ".join(f"{name} {result.seconds:.2f} s" for name, result in steps.items() if result is not None)


def _counted(result: StepResult) -> str:
    rejected = f", {_number(result.rows_rejected)} rejected" if result.rows_rejected else ""
    return f"{_number(result.rows)} rows{rejected}, {_size(result.bytes_processed)}"


def _number(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"
