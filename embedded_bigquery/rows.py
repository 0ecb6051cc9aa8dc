"""The rows of a result: those of a job, kept in memory, and those of a table, read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from embedded_bigquery.duck import Connection, execute, fetch
from embedded_bigquery.errors import NotFound
from embedded_bigquery.types import Field, Type, quoted
from embedded_bigquery.values import fetch_sql, from_duckdb

Row = tuple[Any, ...]


class Rows(Protocol):
    @property
    def fields(self) -> tuple[Field, ...]: ...

    @property
    def kept(self) -> int:
        """How many rows it holds in memory."""
        ...

    def count(self) -> int: ...

    def page(self, start: int, size: int) -> Sequence[Row]: ...

    def dropped(self) -> Rows:
        """The same without what it holds in memory."""
        ...


@dataclass(frozen=True, slots=True)
class MemoryRows:
    fields: tuple[Field, ...]
    rows: Sequence[Row]

    @property
    def kept(self) -> int:
        return len(self.rows)

    def count(self) -> int:
        return len(self.rows)

    def page(self, start: int, size: int) -> Sequence[Row]:
        return self.rows[start : start + size]

    def dropped(self) -> Rows:
        return DroppedRows(self.fields, len(self.rows))


@dataclass(frozen=True, slots=True)
class DroppedRows:
    """What is left of an old job's rows."""

    fields: tuple[Field, ...]
    total: int
    kept: int = 0

    def count(self) -> int:
        return self.total

    def page(self, start: int, size: int) -> Sequence[Row]:
        if size == 0 or start >= self.total:
            return ()
        raise NotFound("Not found: the rows of this job; only those of the latest jobs are kept. Run the query again")

    def dropped(self) -> Rows:
        return self


@dataclass(frozen=True, slots=True)
class TableRows:
    """The rows of a stored table, in the order in which they were written."""

    fields: tuple[Field, ...]
    duckdb_name: str
    connect: Callable[[], AbstractContextManager[Connection]]
    kept: int = 0

    def count(self) -> int:
        with self.connect() as connection:
            return int(fetch(execute(connection, f"SELECT count(*) FROM {self.duckdb_name}"))[0][0])

    def page(self, start: int, size: int) -> Sequence[Row]:
        if size == 0 or not self.fields:
            return ()
        names = ", ".join(quoted(field.name) for field in self.fields)
        text = fetch_sql(f"SELECT {names} FROM {self.duckdb_name} LIMIT {size} OFFSET {start}", self.fields)
        kinds = [field.type for field in self.fields]
        with self.connect() as connection:
            raw = fetch(execute(connection, text))
        return [tuple(from_duckdb(value, kind) for value, kind in zip(row, kinds, strict=True)) for row in raw]

    def dropped(self) -> Rows:
        return self


@dataclass(frozen=True, slots=True)
class SelectedRows:
    """Rows whose records have only some of their fields."""

    whole: Rows
    fields: tuple[Field, ...]  # the columns of `whole`, in their order
    kept: int = 0

    def count(self) -> int:
        return self.whole.count()

    def page(self, start: int, size: int) -> Sequence[Row]:
        pairs = [(own.type, field.type) for own, field in zip(self.whole.fields, self.fields, strict=True)]
        return [
            tuple(_narrowed(value, *kinds) for value, kinds in zip(row, pairs, strict=True))
            for row in self.whole.page(start, size)
        ]

    def dropped(self) -> Rows:
        return self


def _narrowed(value: Any, whole: Type, kept: Type) -> Any:
    """The value with the fields of its records that are kept."""
    if value is None or whole == kept:
        return value
    if whole.element is not None and kept.element is not None:
        return [_narrowed(item, whole.element, kept.element) for item in value]
    members = {field.name: (item, field.type) for item, field in zip(value, whole.fields, strict=True)}
    return tuple(_narrowed(*members[field.name], field.type) for field in kept.fields)
