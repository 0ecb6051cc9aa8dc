"""The targets, computed from the sample's Parquet files in plain DuckDB SQL, apart from the product's own SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

SAMPLE = Path(__file__).parents[2] / "sample_data"
QUERIES = Path(__file__).parent / "expected"

Row = tuple[Any, ...]


def days(first: date, last: date) -> list[date]:
    """The days of a window, which is inclusive at both ends."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


class Expected:
    """What the targets must hold when `published` are the published days, whatever runs published them."""

    def __init__(self, folder: Path = SAMPLE) -> None:
        self.database = duckdb.connect()
        self.database.execute("SET TimeZone = 'UTC'")
        self.database.execute("CREATE SCHEMA raw")
        for file in sorted(folder.glob("*.parquet")):
            self.database.execute(f"CREATE TABLE raw.{file.stem} AS FROM '{file}'")
        # Only a timestamp without a zone reaches Python without another package.
        self.database.execute("ALTER TABLE raw.flights ALTER time_hour TYPE TIMESTAMP")

    def correct(self, statement: str) -> int:
        """Changes raw rows, by a statement that BigQuery and DuckDB both understand; returns how many."""
        [(affected,)] = self.database.execute(statement).fetchall()
        return int(affected)

    def raw(self, table: str) -> list[dict[str, Any]]:
        """The table's rows by column name."""
        return self._named(self.database.execute(f"FROM raw.{table}"))

    def departures(self, published: Sequence[date]) -> list[Row]:
        """sid.fct_departure without its first column, the key."""
        return self._run("departures", published).fetchall()

    def rejected(self, published: Sequence[date]) -> list[dict[str, Any]]:
        """The raw rows that belong into ops.rejected_rows."""
        return self._named(self._run("rejected", published))

    def agents(self, published: Sequence[date]) -> list[Row]:
        self._table("agent_states", published)
        return self._run("agents", published).fetchall()

    def agent_days(self, published: Sequence[date]) -> list[Row]:
        self._table("departures", published)
        self._table("agent_states", published)
        self._table("agents", published)
        return self.database.execute((QUERIES / "agent_days.sql").read_text()).fetchall()

    def _run(self, name: str, published: Sequence[date], before: str = "") -> duckdb.DuckDBPyConnection:
        query = before + (QUERIES / f"{name}.sql").read_text()
        return self.database.execute(query, {"days": list(published)})

    def _table(self, name: str, published: Sequence[date]) -> None:
        self._run(name, published, f"CREATE OR REPLACE TEMP TABLE {name} AS\n")

    def _named(self, found: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def insertion(row: dict[str, Any], **changes: Any) -> str:
    """An INSERT of the raw flight, changed, that BigQuery and DuckDB both understand."""
    changed = row | changes
    return f"INSERT INTO raw.flights ({', '.join(changed)}) VALUES ({', '.join(map(literal, changed.values()))})"


def literal(value: Any) -> str:
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value:%Y-%m-%d %H:%M:%S}+00'"
    if isinstance(value, date):
        return f"DATE '{value}'"
    return "NULL" if value is None else repr(value)
