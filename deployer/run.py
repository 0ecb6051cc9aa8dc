"""One run of a transfer: what the command line asks for, checked before anything is started."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from typing import Literal
from uuid import uuid4

from deployer.config import Config
from deployer.errors import UsageError

WriteMode = Literal["truncate", "delta"]


@dataclass(frozen=True, slots=True)
class Window:
    """Days; `start` and `end` are both part of it."""

    start: date
    end: date

    def __str__(self) -> str:
        return str(self.end) if self.start == self.end else f"{self.start} to {self.end}"

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    def chunks(self, most: int) -> Iterator[Window]:
        """Consecutive windows of at most so many days, the earliest first."""
        for first in range(0, self.days, most):
            start = self.start + timedelta(days=first)
            yield Window(start, min(start + timedelta(days=most - 1), self.end))


@dataclass(frozen=True, slots=True)
class Run:
    """`window_start` and `window_end` are both part of the window."""

    transfer: str
    window_start: date
    window_end: date
    write_mode: WriteMode
    run_id: str  # no other run has it; the ids of the run's jobs begin with it
    backfill: Window | None = None  # what was asked for, when this run is one chunk of it

    @property
    def window(self) -> Window:
        return Window(self.window_start, self.window_end)


def new_run(
    config: Config, transfer: str, window: Window, write_mode: WriteMode, backfill: Window | None = None
) -> Run:
    days = f"{window.start:%Y%m%d}-{window.end:%Y%m%d}"
    run_id = f"{config.environment}-{transfer}-{days}-{write_mode}-{uuid4().hex[:10]}"
    return Run(transfer, window.start, window.end, write_mode, run_id, backfill)


def requested_run(
    config: Config,
    execution_date: str,
    transfer: str,
    write_mode: WriteMode,
    delta_start_date: str | None,
    *,
    fill_gaps: bool = False,
) -> Run:
    """The run that the command line's words mean; raises UsageError."""
    end = parse_day(execution_date, "EXECUTION_DATE")
    known = config.transfers.get(transfer)
    if known is None:
        near = get_close_matches(transfer, config.transfers, n=len(config.transfers), cutoff=0.0)
        raise UsageError(f"TRANSFER_NAME {transfer!r} is not in the config; it names {', '.join(near)}.")
    if end < known.start_date:
        raise UsageError(
            f"EXECUTION_DATE {end:%Y%m%d} lies before {known.start_date:%Y%m%d}, the start_date of {transfer}."
        )
    if write_mode == "truncate":
        if delta_start_date is not None:
            raise UsageError(
                "--delta_start_date goes with delta; truncate rebuilds everything up to EXECUTION_DATE. "
                "Leave the option out, or write delta."
            )
        if fill_gaps:
            raise UsageError("--fill-gaps goes with delta; truncate rebuilds every day anyway.")
        return new_run(config, transfer, Window(known.start_date, end), write_mode)
    start = known.start_date if fill_gaps else end
    if delta_start_date is not None:
        start = parse_day(delta_start_date, "--delta_start_date")
    if start < known.start_date:
        raise UsageError(
            f"--delta_start_date {start:%Y%m%d} lies before {known.start_date:%Y%m%d}, the start_date of {transfer}."
        )
    if start > end:
        raise UsageError(
            f"--delta_start_date {start:%Y%m%d} lies after EXECUTION_DATE {end:%Y%m%d}; "
            "the window goes from the first to the second, both included."
        )
    return new_run(config, transfer, Window(start, end), write_mode)


def parse_day(text: str, argument: str) -> date:
    """A day written as YYYYMMDD; raises UsageError that names the argument."""
    # strptime alone also takes 2013107, a day whose month nobody can be sure of.
    if len(text) == 8 and text.isascii() and text.isdigit():
        try:
            return datetime.strptime(text, "%Y%m%d").date()
        except ValueError:
            pass
    raise UsageError(f"{argument} {text!r} is no date; write it as YYYYMMDD, for instance 20130107.")
