"""What a statement may refer to, and what its translation is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from embedded_bigquery.types import Field, Type

USER = "local@embedded-bigquery"  # who runs everything here


@dataclass(frozen=True, slots=True)
class TablePath:
    """A table, view or routine's full name. `dataset` is "" for temporary ones."""

    project: str
    dataset: str
    name: str

    def __str__(self) -> str:
        return f"{self.project}:{self.dataset}.{self.name}"


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view as the analyzer sees it."""

    path: TablePath
    fields: tuple[Field, ...]
    duckdb_name: str  # quoted and complete, ready to stand in FROM
    kind: str = "TABLE"  # TABLE, VIEW, TEMP, MATERIALIZED_VIEW, INFORMATION_SCHEMA
    view_query: str | None = None  # GoogleSQL of a view
    partition_column: str | None = None  # or _PARTITIONTIME
    partition_granularity: str | None = None  # DAY, HOUR, MONTH, YEAR, or None for an integer range
    require_partition_filter: bool = False
    row_filter: str | None = None  # GoogleSQL: the rows that its row access policies let the user see


@dataclass(frozen=True, slots=True)
class RoutineArgument:
    name: str
    type: Type | None  # None: ANY TYPE (or ANY TABLE when is_table)
    mode: str = "IN"  # IN, OUT, INOUT
    is_aggregate: bool = True
    is_table: bool = False
    table_fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Routine:
    """A function, table function or procedure as the analyzer sees it."""

    path: TablePath
    kind: str  # SCALAR_FUNCTION, AGGREGATE_FUNCTION, TABLE_VALUED_FUNCTION, PROCEDURE
    arguments: tuple[RoutineArgument, ...]
    body: str  # GoogleSQL (or JavaScript), without the CREATE around it
    returns: Type | None = None
    return_fields: tuple[Field, ...] = ()  # of a TABLE_VALUED_FUNCTION with RETURNS TABLE
    language: str = "SQL"
    options: Mapping[str, Any] = field(default_factory=dict)


class Environment(Protocol):
    """The names a statement can see. Lookups return None when there is no such thing."""

    @property
    def project(self) -> str: ...

    @property
    def default_dataset(self) -> str | None: ...

    @property
    def location(self) -> str: ...

    @property
    def time_zone(self) -> str:
        """The zone of local times that name none: @@time_zone."""
        ...

    def relation(self, parts: tuple[str, ...]) -> Relation | None:
        """The table that a 1-, 2- or 3-part name (or an INFORMATION_SCHEMA path) means."""
        ...

    def wildcard(self, parts: tuple[str, ...]) -> list[Relation]:
        """The tables that a name ending in * means, the one made last at the end."""
        ...

    def routine(self, parts: tuple[str, ...]) -> Routine | None: ...

    def variable(self, name: str) -> Type | None:
        """A script variable or routine argument, by case-insensitive name."""
        ...

    def system_variable(self, name: str) -> Type | None:
        """`name` without `@@`, such as "row_count" or "error.message"."""
        ...

    def parameter(self, name: str | int) -> Type | None:
        """A query parameter: a name (lower case) or a position from 0."""
        ...


@dataclass(frozen=True, slots=True)
class Bind:
    """A value that the DuckDB text takes, in the order of its `$1, $2, …`."""

    kind: str  # VARIABLE, SYSTEM, PARAMETER
    name: str | int
    type: Type


@dataclass(frozen=True, slots=True)
class Guard:
    """A query that must give no row before a statement may run; `binds` are positions in the statement's own."""

    duckdb_sql: str
    message: str
    binds: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """What a statement reads of one table: columns, and the partitions left by a DuckDB condition (None: all)."""

    relation: Relation
    columns: frozenset[str]
    partitions: str | None = None
    binds: tuple[int, ...] = ()  # positions in the statement's own binds of $1, $2, … in the condition


@dataclass(frozen=True, slots=True)
class Translated:
    """One GoogleSQL query or DML statement as DuckDB runs it."""

    kind: str  # SELECT, INSERT, UPDATE, DELETE, MERGE, TRUNCATE_TABLE, …: the API's statementType
    duckdb_sql: str
    fields: tuple[Field, ...] = ()  # result columns of a query
    binds: tuple[Bind, ...] = ()
    reads: tuple[Read, ...] = ()
    target: Relation | None = None
    guards: tuple[Guard, ...] = ()
    unnamed: frozenset[int] = frozenset()  # positions of the columns that the query gives no name
