"""bootstrap.py: a first run makes its warehouse whole or not at all."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.deployer.conftest import Site

COUNTS = "SELECT (SELECT COUNT(*) FROM raw.flights), (SELECT COUNT(*) FROM sid.fct_departure)"
SEVENTH = ("20130107", "sid_fct_departure", "delta", "CONFIG")


def test_first_run_makes_the_warehouse_and_leaves_nothing_beside_it(new_site: Site) -> None:
    done = new_site.pipeline(*SEVENTH)
    assert (done.status, done.stderr) == (0, "")
    assert {file.name for file in new_site.folder.iterdir()} == {"config.yaml", "sid.duckdb"}


def started(site: Site) -> subprocess.Popen[str]:
    """A first run that has begun to make its warehouse."""
    process = site.start(*SEVENTH)
    while not list(site.folder.glob(".sid.duckdb.*/sid.duckdb")):
        assert process.poll() is None
        time.sleep(0.02)
    return process


def test_killed_bootstrap_leaves_no_warehouse_and_the_next_run_makes_it(new_site: Site) -> None:
    process = started(new_site)
    process.kill()
    process.communicate()
    assert not new_site.warehouse.exists()
    assert new_site.pipeline(*SEVENTH).status == 0


def test_bootstrap_that_a_signal_ends_leaves_nothing(new_site: Site) -> None:
    process = started(new_site)
    process.send_signal(signal.SIGTERM)
    assert (process.communicate(timeout=60)[1], process.returncode) == ("Error: Ended by SIGTERM.\n", 143)
    assert {file.name for file in new_site.folder.iterdir()} == {"config.yaml"}


def test_folder_that_cannot_hold_the_warehouse_is_named(new_site: Site) -> None:
    (new_site.folder / "file").touch()
    new_site.config.write_text(new_site.config.read_text().replace("path: sid.duckdb", "path: file/sid.duckdb"))
    done = new_site.pipeline(*SEVENTH)
    assert done.status == 2
    assert "file/sid.duckdb: the warehouse cannot be made there: " in done.stderr


def test_two_first_runs_at_once_share_one_whole_warehouse(new_site: Site) -> None:
    runs = [new_site.start(day, *SEVENTH[1:]) for day in ("20130107", "20130108")]
    statuses = [new_site.ended(process).status for process in runs]
    assert sorted(statuses) in ([0, 0], [0, 3])
    assert new_site.query(COUNTS)[0][0] > 0
    published = new_site.query("SELECT COUNT(DISTINCT flight_date) FROM sid.fct_departure")
    assert published == [(statuses.count(0),)]


def test_bootstrap_that_fails_says_which_command_and_why(new_site: Site) -> None:
    text = new_site.config.read_text()
    new_site.config.write_text(text.replace("sample_data: /", "sample_data: /none/"))
    done = new_site.pipeline(*SEVENTH)
    assert done.status in (1, 2)
    assert "`deployer seed` could not make the warehouse: " in done.stderr and "Traceback" not in done.stderr
    assert {file.name for file in new_site.folder.iterdir()} == {"config.yaml"}
