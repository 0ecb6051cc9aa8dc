"""The run ledger and the days that no run has published, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud.bigquery import Row

from deployer.coverage import gaps, yesterday
from deployer.errors import DeployerError, UsageError
from deployer.run import Window, parse_day
from deployer.warehouse import Warehouse

RUNS = """
SELECT *
FROM {runs}
WHERE
  started_at >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL @days DAY)
  AND (@transfer IS NULL OR transfer = @transfer)
ORDER BY started_at DESC, run_id
LIMIT @last
"""
HEADINGS = ("started (UTC)", "transfer", "window", "mode", "status", "seconds", "in", "published", "rejected", "error")
GAP_HEADINGS = ("transfer", "first day", "last day", "days")


def recent_runs(warehouse: Warehouse, transfer: str | None, days: int, last: int) -> list[Row]:
    """The latest first, with all columns of the ledger; `days` bounds what the query reads."""
    sql = RUNS.format(runs=warehouse.quoted("ops", "runs"))
    parameters = {"transfer": ("STRING", transfer), "days": ("INT64", days), "last": ("INT64", last)}
    try:
        return warehouse.query(sql, parameters, what="Reading ops.runs").rows
    except DeployerError as error:
        if isinstance(error.__cause__, NotFound):
            missing = f"{warehouse.dataset('ops')}.runs does not exist; run `deployer sync CONFIG` first."
            raise UsageError(missing) from error
        raise


def texts_of(run: Row) -> tuple[str, ...]:
    """A text for each of HEADINGS."""
    seconds = "" if run["ended_at"] is None else f"{(run['ended_at'] - run['started_at']).total_seconds():.1f}"
    counts = ("" if run[name] is None else f"{run[name]:,}" for name in ("rows_in", "rows_published", "rows_rejected"))
    window = f"{run['window_start']} to {run['window_end']}"
    started = f"{run['started_at']:%Y-%m-%d %H:%M:%S}"
    # One line a run: the whole message is in the ledger.
    reason = (run["error"] or "").split("\n", 1)[0]
    return (started, run["transfer"], window, run["write_mode"], run["status"], seconds, *counts, reason)


def value_of(run: Mapping[str, Any]) -> dict[str, Any]:
    """All columns of the ledger, as JSON has them."""
    return {name: value.isoformat() if isinstance(value, date | datetime) else value for name, value in run.items()}


def unpublished(warehouse: Warehouse, transfer: str | None, until: str | None) -> list[tuple[str, Window]]:
    """The gaps of one transfer or of all, each since its start_date, up to a day YYYYMMDD or yesterday.

    Raises UsageError.
    """
    known = warehouse.config.transfers
    if transfer is not None and transfer not in known:
        raise UsageError(f"TRANSFER {transfer!r} is not in the config; it names {', '.join(known) or 'none'}.")
    end = yesterday(warehouse) if until is None else parse_day(until, "--until")
    asked = {
        name: Window(made.start_date, end)
        for name, made in known.items()
        if transfer in (None, name) and made.start_date <= end
    }
    try:
        found = gaps(warehouse, asked) if asked else {}
    except DeployerError as error:
        if isinstance(error.__cause__, NotFound):
            raise UsageError(f"{warehouse.dataset('ops')} has no gaps; run `deployer sync CONFIG` first.") from error
        raise
    return [(name, window) for name, windows in found.items() for window in windows]


def gap_texts(missing: Sequence[tuple[str, Window]]) -> list[tuple[str, ...]]:
    return [(name, str(window.start), str(window.end), str(window.days)) for name, window in missing]


def gap_values(missing: Sequence[tuple[str, Window]]) -> list[dict[str, Any]]:
    return [
        {"transfer": name, "first_day": str(window.start), "last_day": str(window.end), "days": window.days}
        for name, window in missing
    ]
