"""Scripts as trees. Nodes compare by identity: each stands in one place of one script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

# ---- expressions


class Expression:
    """A scalar; `str()` gives its text."""


@dataclass(eq=False)
class Literal(Expression):
    value: int | None

    def __str__(self) -> str:
        return "CAST(NULL AS INT64)" if self.value is None else str(self.value)


@dataclass(eq=False)
class Text(Expression):
    value: str

    def __str__(self) -> str:
        return f"'{self.value}'"


@dataclass(eq=False)
class Name(Expression):
    """A variable, or a column where there is one of that name."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(eq=False)
class Item(Expression):
    """A column of the record of a FOR."""

    record: str
    column: str

    def __str__(self) -> str:
        return f"{self.record}.{self.column}"


@dataclass(eq=False)
class Parameter(Expression):
    """Of dynamic SQL: by position when it has no name."""

    position: int
    name: str | None

    def __str__(self) -> str:
        return "?" if self.name is None else f"@{self.name}"


@dataclass(eq=False)
class Operation(Expression):
    word: str  # + - * DIV MOD
    left: Expression
    right: Expression

    def __str__(self) -> str:
        if self.word in ("DIV", "MOD"):
            return f"{self.word}({self.left}, {self.right})"
        return f"{self.left} {self.word} {self.right}"


@dataclass(eq=False)
class Choice(Expression):
    condition: Expression
    then: Expression
    otherwise: Expression

    def __str__(self) -> str:
        return f"IF({self.condition}, {self.then}, {self.otherwise})"


@dataclass(eq=False)
class Compare(Expression):
    word: str  # = != < <= > >=
    left: Expression
    right: Expression

    def __str__(self) -> str:
        return f"{self.left} {self.word} {self.right}"


@dataclass(eq=False)
class IsNull(Expression):
    value: Expression

    def __str__(self) -> str:
        return f"{self.value} IS NULL"


@dataclass(eq=False)
class Not(Expression):
    value: Expression

    def __str__(self) -> str:
        return f"NOT ({self.value})"


@dataclass(eq=False)
class Both(Expression):
    word: str  # AND OR
    left: Expression
    right: Expression

    def __str__(self) -> str:
        return f"({self.left}) {self.word} ({self.right})"


@dataclass(eq=False)
class Aggregate(Expression):
    word: str  # COUNT SUM
    table: str
    where: Expression | None

    def __str__(self) -> str:
        what = "COUNT(*)" if self.word == "COUNT" else "SUM(v)"
        return f"(SELECT {what} FROM {self.table}{where(self.where)})"


@dataclass(eq=False)
class Pick(Expression):
    """A scalar subquery that may find several rows."""

    table: str
    where: Expression

    def __str__(self) -> str:
        return f"(SELECT v FROM {self.table}{where(self.where)})"


@dataclass(eq=False)
class BadCast(Expression):
    def __str__(self) -> str:
        return "CAST('x' AS INT64)"


@dataclass(eq=False)
class Fail(Expression):
    message: str

    def __str__(self) -> str:
        return f"ERROR('{self.message}')"


@dataclass(eq=False)
class Unknown(Expression):
    def __str__(self) -> str:
        return "nobody"


