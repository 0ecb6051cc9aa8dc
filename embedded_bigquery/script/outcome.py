"""What statements give: to whoever called a job, and to its list of child jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from embedded_bigquery.errors import EngineError
from embedded_bigquery.sql.environment import TablePath
from embedded_bigquery.types import Field


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one statement, or a whole script, gave; rows hold Python values as `values.from_duckdb` makes them."""

    kind: str  # the API's statementType
    fields: tuple[Field, ...] = ()
    rows: Sequence[tuple[Any, ...]] = ()
    affected: int | None = None  # rows that a DML statement changed
    inserted: int | None = None
    updated: int | None = None
    deleted: int | None = None
    target: TablePath | None = None  # of DML and DDL
    routine: TablePath | None = None  # of DDL
    operation: str | None = None  # CREATE, REPLACE, SKIP, DROP or ALTER
    referenced: tuple[TablePath, ...] = ()
    bytes_processed: int = 0
    bytes_billed: int = 0


@dataclass(frozen=True, slots=True)
class Child:
    """One statement of a script that ran; line and column from 1, times in milliseconds since the epoch."""

    outcome: Outcome | None
    error: EngineError | None
    text: str
    line: int
    column: int
    procedure: str | None
    started_ms: int
    ended_ms: int
    transaction: str | None = None  # its id
