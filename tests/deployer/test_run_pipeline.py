"""`pipeline`, the real command on the embedded warehouse: what it publishes, and what each end of a run leaves."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

if TYPE_CHECKING:
    from tests.deployer.conftest import Site

SEVENTH = ("20130107", "sid_fct_departure", "delta", "CONFIG")
TARGET = "SELECT * FROM sid.fct_departure ORDER BY departure_key"
STAGED = "SELECT COUNT(*) FROM staging.fct_departure"
RUNS = "SELECT status, rows_in, rows_published, rows_rejected FROM ops.runs ORDER BY started_at"
HOLDERS = "SELECT holder FROM ops.leases WHERE holder IS NOT NULL"
PUBLISHED = "SELECT CAST(window_start AS STRING), CAST(window_end AS STRING) FROM ops.published_windows"
PROCEDURES = Path(__file__).parents[2] / "sql" / "sid" / "procedures"
FLIGHTS = Path(__file__).parents[2] / "sample_data" / "flights.parquet"


def flights(first: str, last: str) -> int:
    [(count,)] = duckdb.sql(
        f"SELECT COUNT(*) FROM '{FLIGHTS}' WHERE make_date(year, month, day) BETWEEN '{first}' AND '{last}'"
    ).fetchall()
    return int(count)


def test_delta_publishes_its_day_and_says_how_many_rows(site: Site) -> None:
    done = site.pipeline(*SEVENTH)
    assert (done.status, done.stderr) == (0, "")
    count = flights("2013-01-07", "2013-01-07")
    assert {name: done.published[f"rows_{name}"] for name in ("in", "published", "rejected")} == {
        "in": count,
        "published": count,
        "rejected": 0,
    }
    assert site.query("SELECT COUNT(*), COUNT(DISTINCT flight_date) FROM sid.fct_departure") == [(count, 1)]
    assert site.query(RUNS) == [("published", count, count, 0)]
    assert site.query(PUBLISHED) == [("2013-01-07", "2013-01-07")]
    assert site.query(STAGED) == [(0,)]
    assert site.query(HOLDERS) == []


def test_run_twice_leaves_the_target_equal_row_for_row(site: Site) -> None:
    assert site.pipeline(*SEVENTH).status == 0
    first = site.query(TARGET)
    assert site.pipeline(*SEVENTH).status == 0
    assert site.query(TARGET) == first


def test_write_mode_left_out_is_delta_and_the_window_is_inclusive_at_both_ends(site: Site) -> None:
    done = site.pipeline("20130109", "sid_fct_departure", "CONFIG", "--delta_start_date", "20130103")
    assert done.status == 0
    assert done.published["rows_published"] == flights("2013-01-03", "2013-01-09")
    assert site.query("SELECT COUNT(DISTINCT flight_date) FROM sid.fct_departure") == [(7,)]
    assert done.published["logging.googleapis.com/labels"]["write_mode"] == "delta"


def test_truncate_rebuilds_from_the_transfers_start_to_the_execution_date(site: Site) -> None:
    assert site.pipeline("20130112", "sid_fct_departure", "CONFIG").status == 0
    assert site.pipeline("20130103", "sid_fct_departure", "truncate", "CONFIG").status == 0
    assert site.query("SELECT COUNT(*), COUNT(DISTINCT flight_date) FROM sid.fct_departure") == [
        (flights("2013-01-01", "2013-01-03"), 3)
    ]


def test_rejected_rows_are_counted_and_replaced_when_the_window_is_run_again(site: Site) -> None:
    site.query("INSERT INTO raw.flights (year, month, day, flight_date) VALUES (2013, 1, 7, DATE '2013-01-07')")
    for _ in range(2):
        done = site.pipeline(*SEVENTH)
        assert (done.status, done.published["rows_rejected"]) == (0, 1)
        assert done.published["rows_in"] == done.published["rows_published"] + 1
    assert site.query("SELECT reason FROM ops.rejected_rows") == [("missing carrier",)]


def test_command_of_the_summary_shows_published_rows(site: Site) -> None:
    line = site.pipeline(*SEVENTH).log[-1]
    assert line["table"] == "sid-local.sid.fct_departure"
    command = line["message"].split("to look at it: ", 1)[1]
    shown = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=site.folder)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert [line.startswith("{'departure_key': ") for line in shown.stdout.splitlines()] == [True] * 5


def test_log_lines_bear_the_fields_that_cloud_logging_reads(site: Site) -> None:
    done = site.pipeline(*SEVENTH)
    for line in done.log:
        assert {"severity", "time", "message"} <= line.keys()
        labels = line["logging.googleapis.com/labels"]
        assert labels["transfer"] == "sid_fct_departure" and labels["environment"] == "local"
        assert all(isinstance(value, str) for value in labels.values())
    ends = [line for line in done.log if "seconds" in line]
    assert [line["step"] for line in ends] == ["cleanse", "publish", "cleanup"]


def test_terminal_gets_a_line_a_step_and_a_summary_for_people(site: Site) -> None:
    terminal, inner = os.openpty()
    process = subprocess.Popen(site.command(*SEVENTH), stdout=inner, stderr=inner, cwd=site.folder)
    os.close(inner)
    shown = b""
    with suppress(OSError):  # the terminal's end, once the process has left it
        while chunk := os.read(terminal, 65536):
            shown += chunk
    os.close(terminal)
    assert process.wait(timeout=60) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).replace("\r", "")
    count = f"{flights('2013-01-07', '2013-01-07'):,}"
    for step in ("cleanse", "publish", "cleanup"):
        assert re.search(rf"✓ {step} +0:00:0\d {count} rows", text), text
    assert "window     2013-01-07\n" in text
    assert f"rows       {count} in, {count} published, 0 rejected\n" in text
    assert "data       sid-local.sid.fct_departure in sid.duckdb\n" in text


def break_publish(site: Site) -> None:
    """An ASSERT that fails after DELETE and INSERT, before the COMMIT."""
    text = (PROCEDURES / "sid_fct_departure_publish.sql").read_text()
    call = "    CALL ops.record_published_window"
    assert call in text
    site.query(text.replace(call, f"    ASSERT FALSE AS 'broken on purpose';\n{call}"))


def test_publish_that_fails_half_way_leaves_the_target_as_it_was_and_the_ledger_says_why(site: Site) -> None:
    assert site.pipeline(*SEVENTH).status == 0
    before = site.query(TARGET)
    site.query("UPDATE raw.flights SET dep_delay = 99 WHERE flight_date = DATE '2013-01-07'")
    break_publish(site)
    done = site.pipeline(*SEVENTH)
    assert done.status == 1
    assert done.stderr.startswith("Error: sid.sid_fct_departure_publish failed: ")
    assert "broken on purpose" in done.stderr and "Traceback" not in done.stderr
    assert site.query(TARGET) == before
    assert site.query(STAGED) == [(0,)]
    assert site.query(HOLDERS) == []
    assert site.query(PUBLISHED) == [("2013-01-07", "2013-01-07")]
    [(status, rows, error)] = site.query(
        "SELECT status, rows_published, error FROM ops.runs WHERE status != 'published'"
    )
    assert (status, rows) == ("failed", None)
    assert "broken on purpose" in error


def test_lease_that_another_holds_exits_3_and_starts_nothing(site: Site) -> None:
    site.query(
        "DECLARE got BOOL; DECLARE holder STRING; DECLARE since, until TIMESTAMP;"
        "CALL ops.acquire_lease('sid_fct_departure', 'night-run', 600, got, holder, since, until)"
    )
    done = site.pipeline(*SEVENTH)
    assert done.status == 3
    assert "Another run of sid_fct_departure is at work: night-run, since 20" in done.stderr
    assert site.query(HOLDERS) == [("night-run",)]
    assert site.query(RUNS) == []
    assert site.query(TARGET) == []


def test_lease_that_has_expired_is_taken_over(site: Site) -> None:
    site.query(
        "INSERT INTO ops.leases (transfer, holder, acquired_at, expires_at)"
        " VALUES ('sid_fct_departure', 'dead', TIMESTAMP '2013-01-07 00:00:00+00', TIMESTAMP '2013-01-07 00:15:00+00')"
    )
    assert site.pipeline(*SEVENTH).status == 0
    assert site.query(HOLDERS) == []


def test_warehouse_that_another_process_has_open_exits_3(site: Site) -> None:
    with site.client():
        done = site.pipeline(*SEVENTH)
    assert done.status == 3
    assert "in use by another process" in done.stderr
    assert site.query(RUNS) == []


def test_warehouse_without_anything_in_it_is_bootstrapped(site: Site) -> None:
    site.warehouse.unlink()
    with site.client():
        pass
    assert site.pipeline(*SEVENTH).status == 0
    assert site.query("SELECT COUNT(*) FROM sid.fct_departure") == [(flights("2013-01-07", "2013-01-07"),)]


def test_signal_after_the_publish_lets_the_run_end_as_published(site: Site) -> None:
    text = (PROCEDURES / "sid_fct_departure_cleanup.sql").read_text()
    slow = "BEGIN\n  DECLARE i INT64 DEFAULT 0;\n  WHILE i < 1500 DO SET i = i + 1; END WHILE;\n"
    site.query(text.replace("BEGIN\n", slow, 1))
    process = site.start(*SEVENTH)
    assert process.stdout is not None
    while "cleanup begins" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert site.query("SELECT status, error FROM ops.runs") == [("published", None)]
    assert site.query(STAGED) == [(0,)]
    assert site.query(HOLDERS) == []


def test_warehouse_without_procedures_exits_2_and_names_the_next_step(site: Site) -> None:
    site.warehouse.unlink()
    with site.client() as client:
        client.create_dataset("other")
    done = site.pipeline(*SEVENTH)
    assert done.status == 2
    assert "sid_fct_departure is not deployed" in done.stderr and f"run `deployer sync {site.config}`" in done.stderr


def test_one_missing_procedure_is_named(site: Site) -> None:
    site.query("DROP PROCEDURE sid.sid_fct_departure_cleanup")
    done = site.pipeline(*SEVENTH)
    assert done.status == 2
    assert "(sid.sid_fct_departure_cleanup missing)" in done.stderr
    assert site.query(RUNS) == []


def test_file_that_is_no_warehouse_exits_2(site: Site) -> None:
    site.warehouse.write_text("something else " * 1000)
    done = site.pipeline(*SEVENTH)
    assert done.status == 2
    assert f"{site.warehouse}: cannot be opened as an embedded warehouse" in done.stderr


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_cancels_cleans_up_frees_the_lease_and_is_recorded(
    site: Site, sent: signal.Signals, status: int
) -> None:
    text = (PROCEDURES / "sid_fct_departure_cleanse.sql").read_text()
    last = "  DROP TABLE checked_flight;\n"
    assert last in text
    endless = f"{last}  WHILE TRUE DO SET rows_affected = (SELECT COUNT(*) FROM staging.fct_departure); END WHILE;\n"
    site.query(text.replace(last, endless))
    process = site.start(*SEVENTH)
    assert process.stdout is not None
    while "cleanse begins" not in process.stdout.readline():
        pass
    process.send_signal(sent)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == status
    assert stderr == f"Error: Ended by {sent.name}.\n"
    assert site.query("SELECT status, error FROM ops.runs") == [("cancelled", f"Ended by {sent.name}.")]
    assert site.query(STAGED) == [(0,)]
    assert site.query(HOLDERS) == []
    assert site.query(TARGET) == []
