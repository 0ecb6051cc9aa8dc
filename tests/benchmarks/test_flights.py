"""benchmarks.flights, and the sample that it wrote."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb

REPO = Path(__file__).parents[2]


def flights(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.flights", *arguments]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)


def test_command_writes_the_sample_in_the_repo_again_row_for_row(tmp_path: Path) -> None:
    done = flights("--from", "20130101", "--to", "20130114", "-o", str(tmp_path))
    assert done.returncode == 0, done.stderr
    for name in ("flights", "airlines", "planes", "airports"):
        here, there = REPO / "sample_data" / f"{name}.parquet", tmp_path / f"{name}.parquet"
        both = f"(FROM '{here}' EXCEPT ALL FROM '{there}') UNION ALL (FROM '{there}' EXCEPT ALL FROM '{here}')"
        assert duckdb.sql(f"SELECT count(*) FROM ({both})").fetchall() == [(0,)]
        assert duckdb.sql(f"SELECT count(*) > 0 FROM '{here}'").fetchall() == [(True,)]


def test_sample_has_the_landing_tables_columns_in_their_order_and_stays_under_1_mb() -> None:
    files = sorted((REPO / "sample_data").glob("*.parquet"))
    for file in files:
        lines = (REPO / "sql" / "raw" / "tables" / f"{file.stem}.sql").read_text().splitlines()
        declared = [line.split()[0] for line in lines if line.startswith("  ")]
        assert duckdb.sql(f"FROM '{file}'").columns == declared
    assert len(files) == 4
    assert sum(file.stat().st_size for file in files) <= 1_000_000


def test_last_day_before_first_is_refused_with_status_2_and_nothing_written(tmp_path: Path) -> None:
    done = flights("--from", "20130102", "--to", "20130101", "-o", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "lies before" in done.stderr
    assert not (tmp_path / "out").exists()


def test_date_that_is_none_is_refused_with_status_2(tmp_path: Path) -> None:
    done = flights("--from", "20130230", "--to", "20130301", "-o", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "YYYYMMDD" in done.stderr
