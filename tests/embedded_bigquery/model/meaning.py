"""What a script means: a small interpreter of `trees`, written from BigQuery's documentation alone.

Sources: "Procedural language", "Multi-statement transactions", "System variables", "DML syntax". Where those leave
something open it is taken from GoogleSQL's script executor (scripting/control_flow_graph.cc and
script_executor_impl.cc): CONTINUE in a REPEAT goes on with UNTIL; a failed condition has the place of its clause,
except that a CASE with a subject is evaluated as a whole; `RAISE` with a NULL message says "NULL".
Words that are written down nowhere (a COMMIT without a transaction) are the engine's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import trees as t
from evaluation import Evaluator, Failure, Row, Scope, Table, Undefined, in_order, one_outcome, operation

NULL_KEY = "Required field k cannot be null"
NO_DDL = (
    "DDL statements are not supported in a transaction, except for those creating or droping temporary tables or "
    "temporary functions."
)
NESTED = "Transaction is already in progress; nested transactions are not supported"
MANY_MATCHES = "UPDATE/MERGE must match at most one source row for each target row"


class Leaving(Exception):
    def __init__(self, continues: bool, label: str | None) -> None:
        super().__init__()
        self.continues, self.label = continues, label


class Returning(Exception):
    pass


class Machine(Evaluator):
    def __init__(self, tables: dict[str, Table], procedures: Iterable[t.Procedure], fuel: int) -> None:
        super().__init__(tables)
        self.procedures = {procedure.name: procedure for procedure in procedures}
        self.fuel = fuel
        self.selected: list[list[tuple[Any, ...]]] = []  # the rows of each SELECT
        self.before: tuple[dict[str, Table], int | None] | None = None  # the open transaction began with
        self.calls: list[str] = []  # the places of the CALLs around
        self.procedure = ""

    def run(self, script: Sequence[t.Statement]) -> Failure | None:
        """The error that leaves the script."""
        try:
            self.all(script)
        except Failure as failure:
            return failure
        except Returning:
            pass
        finally:
            self.roll_back()
        return None

    def roll_back(self) -> None:
        if self.before is not None:
            (self.tables, self.function), self.before = self.before, None

    # ---- statements

    def all(self, statements: Iterable[t.Statement]) -> None:
        for statement in statements:
            self.one(statement)

    def one(self, node: t.Statement) -> None:
        self.fuel -= 1
        if self.fuel < 0:
            raise Undefined
        with self.noting(node.at, node.text or None):
            self.actions[type(node)](self, node)

    @contextmanager
    def noting(self, at: tuple[int, int], text: str | None) -> Iterator[None]:
        """An error has the place of the innermost statement around it."""
        try:
            yield
        except Failure as failure:
            if not failure.is_known:
                failure.is_known = True
                place = self.place(at)
                if failure.placed:
                    failure.at = place.removeprefix(":")
                failure.text = text
                failure.stack = " ".join([place, *reversed(self.calls)])
            raise

    def place(self, at: tuple[int, int]) -> str:
        return f"{self.procedure and f'p.d.{self.procedure}'}:{at[0]}:{at[1]}"

    @contextmanager
    def inside(self, scope: Scope) -> Iterator[None]:
        outer, self.scope = self.scope, scope
        try:
            yield
        finally:
            self.scope = outer

    def nested(self, statements: Iterable[t.Statement]) -> None:
        with self.inside(Scope(self.scope)):
            self.all(statements)

    def declare(self, node: t.Declare) -> None:
        value = None if node.default is None else self.value(node.default)
        for name in node.names:
            self.scope.values[name] = value

    def assign(self, node: t.Assign) -> None:
        self.analyse(*node.values)
        values = [self.evaluate(value) for value in node.values]
        for name, value in zip(node.names, values, strict=True):
            self.scope.of(name)[name] = value

    def branches(self, branches: Sequence[t.Branch], otherwise: Sequence[t.Statement] | None) -> None:
        for branch in branches:
            with self.noting(branch.at, None):
                hit = self.value(branch.condition)
            if hit:
                self.all(branch.body)
                return
        self.all(otherwise or ())

    def if_(self, node: t.If) -> None:
        self.branches(node.branches, node.otherwise)

    def case(self, node: t.Case) -> None:
        if node.subject is None:
            self.branches(node.branches, node.otherwise)
            return
        self.analyse(node.subject, *(branch.condition for branch in node.branches))
        subject = self.evaluate(node.subject)
        for branch in node.branches:
            value = self.evaluate(branch.condition)
            if subject is not None and subject == value:
                self.all(branch.body)
                return
        self.all(node.otherwise or ())

    def turn(self, node: t.Loop | t.For) -> bool:
        """False when it ends the loop."""
        try:
            self.all(node.body)
        except Leaving as leaving:
            if leaving.label not in (None, node.label):
                raise
            return leaving.continues
        return True

    def loop(self, node: t.Loop) -> None:
        while True:
            self.fuel -= 1
            if node.word == "WHILE" and not self.value(self.of(node)):
                return
            if not self.turn(node):
                return
            if node.word == "REPEAT":
                with self.noting(node.condition_at, None):
                    if self.value(self.of(node)):
                        return

    def of(self, node: t.Loop) -> t.Expression:
        assert node.condition is not None
        return node.condition

    def for_(self, node: t.For) -> None:
        if isinstance(node.source, str):
            rows = sorted(self.table(node.source).rows, key=in_order)
        else:
            rows = [(n, operation("DIV", 6, n)) for n in sorted(node.source)]
        for row in rows:
            with self.inside(Scope(self.scope, {node.record: dict(zip("kv", row, strict=True))})):
                if not self.turn(node):
                    return

    def leave(self, node: t.Leave) -> None:
        raise Leaving(node.word in ("CONTINUE", "ITERATE"), node.label)

    def return_(self, node: t.Return) -> None:
        raise Returning

    def block(self, node: t.Block) -> None:
        try:
            self.guarded(node)
        except Leaving as leaving:
            if leaving.label is None or leaving.label != node.label:
                raise

    def guarded(self, node: t.Block) -> None:
        if node.handler is None:
            self.nested(node.body)
            return
        procedure = self.procedure
        try:
            self.nested(node.body)
        except Failure as failure:
            self.procedure = procedure
            self.errors.append(failure)
            try:
                self.nested(node.handler)
            finally:
                self.errors.pop()

    def raise_(self, node: t.Raise) -> None:
        if node.message is None:
            raise self.errors[-1]
        message = self.value(node.message)
        raise Failure("NULL" if message is None else message, of_script=True)

    def call(self, node: t.Call) -> None:
        procedure = self.procedures.get(node.procedure)
        if procedure is None:
            raise Failure(f"Procedure is not found: d.{node.procedure}", of_script=True, placed=False)
        scope = Scope()
        outputs: dict[str, str] = {}  # the variables that OUT and INOUT arguments go to
        pairs = list(zip(procedure.arguments, node.arguments, strict=True))
        for name, argument in [(name, argument) for (mode, name), argument in pairs if mode != "IN"]:
            if str(argument) in outputs:
                message = f"A variable cannot be passed in multiple times as OUT/INOUT arguments: {argument}"
                raise Failure(message, of_script=True, placed=False)
            outputs[str(argument)] = name
        for (mode, name), argument in pairs:
            scope.values[name] = None if mode == "OUT" else self.value(argument)
        self.calls.append(self.place(node.at))
        outer, self.procedure = self.procedure, procedure.name
        try:
            with self.inside(scope):
                self.nested(procedure.body)
        except Returning:
            pass
        finally:
            self.procedure = outer
            self.calls.pop()
        for variable, name in outputs.items():
            self.scope.of(variable)[variable] = scope.values[name]

    def immediate(self, node: t.Immediate) -> None:
        self.parameters = [self.value(value) for value, _ in node.using]
        if node.inner is None:
            raise Failure("EXECUTE IMMEDIATE sql string cannot be NULL", of_script=True, placed=False)
        if isinstance(node.inner, t.Control):
            kind = node.inner.words.split()[0].capitalize()
            message = f"SQL created by EXECUTE IMMEDIATE contains unsupported statement type: {kind}Statement"
            raise Failure(message, of_script=True, placed=False)
        count = len(self.selected)
        try:
            self.actions[type(node.inner)](self, node.inner)
        except Failure as failure:
            failure.placed = False
            failure.is_known, failure.at, failure.text = True, None, None
            raise
        finally:
            self.parameters = None
        if not node.into:
            return
        [rows] = self.selected[count:]
        if len(rows) > 1:
            raise Failure("DynamicSQL may only return 0 or 1 rows with INTO clause", of_script=True, placed=False)
        for name, value in zip(node.into, rows[0] if rows else (None,) * len(node.into), strict=True):
            self.scope.of(name)[name] = value

    def control(self, node: t.Control) -> None:
        word = node.words.split()[0]
        if word == "BEGIN":
            if self.before is not None:
                raise Failure(NESTED)
            self.before = {name: table.copy() for name, table in self.tables.items()}, self.function
            return
        if self.before is None:
            message = f"{word} TRANSACTION statement is not allowed: there is no active transaction"
            raise Failure(message)
        if word == "ROLLBACK":
            self.roll_back()
        self.before = None

    def assert_(self, node: t.Assert) -> None:
        if not self.value(node.condition):
            raise Failure(f"Assertion failed: {node.message}")

    # ---- SQL

    def select(self, node: t.Select) -> None:
        self.analyse(*node.values)
        self.selected.append([tuple(self.evaluate(value) for value in node.values)])

    def rows(self, node: t.Rows) -> None:
        self.selected.append(list(sorted(self.table(node.table).rows, key=in_order)[: node.limit]))

    def insert(self, node: t.Insert) -> None:
        table = self.table(node.table)
        self.analyse(*(value for row in node.rows for value in row))
        try:
            values = one_outcome(self.evaluate, [value for row in node.rows for value in row])
        except Failure:
            if table.has_key and any(self.evaluate(k) is None for k, _ in node.rows):
                raise Undefined from None
            raise
        self.add(table, list(zip(values[::2], values[1::2], strict=True)))

    def insert_from(self, node: t.InsertFrom) -> None:
        table, source = self.table(node.table), self.table(node.source)
        self.analyse(node.value, node.condition)
        rows = [row for row in source.rows if self.holds(node.condition, row)]
        try:
            values = one_outcome(lambda row: self.evaluate(node.value, row), rows)
        except Failure:
            if table.has_key and any(k is None for k, _ in rows):
                raise Undefined from None
            raise
        self.add(table, [(k, value) for (k, _), value in zip(rows, values, strict=True)])

    def add(self, table: Table, rows: list[Row]) -> None:
        if table.has_key and any(k is None for k, _ in rows):
            raise Failure(NULL_KEY)
        table.rows += rows
        self.row_count = len(rows)

    def update(self, node: t.Update) -> None:
        table = self.table(node.table)
        self.analyse(node.value, node.condition)
        hits = [self.holds(node.condition, row) for row in table.rows]
        changed = iter(
            one_outcome(
                lambda row: (row[0], self.evaluate(node.value, row)),
                [row for row, hit in zip(table.rows, hits, strict=True) if hit],
            )
        )
        table.rows = [next(changed) if hit else row for row, hit in zip(table.rows, hits, strict=True)]
        self.row_count = sum(hits)

    def delete(self, node: t.Delete) -> None:
        table = self.table(node.table)
        self.analyse(node.condition)
        kept = [row for row in table.rows if not self.holds(node.condition, row)]
        self.row_count = len(table.rows) - len(kept)
        table.rows = kept

    def truncate(self, node: t.Truncate) -> None:
        table = self.table(node.table)
        self.row_count = len(table.rows)
        table.rows = []

    def merge(self, node: t.Merge) -> None:
        table, source = self.table(node.table), self.table(node.source)
        kept: list[Row] = []
        problems = set()
        touched = 0
        for k, v in table.rows:
            matches = [row for row in source.rows if k is not None and row[0] == k]
            if len(matches) > 1:
                problems.add(MANY_MATCHES)
            touched += bool(matches) or node.deletes
            if matches:
                kept.append((k, matches[0][1]))
            elif not node.deletes:
                kept.append((k, v))
        keys = {k for k, _ in table.rows if k is not None}
        added = [row for row in source.rows if row[0] not in keys]
        if table.has_key and any(k is None for k, _ in added):
            problems.add(NULL_KEY)
        if len(problems) > 1:
            raise Undefined
        if problems:
            raise Failure(problems.pop())
        table.rows = kept + added
        self.row_count = touched + len(added)

    def create(self, node: t.CreateTable) -> None:
        exists = node.table in self.tables
        if "." in node.table and self.before is not None:
            self.only_problem(NO_DDL, node.source)
        if exists and not node.mode:
            # The name of a temporary table's dataset is the engine's own.
            shown = node.table if "." in node.table else f"_SESSION.{node.table}"
            self.only_problem(f"Already Exists: Table p:{shown}", node.source)
        if exists and node.mode == "IF NOT EXISTS":
            self.only_problem(None, node.source)
            return
        self.tables[node.table] = Table([] if node.source is None else list(self.table(node.source).rows))

    def drop(self, node: t.DropTable) -> None:
        if self.before is not None:
            self.only_problem(NO_DDL if "." in node.table else None, node.table)
        if node.table not in self.tables and node.if_exists:
            return
        self.table(node.table)
        del self.tables[node.table]

    def create_function(self, node: t.CreateFunction) -> None:
        if self.function is not None and not node.replaces:
            raise Failure("Already Exists: Routine plus", placed=False)
        self.function = node.number

    def drop_function(self, node: t.DropFunction) -> None:
        if self.function is None:
            raise Undefined  # whether it is the dataset that is missed
        self.function = None

    def only_problem(self, message: str | None, table: str | None) -> None:
        """Of two problems nobody knows which one is told: here of the message's and a table that is missing."""
        if table is not None and table not in self.tables:
            raise Undefined
        if message is not None:
            raise Failure(message, placed=message == NO_DDL)

    actions: ClassVar[dict[type[t.Statement], Callable[[Machine, Any], None]]] = {
        t.Declare: declare,
        t.Assign: assign,
        t.If: if_,
        t.Case: case,
        t.Loop: loop,
        t.For: for_,
        t.Leave: leave,
        t.Return: return_,
        t.Block: block,
        t.Raise: raise_,
        t.Call: call,
        t.Immediate: immediate,
        t.Control: control,
        t.Assert: assert_,
        t.Select: select,
        t.Rows: rows,
        t.Insert: insert,
        t.InsertFrom: insert_from,
        t.Update: update,
        t.Delete: delete,
        t.Truncate: truncate,
        t.Merge: merge,
        t.CreateTable: create,
        t.DropTable: drop,
        t.CreateFunction: create_function,
        t.DropFunction: drop_function,
    }
