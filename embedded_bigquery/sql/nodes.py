"""GoogleSQL statements and expressions as they were written: what the parser gives and the translation walks.

`at` is the line and column, both from 1, where a construct begins.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from embedded_bigquery.types import Type

Place = tuple[int, int]
Names = tuple[str, ...]


@dataclass(slots=True)
class Node:
    at: Place


# ---- expressions


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


# ---- queries


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


# ---- DML


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
