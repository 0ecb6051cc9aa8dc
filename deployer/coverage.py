"""Which days are published, and so which runs a request comes to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from deployer.errors import DeployerError
from deployer.jobs import Typed
from deployer.run import Run, Window, new_run
from deployer.warehouse import Warehouse

RESUMED_WITHIN_DAYS = 7  # a backfill that stopped longer ago begins anew


class InputsMissing(DeployerError):
    """The inputs of a run are not published for all days of its window."""

    def __init__(self, run: Run, missing: Mapping[str, list[Window]]) -> None:
        lacks = (f"{name} lacks {', '.join(map(str, windows))}" for name, windows in missing.items() if windows)
        super().__init__(
            f"The inputs of {run.transfer} are not published for all of {run.window}: {'; '.join(lacks)}. "
            "Publish them first, or say --ignore-upstream."
        )


def gaps(warehouse: Warehouse, asked: Mapping[str, Window]) -> dict[str, list[Window]]:
    """Of each transfer the days of its window that no published window covers; raises DeployerError."""
    parameters: dict[str, Typed] = {}
    selects = []
    for number, (transfer, window) in enumerate(asked.items()):
        names = [f"{name}_{number}" for name in ("transfer", "first_day", "last_day")]
        values: list[Typed] = [("STRING", transfer), ("DATE", window.start), ("DATE", window.end)]
        parameters |= dict(zip(names, values, strict=True))
        arguments = ", ".join(f"@{name}" for name in names)
        selects.append(f"SELECT transfer, first_day, last_day FROM {warehouse.quoted('ops', 'gaps')}({arguments})")
    sql = "\nUNION ALL\n".join(selects) + "\nORDER BY transfer, first_day"
    found: dict[str, list[Window]] = {transfer: [] for transfer in asked}
    for row in warehouse.query(sql, parameters, what="Looking for days that are not published").rows:
        found[row["transfer"]].append(Window(row["first_day"], row["last_day"]))
    return found


def require_inputs(warehouse: Warehouse, run: Run) -> None:
    """Raises InputsMissing unless the transfers that this one depends on have published the run's window."""
    inputs = warehouse.config.transfers[run.transfer].depends_on
    if inputs:
        missing = gaps(warehouse, dict.fromkeys(inputs, run.window))
        if any(missing.values()):
            raise InputsMissing(run, missing)


def runs_to_fill_gaps(warehouse: Warehouse, run: Run) -> list[Run]:
    """The runs that publish the days of the run's window that are not published, and no other."""
    config = warehouse.config
    most = config.transfers[run.transfer].max_window_days
    missing = gaps(warehouse, {run.transfer: run.window})[run.transfer]
    return [new_run(config, run.transfer, chunk, run.write_mode) for window in missing for chunk in window.chunks(most)]


def runs_of(warehouse: Warehouse, run: Run) -> list[Run]:
    """The run itself, or the chunks that its window is cut in; those before the one that stopped are left out.

    A truncate is never cut: readers would see the target without the days of its later chunks.
    """
    config = warehouse.config
    most = config.transfers[run.transfer].max_window_days
    if run.write_mode == "truncate" or run.window.days <= most:
        return [run]
    rest = run.window
    published_to = _published_to(warehouse, run)
    if published_to is not None and published_to < run.window_end:
        rest = Window(published_to + timedelta(days=1), run.window_end)
    return [new_run(config, run.transfer, chunk, run.write_mode, run.window) for chunk in rest.chunks(most)]


def yesterday(warehouse: Warehouse) -> date:
    """By the warehouse's clock, in UTC: the last day that can be complete."""
    [row] = warehouse.query("SELECT CURRENT_DATE() - 1 AS day", what="Asking for the date").rows
    found: date = row["day"]
    return found


def _published_to(warehouse: Warehouse, run: Run) -> date | None:
    """The end of the last chunk that this backfill published."""
    sql = (
        f"SELECT window_end FROM {warehouse.quoted('ops', 'runs')}\n"
        "WHERE started_at > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL @days DAY) AND transfer = @transfer\n"
        "  AND backfill_start = @first_day AND backfill_end = @last_day AND status IN ('published', 'skipped')\n"
        "ORDER BY started_at DESC LIMIT 1"
    )
    parameters: dict[str, Typed] = {
        "days": ("INT64", RESUMED_WITHIN_DAYS),
        "transfer": ("STRING", run.transfer),
        "first_day": ("DATE", run.window_start),
        "last_day": ("DATE", run.window_end),
    }
    rows = warehouse.query(sql, parameters, what="Reading ops.runs").rows
    return rows[0]["window_end"] if rows else None
