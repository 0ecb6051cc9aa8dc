"""Scripts as trees, and their text. Rendering notes in each statement where it stands and what its text is.

Nodes compare by identity: each stands in one place of one script.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


# ---- text


class Writer:
    """Writes statements, one a line, and notes their places."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def all(self, statements: Iterable[Statement], depth: int) -> None:
        for statement in statements:
            self.one(statement, depth)

    def place(self, depth: int) -> tuple[int, int]:
        return len(self.lines) + 1, 2 * depth + 1

    def line(self, text: str, depth: int) -> None:
        self.lines.append("  " * depth + text)

    def one(self, node: Statement, depth: int) -> None:
        node.at = self.place(depth)
        label = getattr(node, "label", None)
        start = f"{label}: " if label else ""
        match node:
            case If():
                self.branches(node.branches, node.otherwise, depth, ("IF", "ELSEIF"), "END IF;", depth)
            case Case():
                self.line(f"CASE {node.subject}" if node.subject is not None else "CASE", depth)
                self.branches(node.branches, node.otherwise, depth + 1, ("WHEN", "WHEN"), "END CASE;", depth)
            case Loop(word="WHILE"):
                self.line(f"{start}WHILE {node.condition} DO", depth)
                self.all(node.body, depth + 1)
                self.line("END WHILE;", depth)
            case Loop(word="LOOP"):
                self.line(f"{start}LOOP", depth)
                self.all(node.body, depth + 1)
                self.line("END LOOP;", depth)
            case Loop():
                self.line(f"{start}REPEAT", depth)
                self.all(node.body, depth + 1)
                node.condition_at = self.place(depth)
                self.line(f"UNTIL {node.condition} END REPEAT;", depth)
            case For():
                self.line(f"{start}FOR {node.record} IN ({source(node.source)}) DO", depth)
                self.all(node.body, depth + 1)
                self.line("END FOR;", depth)
            case Block():
                self.line(f"{start}BEGIN", depth)
                self.all(node.body, depth + 1)
                if node.handler is not None:
                    self.line("EXCEPTION WHEN ERROR THEN", depth)
                    self.all(node.handler, depth + 1)
                self.line("END;", depth)
            case _:
                node.text = leaf(node)
                self.line(f"{node.text};", depth)

    def branches(
        self,
        branches: Sequence[Branch],
        otherwise: Sequence[Statement] | None,
        depth: int,
        words: tuple[str, str],
        end: str,
        outer: int,
    ) -> None:
        for position, branch in enumerate(branches):
            branch.at = self.place(depth)
            self.line(f"{words[position > 0]} {branch.condition} THEN", depth)
            self.all(branch.body, depth + 1)
        if otherwise is not None:
            self.line("ELSE", depth)
            self.all(otherwise, depth + 1)
        self.line(end, outer)


def source(found: str | Sequence[int]) -> str:
    if isinstance(found, str):
        return f"SELECT k, v FROM {found} ORDER BY k, v"
    return f"SELECT n AS k, DIV(6, n) AS v FROM UNNEST({list(found)}) AS n ORDER BY n"


def leaf(node: Statement) -> str:
    match node:
        case Declare():
            kind = " INT64" if node.typed else ""
            default = f" DEFAULT {node.default}" if node.default is not None else ""
            return f"DECLARE {', '.join(node.names)}{kind}{default}"
        case Assign(names=[name], values=[value]):
            return f"SET {name} = {value}"
        case Assign():
            return f"SET ({', '.join(node.names)}) = ({', '.join(map(str, node.values))})"
        case Leave():
            return f"{node.word} {node.label}" if node.label else node.word
        case Return():
            return "RETURN"
        case Raise():
            return "RAISE" if node.message is None else f"RAISE USING MESSAGE = {node.message}"
        case Call():
            return f"CALL d.{node.procedure}({', '.join(map(str, node.arguments))})"
        case Immediate():
            return immediate(node)
        case Control():
            return node.words
        case Assert():
            return f"ASSERT {node.condition} AS '{node.message}'"
        case Select():
            return f"SELECT {', '.join(f'{value} AS c{n}' for n, value in enumerate(node.values))}"
        case Rows():
            return f"SELECT k, v FROM {node.table} ORDER BY k, v" + (f" LIMIT {node.limit}" if node.limit else "")
    return written(node)


def written(node: Statement) -> str:
    match node:
        case Insert():
            return f"INSERT INTO {node.table} (k, v) VALUES {', '.join(f'({k}, {v})' for k, v in node.rows)}"
        case InsertFrom():
            return f"INSERT INTO {node.table} (k, v) SELECT k, {node.value} FROM {node.source}{where(node.condition)}"
        case Update():
            return f"UPDATE {node.table} SET v = {node.value}{where(node.condition)}"
        case Delete():
            return f"DELETE FROM {node.table}{where(node.condition)}"
        case Truncate():
            return f"TRUNCATE TABLE {node.table}"
        case Merge():
            return (
                f"MERGE {node.table} AS x USING {node.source} AS y ON x.k = y.k "
                "WHEN MATCHED THEN UPDATE SET v = y.v WHEN NOT MATCHED THEN INSERT (k, v) VALUES (y.k, y.v)"
                + (" WHEN NOT MATCHED BY SOURCE THEN DELETE" if node.deletes else "")
            )
        case CreateTable():
            replace = " OR REPLACE" if node.mode == "OR REPLACE" else ""
            kind = "TABLE" if "." in node.table else "TEMP TABLE"
            exists = " IF NOT EXISTS" if node.mode == "IF NOT EXISTS" else ""
            what = f"AS SELECT k, v FROM {node.source}" if node.source else "(k INT64, v INT64)"
            return f"CREATE{replace} {kind}{exists} {node.table} {what}"
        case CreateFunction():
            replace = " OR REPLACE" if node.replaces else ""
            return f"CREATE{replace} TEMP FUNCTION plus(x INT64) AS (x + {node.number})"
        case DropFunction():
            return "DROP FUNCTION plus"
        case DropTable():
            return f"DROP TABLE {'IF EXISTS ' if node.if_exists else ''}{node.table}"
    raise TypeError(node)


def immediate(node: Immediate) -> str:
    text = "CAST(NULL AS STRING)" if node.inner is None else f'"{leaf(node.inner)}"'
    into = f" INTO {', '.join(node.into)}" if node.into else ""
    using = ", ".join(f"{value} AS {name}" if name else str(value) for value, name in node.using)
    return f"EXECUTE IMMEDIATE {text}{into}{f' USING {using}' if using else ''}"


def script_text(statements: Sequence[Statement]) -> str:
    writer = Writer()
    writer.all(statements, 0)
    return writer.text


def procedure_text(procedure: Procedure) -> str:
    """CREATE PROCEDURE; the places of its statements are those in its body."""
    arguments = ", ".join(f"{mode} {name} INT64" for mode, name in procedure.arguments)
    writer = Writer()
    writer.line("BEGIN", 0)
    writer.all(procedure.body, 1)
    writer.line("END", 0)
    options = "" if procedure.strict else " OPTIONS (strict_mode = FALSE)"
    return f"CREATE OR REPLACE PROCEDURE d.{procedure.name}({arguments}){options}\n{writer.text}"
