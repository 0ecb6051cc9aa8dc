"""The run ledger, as rows of texts for people."""

from __future__ import annotations

from datetime import datetime

from google.api_core.exceptions import NotFound

from deployer.errors import DeployerError, UsageError
from deployer.warehouse import Warehouse

RUNS = """
SELECT
  transfer,
  window_start,
  window_end,
  write_mode,
  status,
  started_at,
  ended_at,
  rows_in,
  rows_published,
  rows_rejected,
  error
FROM {runs}
WHERE
  started_at >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL @days DAY)
  AND (@transfer IS NULL OR transfer = @transfer)
ORDER BY started_at DESC, run_id
LIMIT @limit
"""
HEADINGS = ("started (UTC)", "transfer", "window", "mode", "status", "seconds", "in", "published", "rejected", "error")


def recent_runs(warehouse: Warehouse, transfer: str | None, days: int, limit: int) -> list[tuple[str, ...]]:
    """The latest first, a text for each of HEADINGS; `days` bounds what the query reads."""
    sql = RUNS.format(runs=warehouse.quoted("ops", "runs"))
    parameters = {"transfer": ("STRING", transfer), "days": ("INT64", days), "limit": ("INT64", limit)}
    try:
        answer = warehouse.query(sql, parameters, what="Reading ops.runs")
    except DeployerError as error:
        if isinstance(error.__cause__, NotFound):
            missing = f"{warehouse.dataset('ops')}.runs does not exist; run `deployer sync CONFIG` first."
            raise UsageError(missing) from error
        raise
    return [_texts(**dict(row.items())) for row in answer.rows]


def _texts(
    *,
    transfer: str,
    window_start: object,
    window_end: object,
    write_mode: str,
    status: str,
    started_at: datetime,
    ended_at: datetime | None,
    rows_in: int | None,
    rows_published: int | None,
    rows_rejected: int | None,
    error: str | None,
) -> tuple[str, ...]:
    seconds = "" if ended_at is None else f"{(ended_at - started_at).total_seconds():.1f}"
    counts = ("" if count is None else f"{count:,}" for count in (rows_in, rows_published, rows_rejected))
    window = f"{window_start} to {window_end}"
    started = f"{started_at:%Y-%m-%d %H:%M:%S}"
    # One line a run: the whole message is in the ledger.
    reason = (error or "").split("\n", 1)[0]
    return (started, transfer, window, write_mode, status, seconds, *counts, reason)
