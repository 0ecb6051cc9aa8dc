"""Queries, FROM, and the operators after |>."""

from __future__ import annotations

from dataclasses import dataclass, field

from embedded_bigquery.sql.nodes.expressions import Names, Node, Order, Window


@dataclass(slots=True)
class Item(Node):
    """One item of a SELECT list."""

    value: Node
    alias: str = ""


@dataclass(slots=True)
class GroupingSet(Node):
    kind: str  # ROLLUP, CUBE, GROUPING SETS
    items: list[list[Node]]  # each a set of expressions taken together
    nested: list[GroupingSet] = field(default_factory=list)  # inside GROUPING SETS


@dataclass(slots=True)
class Group(Node):
    items: list[Item | GroupingSet] = field(default_factory=list)
    every: bool = False  # GROUP BY ALL


@dataclass(slots=True)
class Select(Node):
    items: list[Item]
    distinct: bool = False
    kind: str = ""  # STRUCT or VALUE
    source: Node | None = None  # FROM
    where: Node | None = None
    group: Group | None = None
    having: Node | None = None
    qualify: Node | None = None
    windows: dict[str, Window] = field(default_factory=dict)


@dataclass(slots=True)
class SetOperation(Node):
    kind: str  # UNION, INTERSECT, EXCEPT
    distinct: bool
    queries: list[Query]
    by_name: bool = False
    strict: bool = True  # BY NAME: every side has all names
    mode: str = ""  # INNER, LEFT, FULL: columns of both, of the first, of any
    names: Names = ()  # BY NAME ON (…)


@dataclass(slots=True)
class Cte(Node):
    name: str
    query: Query


@dataclass(slots=True)
class Query(Node):
    body: Select | SetOperation | Query | Node  # a FROM item alone where pipes follow
    tables: list[Cte] = field(default_factory=list)  # WITH
    recursive: bool = False
    order: list[Order] = field(default_factory=list)
    limit: Node | None = None
    offset: Node | None = None
    pipes: list[Pipe] = field(default_factory=list)


# ---- FROM


@dataclass(slots=True)
class Table(Node):
    path: Names
    alias: str = ""
    offset: str | None = None  # WITH OFFSET [AS name], where the path means an array
    as_of: Node | None = None  # FOR SYSTEM_TIME


@dataclass(slots=True)
class TableCall(Node):
    path: Names
    arguments: list[Node]
    alias: str = ""


@dataclass(slots=True)
class Unnest(Node):
    array: Node
    alias: str = ""
    offset: str | None = None


@dataclass(slots=True)
class Derived(Node):
    query: Query
    alias: str = ""


@dataclass(slots=True)
class Join(Node):
    kind: str  # INNER, LEFT, RIGHT, FULL, CROSS, ","
    left: Node
    right: Node
    on: Node | None = None
    using: Names = ()


@dataclass(slots=True)
class Sample(Node):
    source: Node
    percent: Node


@dataclass(slots=True)
class Pivot(Node):
    source: Node
    aggregates: list[Item]
    subject: Node
    values: list[Item]
    alias: str = ""


@dataclass(slots=True)
class Unpivot(Node):
    source: Node
    values: Names  # the columns that the values go to
    name: str  # the column that says where they come from
    columns: list[tuple[Names, Node | None]]
    include_nulls: bool = False
    alias: str = ""


# ---- pipes


@dataclass(slots=True)
class Pipe(Node):
    """One operator after |>; `kind` is its keyword."""

    kind: str
    items: list[Item] = field(default_factory=list)
    group: Group | None = None
    order: list[Order] = field(default_factory=list)
    value: Node | None = None  # of WHERE, LIMIT, JOIN, PIVOT, … (what they apply to left open), CALL
    offset: Node | None = None
    names: list[tuple[str, str]] = field(default_factory=list)  # of DROP, RENAME, AS
    windows: dict[str, Window] = field(default_factory=dict)
    tables: list[Cte] = field(default_factory=list)  # of WITH
    distinct: bool = False
    group_order: bool = False  # GROUP AND ORDER BY
    operation: SetOperation | None = None


@dataclass(slots=True)
class Nothing(Node):
    """Where a pipe operator's input goes."""
