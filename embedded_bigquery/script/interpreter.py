"""The procedural language, run: statement by statement, each in the frame of its block."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from embedded_bigquery.errors import EngineError, InvalidQuery, NotFound
from embedded_bigquery.script import nodes
from embedded_bigquery.script.executor import convert, evaluate, run_statement
from embedded_bigquery.script.flow import Flow, Leave, OnChild
from embedded_bigquery.script.names import SETTABLE, Names, Parameters
from embedded_bigquery.script.nodes import Node
from embedded_bigquery.script.outcome import Outcome
from embedded_bigquery.script.parser import parse_script
from embedded_bigquery.script.scope import Frame, Variable
from embedded_bigquery.script.session import Session
from embedded_bigquery.sql.columns import parse_type_text
from embedded_bigquery.sql.environment import Routine, TablePath
from embedded_bigquery.types import STRING, Type

MAXIMUM_DEPTH = 50
ABORT_SESSION = ("BQ", "ABORT_SESSION")


def run(
    text: str, session: Session, parameters: Parameters, on_child: OnChild, *, job_id: str = "", dry_run: bool = False
) -> Outcome:
    """Runs a job's text, one statement or a script. Raises EngineError.

    `parameters` are named in lower case, or numbered from 0. Each statement of a script is told to `on_child`.
    """
    script = parse_script(text)
    system: dict[str, Any] = {"project_id": session.catalog.project, "script.job_id": job_id, "current_job_id": job_id}
    interpreter = _Interpreter(session, parameters, on_child, system)
    if not script.statements:
        raise InvalidQuery("Syntax error: Unexpected end of script")
    first = script.statements[0]
    single = len(script.statements) == 1
    if single and isinstance(first, nodes.Sql | nodes.CreateProcedure):
        return interpreter.single(script, first, dry_run)
    if dry_run:
        return Outcome("SCRIPT")
    try:
        interpreter.script(script)
    finally:
        if session.transaction is not None and not session.outlives_jobs:
            session.abandon()
    last = interpreter.last
    kind = "CALL" if single and isinstance(first, nodes.Call) else "SCRIPT"
    costs: dict[str, Any] = {"bytes_processed": interpreter.bytes_processed, "bytes_billed": interpreter.bytes_billed}
    return Outcome(kind, last.fields, last.rows, **costs) if last else Outcome(kind, **costs)


class _Interpreter(Flow):
    def __init__(self, session: Session, parameters: Parameters, on_child: OnChild, system: dict[str, Any]) -> None:
        super().__init__(session, parameters, on_child, system)
        self.handlers |= {
            nodes.Sql: self._sql,
            nodes.CreateProcedure: self._sql,
            nodes.Declare: self._declare,
            nodes.Set: self._set,
            nodes.Call: self._call,
            nodes.ExecuteImmediate: self._execute_immediate,
            nodes.Assert: self._assert,
            nodes.BeginTransaction: lambda node: self._control(node, "BEGIN_TRANSACTION", self.session.begin),
            nodes.CommitTransaction: lambda node: self._control(node, "COMMIT_TRANSACTION", self.session.commit),
            nodes.RollbackTransaction: lambda node: self._control(node, "ROLLBACK_TRANSACTION", self.session.roll_back),
        }

    # ---- running

    def single(self, script: nodes.Script, statement: Node, dry_run: bool) -> Outcome:
        """A job of one SQL statement: its errors keep their own place and words."""
        self.text = script.text
        try:
            return run_statement(self.session, script.slice(statement), self._names(), dry_run=dry_run)
        except EngineError as error:
            error.at = self._absolute(error.at, statement.span[0])
            raise

    def script(self, script: nodes.Script) -> None:
        self.text = script.text
        with suppress(Leave):
            self._all(script.statements)

    def _watched(self, node: Node, text: str, names: Names, offset: int | None) -> Outcome:
        """Runs SQL as a child job; `offset` is where the text stands in the script, None for dynamic SQL."""
        started = time.time_ns() // 1_000_000
        try:
            outcome = run_statement(self.session, text, names)
        except EngineError as error:
            error.at = None if offset is None else self._absolute(error.at, offset)
            self._told(node, started, None, error)
            raise
        self.system["row_count"] = outcome.affected
        self.bytes_processed += outcome.bytes_processed
        self.bytes_billed += outcome.bytes_billed
        self.system["script.bytes_processed"] = self.bytes_processed
        self.system["script.bytes_billed"] = self.bytes_billed
        self.last = outcome if outcome.kind == "SELECT" else self.last
        self._told(node, started, outcome, None)
        return outcome

    # ---- statements

    def _sql(self, node: Node) -> None:
        self._watched(node, self._slice(node), self._names(), node.span[0])

    def _control(self, node: Node, kind: str, action: Callable[[], None]) -> None:
        started = time.time_ns() // 1_000_000
        try:
            action()
        except EngineError as error:
            self._told(node, started, None, error)
            raise
        self._told(node, started, Outcome(kind), None)

    def _declare(self, node: nodes.Declare) -> None:
        if node.type is None:
            assert node.default is not None
            kind, value = self._value(node.default)
            sizes: tuple[int, ...] = ()
        else:
            declared = parse_type_text(self.text[node.type[0] : node.type[1]])
            kind, sizes, value = declared.type, declared.parameters, None
            if node.default is not None:
                value = self._value(node.default, kind)[1]
            elif kind.is_array:
                value = []
        for name in node.names:
            variable = Variable(kind, None, sizes)
            self.frame.declare(name, variable)
            self._assign(variable, kind, value)

    def _assign(self, variable: Variable, kind: Type, value: Any) -> None:
        variable.value = convert(self.session, value, kind, variable.type, variable.sizes)

    def _set(self, node: nodes.Set) -> None:
        if not node.is_tuple:
            self._set_one(node.targets[0], node.value)
            return
        text = self._slice(node.value).strip()
        # A parenthesised list is a struct, which SELECT does not take without its keyword.
        kind, value = self._tuple(node, text)
        if not kind.is_struct or len(kind.fields) != len(node.targets):
            count = len(kind.fields) if kind.is_struct else 1
            raise InvalidQuery(f"The number of variables in SET does not match the value: {len(node.targets)}, {count}")
        items = value if value is not None else (None,) * len(kind.fields)
        # All values are known before the first variable changes: SET (a, b) = (b, a) swaps.
        for name, field, item in zip(node.targets, kind.fields, items, strict=True):
            self._assign(self._variable(name), field.type, item)

    def _tuple(self, node: nodes.Set, text: str) -> tuple[Type, Any]:
        inner = text[1:].lstrip().upper() if text.startswith("(") else ""
        if text.startswith("(") and not inner.startswith(("SELECT", "WITH", "(SELECT")):
            return evaluate(self.session, f"STRUCT{text}", self._names())
        return self._value(node.value)

    def _variable(self, name: str) -> Variable:
        found = self.frame.find(name)
        if found is None:
            raise InvalidQuery(f"Undeclared variable: {name}")
        return found

    def _set_one(self, name: str, value: nodes.Expression) -> None:
        if name.startswith("@@"):
            key = name[2:].lower()
            if key not in SETTABLE:
                raise InvalidQuery(f"Cannot assign to system variable: {name}")
            self.session.settings[key] = self._value(value, STRING)[1]
            return
        variable = self._variable(name)
        kind, found = self._value(value, variable.type)
        self._assign(variable, kind, found)

    def _assert(self, node: nodes.Assert) -> None:
        started = time.time_ns() // 1_000_000
        if self._true(node.condition):
            self._told(node, started, Outcome("ASSERT"), None)
            return
        message = "" if node.message is None else f": {self._value(node.message, STRING)[1]}"
        error = InvalidQuery(f"Assertion failed{message}")
        self._told(node, started, None, error)
        raise error

    # ---- procedures and dynamic SQL

    def _call(self, node: nodes.Call) -> None:
        if tuple(part.upper() for part in node.path) == ABORT_SESSION:
            self._control(node, "CALL", self._abort_session)
            return
        routine = self.session.routine(node.path)
        if routine is None or routine.kind != "PROCEDURE":
            raise NotFound(f"Procedure not found: {'.'.join(node.path)}", at=self._place(node.span[0]))
        if len(node.arguments) != len(routine.arguments):
            raise InvalidQuery(
                f"Procedure {'.'.join(node.path)} takes {len(routine.arguments)} arguments, "
                f"but {len(node.arguments)} were given"
            )
        if len(self.calls) >= MAXIMUM_DEPTH:
            raise InvalidQuery(f"Procedure call depth exceeds the limit of {MAXIMUM_DEPTH}")
        frame, results = self._arguments(node, routine)
        started = time.time_ns() // 1_000_000
        self._run_body(node, routine, frame)
        self._told(node, started, Outcome("CALL"), None)
        for variable, argument in results:
            found = frame.variables[argument.lower()]
            self._assign(variable, found.type, found.value)

    def _abort_session(self) -> None:
        if not self.session.outlives_jobs:
            raise InvalidQuery("BQ.ABORT_SESSION needs a session; the job has none")
        self.session.abort()

    def _arguments(self, node: nodes.Call, routine: Routine) -> tuple[Frame, list[tuple[Variable, str]]]:
        """The callee's first frame, and where its OUT arguments go."""
        frame = Frame()
        results: list[tuple[Variable, str]] = []
        for expression, argument in zip(node.arguments, routine.arguments, strict=True):
            kind, value = argument.type, None
            if argument.mode != "IN":
                name = self._slice(expression).strip().strip("`")
                variable = self.frame.find(name)
                if variable is None:
                    raise InvalidQuery(
                        f"Argument {argument.name} is {argument.mode}, so a variable must be given for it",
                        at=self._place(expression.span[0]),
                    )
                results.append((variable, argument.name))
                kind = kind or variable.type
                if argument.mode == "INOUT":
                    value = convert(self.session, variable.value, variable.type, kind)
            else:
                kind, value = self._value(expression, kind)
            if value is None and kind.is_array:
                value = []
            frame.declare(argument.name, Variable(kind, value))
        return frame, results

    def _run_body(self, node: nodes.Call, routine: Routine, frame: Frame) -> None:
        body = parse_script(routine.body)
        saved = self.frame, self.text, self.procedure, self.parameters, self.errors
        line, column = self._place(node.span[0])
        self.calls.append((line, column, self.procedure))
        self.frame, self.text, self.parameters, self.errors = frame, routine.body, {}, []
        self.procedure = _dotted(routine.path)
        try:
            self._all(body.statements)
        except Leave as leave:
            if leave.kind != "RETURN":
                raise
        finally:
            self.frame, self.text, self.procedure, self.parameters, self.errors = saved
            self._show_error()
            self.calls.pop()

    def _execute_immediate(self, node: nodes.ExecuteImmediate) -> None:
        text = self._value(node.sql, STRING)[1]
        if text is None:
            raise InvalidQuery("EXECUTE IMMEDIATE sql string cannot be NULL")
        parameters: dict[str | int, tuple[Type, Any]] = {}
        for position, using in enumerate(node.using):
            parameters[position if using.name is None else using.name.lower()] = self._value(using.value)
        found = parse_script(text).statements
        if len(found) != 1 or not isinstance(found[0], nodes.Sql):
            raise InvalidQuery(
                "EXECUTE IMMEDIATE takes one SQL statement; procedural statements are not supported in it"
            )
        statement = text[found[0].span[0] : found[0].span[1]]
        # Dynamic SQL sees no variables of the script: its values come by USING.
        names = Names(self.session, Frame(), parameters, self.system)
        outcome = self._watched(node, statement, names, None)
        if node.into:
            self._into(node, outcome)

    def _into(self, node: nodes.ExecuteImmediate, outcome: Outcome) -> None:
        if outcome.kind != "SELECT":
            raise InvalidQuery("EXECUTE IMMEDIATE INTO needs a query")
        if len(outcome.fields) != len(node.into):
            raise InvalidQuery(
                f"EXECUTE IMMEDIATE INTO has {len(node.into)} variables for {len(outcome.fields)} columns"
            )
        if len(outcome.rows) > 1:
            raise InvalidQuery("EXECUTE IMMEDIATE INTO query returned more than one row")
        row = outcome.rows[0] if outcome.rows else (None,) * len(node.into)
        for name, field, value in zip(node.into, outcome.fields, row, strict=True):
            self._assign(self._variable(name), field.type, value)


def _dotted(path: TablePath) -> str:
    return f"{path.project}.{path.dataset}.{path.name}"
