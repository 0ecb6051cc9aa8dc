"""Statements that write."""

from __future__ import annotations

from dataclasses import dataclass, field

from embedded_bigquery.sql.nodes.expressions import Names, Node
from embedded_bigquery.sql.nodes.queries import Query


@dataclass(slots=True)
class Insert(Node):
    path: Names
    columns: Names | None
    rows: list[list[Node]] | Query


@dataclass(slots=True)
class Setting(Node):
    target: Names
    value: Node


@dataclass(slots=True)
class Update(Node):
    path: Names
    alias: str
    settings: list[Setting]
    source: Node | None
    where: Node | None


@dataclass(slots=True)
class Delete(Node):
    path: Names
    alias: str
    where: Node | None


@dataclass(slots=True)
class Truncate(Node):
    path: Names
    where: Node | None


@dataclass(slots=True)
class When(Node):
    """A clause of MERGE; `matched` is MATCHED, NOT MATCHED BY TARGET or NOT MATCHED BY SOURCE."""

    matched: str
    condition: Node | None
    action: str  # INSERT, UPDATE, DELETE
    settings: list[Setting] = field(default_factory=list)
    columns: Names | None = None
    values: list[Node] | None = None  # None: INSERT ROW


@dataclass(slots=True)
class Merge(Node):
    path: Names
    alias: str
    source: Node
    on: Node
    whens: list[When]


Statement = Query | Insert | Update | Delete | Truncate | Merge
