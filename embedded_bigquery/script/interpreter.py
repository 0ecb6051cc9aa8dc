"""The procedural language, run: statement by statement, each in the frame of its block."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from embedded_bigquery.errors import EngineError, InvalidQuery, NotFound, Stopped
from embedded_bigquery.script import nodes
from embedded_bigquery.script.executor import convert, evaluate, query, run_statement
from embedded_bigquery.script.names import SETTABLE, Names, Parameters
from embedded_bigquery.script.nodes import Node
from embedded_bigquery.script.outcome import Child, Outcome
from embedded_bigquery.script.parser import parse_script
from embedded_bigquery.script.scope import Frame, Variable
from embedded_bigquery.script.session import Session
from embedded_bigquery.sql.columns import parse_type_text
from embedded_bigquery.sql.environment import Routine, TablePath
from embedded_bigquery.sql.translate import SELECT
from embedded_bigquery.types import BOOL, STRING, Type

MAXIMUM_DEPTH = 50
OnChild = Callable[[Child], None]


class _Leave(Exception):
    """BREAK, CONTINUE and RETURN on their way to the loop, block or procedure that they leave."""

    def __init__(self, kind: str, label: str | None = None) -> None:
        super().__init__(kind)
        self.kind, self.label = kind, label

    def means(self, label: str | None) -> bool:
        return self.label is None or (label is not None and self.label.lower() == label.lower())


class Raised(InvalidQuery):
    """What a handler, or the caller, learns of a failed statement."""

    def __init__(self, cause: EngineError, text: str, stack: tuple[tuple[int, int, str], ...]) -> None:
        """`stack` holds (line, column, procedure or "") of the statement and of the CALLs that led to it."""
        line, column, procedure = stack[0]
        place = f"{procedure}:{line}:{column}" if procedure else f"{line}:{column}"
        super().__init__(f"Query error: {cause.bare_message} at [{place}]")
        self.cause, self.text, self.stack = cause, text, stack


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
    return Outcome(kind, last.fields, last.rows) if last else Outcome(kind)


class _Interpreter:
    def __init__(self, session: Session, parameters: Parameters, on_child: OnChild, system: dict[str, Any]) -> None:
        self.session, self.parameters, self.on_child, self.system = session, parameters, on_child, system
        self.frame = Frame()
        self.text = ""
        self.procedure = ""  # "project.dataset.name" while one runs
        self.calls: list[tuple[int, int, str]] = []  # places of the CALLs that led here
        self.errors: list[Raised] = []  # of the handlers around
        self.last: Outcome | None = None
        self.handlers: dict[type[Node], Callable[[Any], None]] = {
            nodes.Sql: self._sql,
            nodes.CreateProcedure: self._sql,
            nodes.Declare: self._declare,
            nodes.Set: self._set,
            nodes.If: self._if,
            nodes.Case: self._case,
            nodes.Block: self._block,
            nodes.Loop: self._loop,
            nodes.While: self._while,
            nodes.Repeat: self._repeat,
            nodes.For: self._for,
            nodes.Break: self._leave,
            nodes.Continue: self._leave,
            nodes.Return: self._leave,
            nodes.Raise: self._raise,
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
        with suppress(_Leave):
            self._all(script.statements)

    def _all(self, statements: Sequence[Node]) -> None:
        for statement in statements:
            self._one(statement)

    def _one(self, statement: Node) -> None:
        try:
            self.handlers[type(statement)](statement)
        except Raised:
            raise
        except (Stopped, RecursionError):
            raise
        except EngineError as error:
            raise self._raised(error, statement) from error

    def _raised(self, error: EngineError, statement: Node) -> Raised:
        place = error.at or self._place(statement.span[0])
        return Raised(error, self._slice(statement), ((*place, self.procedure), *reversed(self.calls)))

    def _place(self, offset: int) -> tuple[int, int]:
        before = self.text[:offset]
        return before.count("\n") + 1, offset - before.rfind("\n")

    def _absolute(self, at: tuple[int, int] | None, offset: int) -> tuple[int, int] | None:
        """A place inside a part of the text as a place in the text."""
        if at is None:
            return None
        line, column = self._place(offset)
        return (line, column + at[1] - 1) if at[0] == 1 else (line + at[0] - 1, at[1])

    def _slice(self, node: Node) -> str:
        return self.text[node.span[0] : node.span[1]]

    def _names(self, parameters: Parameters | None = None) -> Names:
        return Names(self.session, self.frame, self.parameters if parameters is None else parameters, self.system)

    def _value(self, node: nodes.Expression, target: Type | None = None) -> tuple[Type, Any]:
        try:
            return evaluate(self.session, self._slice(node), self._names(), target)
        except EngineError as error:
            if error.at is not None:
                line, column = error.at
                inner = (line, column - len(SELECT)) if line == 1 else error.at
                error.at = self._absolute(inner, node.span[0])
            raise

    def _true(self, node: nodes.Expression) -> bool:
        return bool(self._value(node, BOOL)[1])

    def _told(self, node: Node, started: int, outcome: Outcome | None, error: EngineError | None) -> None:
        line, column = self._place(node.span[0])
        ended = time.time_ns() // 1_000_000
        self.on_child(Child(outcome, error, self._slice(node), line, column, self.procedure or None, started, ended))

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
        message = "Assertion failed"
        if node.message is not None:
            message = str(self._value(node.message, STRING)[1])
        error = InvalidQuery(message)
        self._told(node, started, None, error)
        raise error

    # ---- branches and loops

    def _nested(self, statements: Sequence[Node]) -> None:
        outer = self.frame
        self.frame = Frame(outer)
        try:
            self._all(statements)
        finally:
            self.frame = outer

    def _if(self, node: nodes.If) -> None:
        for branch in node.branches:
            if self._true(branch.condition):
                self._all(branch.body)
                return
        self._all(node.otherwise or ())

    def _case(self, node: nodes.Case) -> None:
        for branch in node.branches:
            if node.subject is None:
                hit = self._true(branch.condition)
            else:
                text = f"({self._slice(node.subject)}) = ({self._slice(branch.condition)})"
                hit = bool(evaluate(self.session, text, self._names(), BOOL)[1])
            if hit:
                self._all(branch.body)
                return
        self._all(node.otherwise or ())

    def _turn(self, body: Sequence[Node], label: str | None) -> bool:
        """One turn of a loop; False when it ends the loop."""
        try:
            self._all(body)
        except _Leave as leave:
            if leave.kind == "RETURN" or not leave.means(label):
                raise
            return leave.kind == "CONTINUE"
        return True

    def _loop(self, node: nodes.Loop) -> None:
        while self._turn(node.body, node.label):
            pass

    def _while(self, node: nodes.While) -> None:
        while self._true(node.condition) and self._turn(node.body, node.label):
            pass

    def _repeat(self, node: nodes.Repeat) -> None:
        while self._turn(node.body, node.label) and not self._true(node.until):
            pass

    def _for(self, node: nodes.For) -> None:
        names = self._names()
        try:
            fields, rows = query(self.session, self._slice(node.query), names)
        except EngineError as error:
            error.at = self._absolute(error.at, node.query.span[0])
            raise
        kind = Type("STRUCT", fields=fields)
        outer = self.frame
        for row in rows:
            self.frame = Frame(outer)
            try:
                self.frame.declare(node.variable, Variable(kind, row))
                if not self._turn(node.body, node.label):
                    return
            finally:
                self.frame = outer

    def _leave(self, node: nodes.Break | nodes.Continue | nodes.Return) -> None:
        if isinstance(node, nodes.Return):
            raise _Leave("RETURN")
        raise _Leave("BREAK" if isinstance(node, nodes.Break) else "CONTINUE", node.label)

    # ---- blocks and errors

    def _block(self, node: nodes.Block) -> None:
        try:
            self._guarded(node)
        except _Leave as leave:
            if leave.kind != "BREAK" or leave.label is None or not leave.means(node.label):
                raise

    def _guarded(self, node: nodes.Block) -> None:
        if node.handler is None:
            self._nested(node.body)
            return
        state = self.frame, self.text, self.procedure, len(self.calls)
        try:
            self._nested(node.body)
        except Raised as error:
            self.frame, self.text, self.procedure = state[:3]
            del self.calls[state[3] :]
            self._handle(node.handler, error)

    def _handle(self, handler: Sequence[Node], error: Raised) -> None:
        self.errors.append(error)
        self._show_error()
        try:
            self._nested(handler)
        finally:
            self.errors.pop()
            self._show_error()

    def _show_error(self) -> None:
        error = self.errors[-1] if self.errors else None
        shown: dict[str, Any] = {"message": None, "statement_text": None, "formatted_stack_trace": None}
        shown["stack_trace"] = []
        if error is not None:
            frames = [(line, column, None, procedure or None) for line, column, procedure in error.stack]
            lines = [f"At {procedure or 'script'}[{line}:{column}]" for line, column, procedure in error.stack]
            shown = {
                "message": error.cause.bare_message,
                "statement_text": error.text,
                "formatted_stack_trace": "\n".join(lines),
                "stack_trace": frames,
            }
        self.system |= {f"error.{name}": value for name, value in shown.items()}

    def _raise(self, node: nodes.Raise) -> None:
        if node.message is not None:
            raise InvalidQuery(str(self._value(node.message, STRING)[1]))
        if not self.errors:
            raise InvalidQuery("Cannot re-raise an existing exception outside of an exception handler")
        raise self.errors[-1]

    # ---- procedures and dynamic SQL

    def _call(self, node: nodes.Call) -> None:
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
        except _Leave as leave:
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
