"""Expressions, and what stands inside of calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from embedded_bigquery.types import Type

if TYPE_CHECKING:
    from embedded_bigquery.sql.nodes.queries import Query

Place = tuple[int, int]
Names = tuple[str, ...]


@dataclass(slots=True)
class Node:
    at: Place


@dataclass(slots=True)
class Path(Node):
    """a.b.c: a column, a field of one, a variable."""

    parts: Names


@dataclass(slots=True)
class Number(Node):
    text: str  # with its sign


@dataclass(slots=True)
class String(Node):
    value: str


@dataclass(slots=True)
class Bytes(Node):
    value: bytes


@dataclass(slots=True)
class Boolean(Node):
    value: bool


@dataclass(slots=True)
class Null(Node):
    pass


@dataclass(slots=True)
class TypedLiteral(Node):
    """DATE '2020-01-01' and its like."""

    type: Type
    value: str


@dataclass(slots=True)
class Interval(Node):
    value: Node
    part: str
    last_part: str = ""  # of YEAR TO MONTH


@dataclass(slots=True)
class Parameter(Node):
    name: str | int  # lower case, or a position from 0


@dataclass(slots=True)
class SystemVariable(Node):
    parts: Names


@dataclass(slots=True)
class Default(Node):
    """The keyword DEFAULT in place of a value."""


@dataclass(slots=True)
class Unary(Node):
    operator: str
    operand: Node


@dataclass(slots=True)
class Binary(Node):
    operator: str
    left: Node
    right: Node


@dataclass(slots=True)
class Between(Node):
    value: Node
    low: Node
    high: Node


@dataclass(slots=True)
class Is(Node):
    value: Node
    what: str  # NULL, TRUE, FALSE, UNKNOWN


@dataclass(slots=True)
class In(Node):
    """value IN (items), (query) or UNNEST(array)."""

    value: Node
    items: list[Node] = field(default_factory=list)
    query: Query | None = None
    array: Node | None = None


@dataclass(slots=True)
class Like(Node):
    """value LIKE ANY | ALL (patterns)."""

    value: Node
    every: bool
    items: list[Node] = field(default_factory=list)
    query: Query | None = None
    array: Node | None = None


@dataclass(slots=True)
class Case(Node):
    subject: Node | None
    branches: list[tuple[Node, Node]]
    default: Node | None


@dataclass(slots=True)
class Cast(Node):
    value: Node
    type: Type
    sizes: tuple[int, ...] = ()
    safe: bool = False
    format: Node | None = None
    zone: Node | None = None


@dataclass(slots=True)
class Extract(Node):
    part: Node
    value: Node
    zone: Node | None


@dataclass(slots=True)
class Array(Node):
    items: list[Node]
    element: Type | None = None


@dataclass(slots=True)
class Struct(Node):
    items: list[tuple[str, Node]]
    type: Type | None = None


@dataclass(slots=True)
class ArrayQuery(Node):
    query: Query


@dataclass(slots=True)
class Exists(Node):
    query: Query


@dataclass(slots=True)
class Scalar(Node):
    """A query in place of a value."""

    query: Query


@dataclass(slots=True)
class Subscript(Node):
    base: Node
    index: Node
    mode: str = ""  # OFFSET, ORDINAL, SAFE_OFFSET, SAFE_ORDINAL


@dataclass(slots=True)
class FieldOf(Node):
    base: Node
    name: str


@dataclass(slots=True)
class With(Node):
    """WITH(a AS 1, b AS a + 1, a * b)."""

    bindings: list[tuple[str, Node]]
    body: Node


@dataclass(slots=True)
class Named(Node):
    """name => value among the arguments of a call."""

    name: str
    value: Node


@dataclass(slots=True)
class Lambda(Node):
    names: Names
    body: Node


@dataclass(slots=True)
class TableArgument(Node):
    """TABLE path among the arguments of a table function."""

    path: Names


@dataclass(slots=True)
class Star(Node):
    """* or base.*, with what is said of its columns."""

    base: Node | None = None
    left_out: Names = ()
    replaced: list[tuple[str, Node]] = field(default_factory=list)


@dataclass(slots=True)
class Order(Node):
    value: Node
    descending: bool = False
    nulls: str = ""  # FIRST, LAST

    @property
    def nulls_first(self) -> bool:
        return self.nulls == "FIRST" or (not self.nulls and not self.descending)


@dataclass(slots=True)
class Frame(Node):
    unit: str  # ROWS or RANGE
    start: tuple[str, Node | None]  # (PRECEDING, FOLLOWING or CURRENT ROW; None is UNBOUNDED)
    end: tuple[str, Node | None] | None


@dataclass(slots=True)
class Window(Node):
    base: str = ""  # a named window that this one is, or refines
    partition: list[Node] = field(default_factory=list)
    order: list[Order] = field(default_factory=list)
    frame: Frame | None = None


@dataclass(slots=True)
class Call(Node):
    path: Names
    arguments: list[Node]
    distinct: bool = False
    nulls: str = ""  # IGNORE, RESPECT
    having: tuple[str, Node] | None = None  # MAX or MIN
    order: list[Order] = field(default_factory=list)
    limit: Node | None = None
    over: Window | None = None
    safe: bool = False
