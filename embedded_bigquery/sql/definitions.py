"""CREATE, DROP and ALTER statements as frozen nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from embedded_bigquery.sql.environment import RoutineArgument
from embedded_bigquery.types import Field, Type

Place = tuple[int, int]  # line and column, from 1
Path = tuple[str, ...]
Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """A primary key, or with `references` a foreign one: BigQuery records keys and enforces none."""

    name: str
    columns: tuple[str, ...]
    references: Path = ()
    referenced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Create:
    """`kind` is TABLE, VIEW, MATERIALIZED VIEW, SNAPSHOT TABLE, SCHEMA, FUNCTION, TABLE FUNCTION, … or PROCEDURE."""

    kind: str
    path: Path
    replace: bool = False
    temporary: bool = False
    if_not_exists: bool = False
    options: Options = field(default_factory=dict)
    # tables and views
    columns: tuple[Field, ...] | None = None
    partition: str | None = None  # the expression after PARTITION BY
    cluster: tuple[str, ...] = ()
    query: str | None = None
    source: tuple[str, Path] | None = None  # LIKE, COPY or CLONE of a table
    keys: tuple[Key, ...] = ()
    # routines
    arguments: tuple[RoutineArgument, ...] = ()
    returns: Type | None = None
    language: str = "SQL"
    determinism: str | None = None  # the API's determinismLevel
    body: str = ""
    body_start: int = 0  # where the body begins in the statement's text


@dataclass(frozen=True, slots=True)
class Drop:
    kind: str
    path: Path
    if_exists: bool
    cascade: bool


@dataclass(frozen=True, slots=True)
class Undrop:
    """UNDROP SCHEMA."""

    path: Path
    if_not_exists: bool
    kind: str = "SCHEMA"


@dataclass(frozen=True, slots=True)
class CreatePolicy:
    """CREATE ROW ACCESS POLICY; `path` is the table's, `condition` GoogleSQL."""

    name: str
    path: Path
    grantees: tuple[str, ...]
    condition: str
    replace: bool = False
    if_not_exists: bool = False
    kind: str = "ROW ACCESS POLICY"


@dataclass(frozen=True, slots=True)
class DropPolicy:
    """DROP ROW ACCESS POLICY, or DROP ALL ROW ACCESS POLICIES when `name` is None; `path` is the table's."""

    name: str | None
    path: Path
    if_exists: bool = False
    kind: str = "ROW ACCESS POLICY"


@dataclass(frozen=True, slots=True)
class AddColumn:
    column: Field
    if_not_exists: bool
    at: Place


@dataclass(frozen=True, slots=True)
class DropColumn:
    name: str
    if_exists: bool
    at: Place


@dataclass(frozen=True, slots=True)
class RenameColumn:
    old: str
    new: str
    if_exists: bool
    at: Place


@dataclass(frozen=True, slots=True)
class RenameTable:
    name: str


@dataclass(frozen=True, slots=True)
class SetOptions:
    options: Options


@dataclass(frozen=True, slots=True)
class AlterColumn:
    """`change` is TYPE (value: a Field), NULLABLE, DEFAULT (value: text or None) or OPTIONS (value: a mapping)."""

    name: str
    change: str
    value: Any
    if_exists: bool
    at: Place


@dataclass(frozen=True, slots=True)
class DropKey:
    """The primary key, or the foreign key of a name."""

    name: str | None
    if_exists: bool


Action = AddColumn | DropColumn | RenameColumn | RenameTable | SetOptions | AlterColumn | Key | DropKey


@dataclass(frozen=True, slots=True)
class Alter:
    kind: str
    path: Path
    if_exists: bool
    actions: tuple[Action, ...]


Definition = Create | Drop | Undrop | Alter | CreatePolicy | DropPolicy
