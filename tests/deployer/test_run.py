"""run.py: the window that the command line means, and what it refuses."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.config import load_config
from deployer.errors import UsageError
from deployer.run import Run, Window, WriteMode, parse_day, requested_run

CONFIG = load_config(str(Path(__file__).parents[2] / "config" / "local.yaml"))
days = st.dates(date(2013, 1, 1), date(2033, 12, 31))


def asked(day: str, transfer: str, mode: WriteMode, start: str | None = None) -> Run:
    return requested_run(CONFIG, day, transfer, mode, start)


def test_delta_without_start_is_the_execution_date_alone() -> None:
    run = asked("20130107", "sid_fct_departure", "delta")
    assert (run.window_start, run.window_end) == (date(2013, 1, 7), date(2013, 1, 7))


def test_run_id_says_what_was_asked_for_and_is_no_other_runs() -> None:
    run, other = (asked("20130107", "sid_fct_departure", "delta", "20130101") for _ in range(2))
    assert run.run_id.startswith("local-sid_fct_departure-20130101-20130107-delta-")
    assert run.run_id != other.run_id


@given(days, st.integers(1, 400), st.integers(1, 90))
def test_chunks_cover_the_window_once_in_order_and_none_is_too_long(start: date, length: int, most: int) -> None:
    window = Window(start, start + timedelta(days=length - 1))
    chunks = list(window.chunks(most))
    assert [day for chunk in chunks for day in each_day(chunk)] == each_day(window)
    assert all(chunk.days <= most for chunk in chunks) and len(chunks) == -(-length // most)


def each_day(window: Window) -> list[date]:
    return [window.start + timedelta(days=number) for number in range(window.days)]


def test_truncate_begins_at_the_transfers_start_date() -> None:
    run = asked("20130107", "sid_fct_departure", "truncate")
    assert (run.window_start, run.window_end) == (date(2013, 1, 1), date(2013, 1, 7))


@given(days, days)
def test_delta_window_is_what_was_written_or_refused_when_it_ends_before_it_starts(start: date, end: date) -> None:
    words = (f"{end:%Y%m%d}", "sid_dim_agent", "delta", f"{start:%Y%m%d}")
    if start > end:
        with pytest.raises(UsageError, match="lies after EXECUTION_DATE"):
            asked(*words)  # type: ignore[arg-type]
    else:
        run = asked(*words)  # type: ignore[arg-type]
        assert (run.window_start, run.window_end) == (start, end)


@pytest.mark.parametrize("text", ["", "2013-01-07", "20130230", "2013017", "201301070", "٢٠١٣٠١٠٧", "yesterday"])
def test_day_that_is_no_date_is_refused_by_argument_and_form(text: str) -> None:
    with pytest.raises(UsageError, match=r"EXECUTION_DATE .* is no date; write it as YYYYMMDD") as caught:
        parse_day(text, "EXECUTION_DATE")
    assert caught.value.exit_status == 2


def test_unknown_transfer_is_refused_with_the_known_ones_nearest_first() -> None:
    with pytest.raises(UsageError, match="it names sid_fct_departure, ") as caught:
        asked("20130107", "sid_fct_departures", "delta")
    assert all(name in str(caught.value) for name in CONFIG.transfers)


def test_truncate_with_delta_start_date_is_refused() -> None:
    with pytest.raises(UsageError, match="--delta_start_date goes with delta"):
        asked("20130107", "sid_fct_departure", "truncate", "20130101")


def test_delta_start_before_the_transfers_start_is_refused() -> None:
    with pytest.raises(UsageError, match="--delta_start_date 20121231 lies before 20130101, the start_date"):
        asked("20130107", "sid_fct_departure", "delta", "20121231")


def test_execution_date_before_the_transfers_start_is_refused() -> None:
    with pytest.raises(UsageError, match="the start_date of sid_fct_departure"):
        asked("20121231", "sid_fct_departure", "delta")