@dataclass(eq=False)
class Hidden(Expression):
    """A variable, in dynamic SQL."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(eq=False)
class Apply(Expression):
    """A temporary function."""

    value: Expression

    def __str__(self) -> str:
        return f"plus({self.value})"


@dataclass(eq=False)
class System(Expression):
    """A system variable."""

    name: str

    def __str__(self) -> str:
        return f"@@{self.name}"


@dataclass(eq=False)
class Stack(Expression):
    """@@error.stack_trace as one text."""

    def __str__(self) -> str:
        frame = "FORMAT('%s:%d:%d', IFNULL(location, ''), line, column)"
        return f"(SELECT STRING_AGG({frame}, ' ' ORDER BY n) FROM UNNEST(@@error.stack_trace) WITH OFFSET AS n)"


def where(condition: Expression | None) -> str:
    return "" if condition is None else f" WHERE {condition}"


# ---- statements


@dataclass(eq=False)
class Statement:
    at: tuple[int, int] = field(init=False, default=(0, 0))  # line and column, from 1
    text: str = field(init=False, default="")


@dataclass(eq=False)
class Declare(Statement):
    names: Sequence[str]
    typed: bool
    default: Expression | None


@dataclass(eq=False)
class Assign(Statement):
    names: Sequence[str]  # several: as a tuple
    values: Sequence[Expression]


@dataclass(eq=False)
class Branch:
    """A condition, or a value that a CASE has its subject compared with."""

    condition: Expression
    body: Sequence[Statement]
    at: tuple[int, int] = field(init=False, default=(0, 0))


@dataclass(eq=False)
class If(Statement):
    branches: Sequence[Branch]
    otherwise: Sequence[Statement] | None


@dataclass(eq=False)
class Case(Statement):
    subject: Expression | None
    branches: Sequence[Branch]
    otherwise: Sequence[Statement] | None


@dataclass(eq=False)
class Loop(Statement):
    """LOOP, or WHILE or REPEAT with a condition."""

    word: str
    condition: Expression | None
    body: Sequence[Statement]
    label: str | None
    condition_at: tuple[int, int] = field(init=False, default=(0, 0))


@dataclass(eq=False)
class For(Statement):
    record: str
    source: str | Sequence[int]  # a table, or numbers that 6 is divided by
    body: Sequence[Statement]
    label: str | None


@dataclass(eq=False)
class Leave(Statement):
    word: str  # BREAK LEAVE CONTINUE ITERATE
    label: str | None


@dataclass(eq=False)
class Return(Statement):
    pass


@dataclass(eq=False)
class Block(Statement):
    body: Sequence[Statement]
    handler: Sequence[Statement] | None
    label: str | None


@dataclass(eq=False)
class Raise(Statement):
    message: Expression | None


@dataclass(eq=False)
class Call(Statement):
    procedure: str
    arguments: Sequence[Expression]


@dataclass(eq=False)
class Immediate(Statement):
    inner: Statement | None  # None: the text is NULL
    into: Sequence[str]
    using: Sequence[tuple[Expression, str | None]]


@dataclass(eq=False)
class Control(Statement):
    words: str  # BEGIN TRANSACTION, COMMIT, …


@dataclass(eq=False)
class Assert(Statement):
    condition: Expression
    message: str


@dataclass(eq=False)
class Select(Statement):
    values: Sequence[Expression]


@dataclass(eq=False)
class Rows(Statement):
    """All rows of a table in order, or the first ones."""

    table: str
    limit: int | None = None


@dataclass(eq=False)
class Insert(Statement):
    table: str
    rows: Sequence[tuple[Expression, Expression]]


@dataclass(eq=False)
class InsertFrom(Statement):
    table: str
    source: str
    value: Expression
    condition: Expression | None


@dataclass(eq=False)
class Update(Statement):
    table: str
    value: Expression
    condition: Expression


@dataclass(eq=False)
class Delete(Statement):
    table: str
    condition: Expression


@dataclass(eq=False)
class Truncate(Statement):
    table: str


@dataclass(eq=False)
class Merge(Statement):
    table: str
    source: str
    deletes: bool  # what the source has not


@dataclass(eq=False)
class CreateTable(Statement):
    table: str  # without a dataset: temporary
    mode: str  # "", "OR REPLACE" or "IF NOT EXISTS"
    source: str | None


@dataclass(eq=False)
class DropTable(Statement):
    table: str
    if_exists: bool


@dataclass(eq=False)
class CreateFunction(Statement):
    """A temporary one, which adds a number."""

    replaces: bool
    number: int


@dataclass(eq=False)
class DropFunction(Statement):
    pass


@dataclass(eq=False)
class Procedure:
    name: str
    arguments: Sequence[tuple[str, str]]  # mode and name
    body: Sequence[Statement]
    strict: bool
