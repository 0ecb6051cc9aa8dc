"""The procedural language as frozen nodes. A span is (start, end) in characters of the whole text."""

from __future__ import annotations

from dataclasses import dataclass

from embedded_bigquery.sql.tokens import Span


@dataclass(frozen=True, slots=True)
class Node:
    span: Span


@dataclass(frozen=True, slots=True)
class Sql(Node):
    """A single SQL statement, without its semicolon."""


@dataclass(frozen=True, slots=True)
class Expression(Node):
    """A scalar expression, or a query where the grammar has one."""


@dataclass(frozen=True, slots=True)
class Declare(Node):
    names: tuple[str, ...]
    places: tuple[int, ...]  # where each name stands
    type: Span | None
    default: Expression | None


@dataclass(frozen=True, slots=True)
class Set(Node):
    targets: tuple[str, ...]  # a system variable begins with @@
    places: tuple[int, ...]  # where each target stands
    value: Expression
    is_tuple: bool


@dataclass(frozen=True, slots=True)
class Branch(Node):
    """IF, ELSEIF or WHEN with what it leads to."""

    condition: Expression
    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class If(Node):
    branches: tuple[Branch, ...]
    otherwise: tuple[Node, ...] | None


@dataclass(frozen=True, slots=True)
class Case(Node):
    """With `subject`, a branch's condition is a value that the subject is compared with."""

    subject: Expression | None
    branches: tuple[Branch, ...]
    otherwise: tuple[Node, ...] | None


@dataclass(frozen=True, slots=True)
class Block(Node):
    body: tuple[Node, ...]
    handler: tuple[Node, ...] | None
    label: str | None


@dataclass(frozen=True, slots=True)
class Loop(Node):
    body: tuple[Node, ...]
    label: str | None


@dataclass(frozen=True, slots=True)
class While(Node):
    condition: Expression
    body: tuple[Node, ...]
    label: str | None


@dataclass(frozen=True, slots=True)
class Until(Node):
    condition: Expression


@dataclass(frozen=True, slots=True)
class Repeat(Node):
    body: tuple[Node, ...]
    until: Until
    label: str | None


@dataclass(frozen=True, slots=True)
class For(Node):
    variable: str
    place: int  # where the variable stands
    query: Expression
    body: tuple[Node, ...]
    label: str | None


@dataclass(frozen=True, slots=True)
class Break(Node):
    label: str | None


@dataclass(frozen=True, slots=True)
class Continue(Node):
    label: str | None


@dataclass(frozen=True, slots=True)
class Return(Node):
    pass


@dataclass(frozen=True, slots=True)
class Raise(Node):
    message: Expression | None


@dataclass(frozen=True, slots=True)
class Call(Node):
    path: tuple[str, ...]
    place: int  # where the name stands
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Using:
    value: Expression
    name: str | None


@dataclass(frozen=True, slots=True)
class ExecuteImmediate(Node):
    sql: Expression
    into: tuple[str, ...]
    places: tuple[int, ...]  # where each variable after INTO stands
    using: tuple[Using, ...]


@dataclass(frozen=True, slots=True)
class Assert(Node):
    condition: Expression
    message: Expression | None


@dataclass(frozen=True, slots=True)
class BeginTransaction(Node):
    pass


@dataclass(frozen=True, slots=True)
class CommitTransaction(Node):
    pass


@dataclass(frozen=True, slots=True)
class RollbackTransaction(Node):
    pass


@dataclass(frozen=True, slots=True)
class CreateProcedure(Node):
    """The whole CREATE; `body` spans its BEGIN … END, or is None for another language."""

    body: Block | None


@dataclass(frozen=True, slots=True)
class Script:
    text: str
    statements: tuple[Node, ...]

    def slice(self, node: Node) -> str:
        return self.text[node.span[0] : node.span[1]]
