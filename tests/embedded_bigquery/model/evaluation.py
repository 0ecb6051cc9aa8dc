"""What an expression means, and what it needs for that: variables, tables, and the errors that are being handled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import trees as t

Row = tuple[int | None, int | None]
LEAST, MOST = -(2**63), 2**63 - 1


class Undefined(Exception):
    """The documentation leaves open what happens, or it takes too long: not an example to learn from."""


class Failure(Exception):
    """An error of the script."""

    def __init__(self, message: str, *, of_script: bool = False, placed: bool = True) -> None:
        """`of_script`: of the procedural language, not of the SQL in it; `placed`: it has its statement's place, not
        one that only an analyzer knows."""
        super().__init__(message)
        self.message, self.of_script, self.placed = message, of_script, placed
        self.at: str | None = None
        self.text: str | None = None
        self.stack: str | None = None
        self.is_known = False  # its statement has been noted

    def __str__(self) -> str:
        """As the client sees it."""
        place = "" if self.at is None else f" at [{self.at}]"
        return f"{'' if self.of_script else 'Query error: '}{self.message}{place}"


class Anything:
    """Equal to all: what the model does not say."""

    def __eq__(self, other: object) -> bool:
        return True

    def __repr__(self) -> str:
        return "…"


@dataclass
class Table:
    rows: list[Row]
    has_key: bool = False  # k is NOT NULL

    def copy(self) -> Table:
        return Table(list(self.rows), self.has_key)


@dataclass
class Scope:
    outer: Scope | None = None
    values: dict[str, Any] = field(default_factory=dict)

    def of(self, name: str) -> dict[str, Any]:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return scope.values
            scope = scope.outer
        raise KeyError(name)


class Evaluator:
    def __init__(self, tables: dict[str, Table]) -> None:
        self.tables = tables  # the temporary ones too: their names have no dot
        self.function: int | None = None  # the number that the temporary function adds
        self.scope = Scope()
        self.errors: list[Failure] = []  # of the handlers around
        self.row_count: int | None = None
        self.parameters: Sequence[Any] | None = None  # of dynamic SQL

    def table(self, name: str) -> Table:
        if name not in self.tables:
            raise Failure(missing(name), placed=False)
        return self.tables[name]

    def value(self, expression: t.Expression) -> Any:
        self.analyse(expression)
        return self.evaluate(expression)

    def analyse(self, *expressions: t.Expression | None) -> None:
        """Names are resolved before anything is evaluated, whether or not it will be."""
        problems = {problem for expression in expressions for problem in self.problems(expression)}
        if len(problems) > 1:
            raise Undefined
        if problems:
            raise Failure(problems.pop(), placed=False)

    def problems(self, node: t.Expression | None) -> Iterator[str]:
        if isinstance(node, t.Unknown | t.Hidden):
            yield f"Unrecognized name: {node}"
        if isinstance(node, t.Apply) and self.function is None:
            yield "Function not found: plus"
        if isinstance(node, t.Aggregate | t.Pick) and node.table not in self.tables:
            yield missing(node.table)
        for part in vars(node).values() if node is not None else ():
            if isinstance(part, t.Expression):
                yield from self.problems(part)

    def holds(self, condition: t.Expression | None, row: Row) -> bool:
        return condition is None or self.evaluate(condition, row) is True

    def evaluate(self, node: t.Expression, row: Row | None = None) -> Any:
        match node:
            case t.Literal() | t.Text():
                return node.value
            case t.Name():
                if row is not None and node.name in ("k", "v"):
                    return row["kv".index(node.name)]
                return self.scope.of(node.name)[node.name]
            case t.Item():
                return self.scope.of(node.record)[node.record][node.column]
            case t.Parameter():
                assert self.parameters is not None
                return self.parameters[node.position]
            case t.Operation():
                return operation(node.word, self.evaluate(node.left, row), self.evaluate(node.right, row))
            case t.Choice():
                hit = self.evaluate(node.condition, row)
                return self.evaluate(node.then if hit else node.otherwise, row)
            case t.Compare():
                return compare(node.word, self.evaluate(node.left, row), self.evaluate(node.right, row))
            case t.IsNull():
                return self.evaluate(node.value, row) is None
            case t.Not():
                value = self.evaluate(node.value, row)
                return None if value is None else not value
            case t.Both():
                return both(node.word, self.evaluate(node.left, row), self.evaluate(node.right, row))
            case t.Apply():
                assert self.function is not None
                return operation("+", self.evaluate(node.value, row), self.function)
            case t.System():
                return self.system(node.name)
            case t.Stack():
                return Anything() if self.errors[-1].stack is None else self.errors[-1].stack
        return self.failing(node)

    def failing(self, node: t.Expression) -> Any:
        match node:
            case t.Aggregate():
                rows = [found for found in self.table(node.table).rows if self.holds(node.where, found)]
                values = [v for _, v in rows if v is not None]
                if node.word == "COUNT":
                    return len(rows)
                if not LEAST <= sum(values) <= MOST:
                    raise Undefined  # in which order they are added is not defined
                return sum(values) if values else None
            case t.Pick():
                rows = [found for found in self.table(node.table).rows if self.holds(node.where, found)]
                if len(rows) > 1:
                    raise Failure("Scalar subquery produced more than one element")
                return rows[0][1] if rows else None
            case t.BadCast():
                raise Failure("Bad int64 value: x")
            case t.Fail():
                raise Failure(node.message)
        raise TypeError(node)

    def system(self, name: str) -> Any:
        if name == "row_count":
            return self.row_count
        error = self.errors[-1]
        if name == "error.message":
            return error.message
        return Anything() if error.text is None else error.text


def one_outcome(make: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """All values; of several different errors nobody knows which one is told."""
    made, failures = [], {}
    for item in items:
        try:
            made.append(make(item))
        except Failure as failure:
            failures[failure.message] = failure
    if len(failures) > 1:
        raise Undefined
    for failure in failures.values():
        raise failure
    return made


def missing(table: str) -> str:
    if "." in table:
        return f"Not found: Table p:{table} was not found in location EU"
    return f'Table "{table}" must be qualified with a dataset (e.g. dataset.table).'


def in_order(row: Row) -> tuple[tuple[bool, int], ...]:
    return tuple((value is not None, value or 0) for value in row)


def operation(word: str, left: int | None, right: int | None) -> int | None:
    if left is None or right is None:
        return None
    if word in ("DIV", "MOD"):
        if right == 0:
            raise Failure(f"division by zero: {f'{left} / 0' if word == 'DIV' else f'MOD({left}, 0)'}")
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        found = quotient if word == "DIV" else left - right * quotient
    else:
        found = {"+": left + right, "-": left - right, "*": left * right}[word]
    if not LEAST <= found <= MOST:
        raise Failure("Integer Overflow")  # as recorded on BigQuery, where GoogleSQL says "int64 overflow: …"
    return found


def compare(word: str, left: int | None, right: int | None) -> bool | None:
    if left is None or right is None:
        return None
    return {
        "=": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[word]


def both(word: str, left: bool | None, right: bool | None) -> bool | None:
    decisive = word == "OR"
    if left is decisive or right is decisive:
        return decisive
    return None if left is None or right is None else not decisive
