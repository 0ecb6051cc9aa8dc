"""duck.py: the file, its cursors, and DuckDB's failures as the engine's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from embedded_bigquery.duck import Database, DatabaseLocked, execute, fetch
from embedded_bigquery.errors import InvalidQuery


def test_database_in_use_by_another_process_is_refused_with_the_next_step(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    held = Database(file)
    code = f"from embedded_bigquery.duck import Database\nDatabase({str(file)!r})"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    held.close()
    assert other.returncode == 1
    assert f"{DatabaseLocked.__name__}: {file} is in use by another process" in other.stderr


def test_cursor_reads_a_snapshot_while_another_writes() -> None:
    database = Database()
    writer, reader = database.cursor(), database.cursor()
    execute(writer, "CREATE TABLE t AS SELECT 1 AS a")
    execute(writer, "BEGIN")
    execute(writer, "INSERT INTO t VALUES (2)")
    assert fetch(execute(reader, "SELECT count(*) FROM t")) == [(1,)]
    execute(writer, "COMMIT")
    assert fetch(execute(reader, "SELECT count(*) FROM t")) == [(2,)]


def test_failure_becomes_invalid_query_of_one_line() -> None:
    with pytest.raises(InvalidQuery) as caught:
        execute(Database().cursor(), "SELECT * FROM nowhere")
    assert "nowhere" in caught.value.message
    assert "\n" not in caught.value.message
