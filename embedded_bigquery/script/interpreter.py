"""The procedural language, run: statement by statement, each in the frame of its block."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from embedded_bigquery.errors import EngineError, InvalidQuery
from embedded_bigquery.script import nodes
from embedded_bigquery.script.dry_run import dry_run as tell
from embedded_bigquery.script.executor import convert, evaluate, run_statement
from embedded_bigquery.script.flow import Flow, Leave, OnChild, ScriptError
from embedded_bigquery.script.names import SETTABLE, SYSTEM_VARIABLES, Parameters
from embedded_bigquery.script.nodes import Node
from embedded_bigquery.script.outcome import Outcome
from embedded_bigquery.script.parser import parse_script
from embedded_bigquery.script.scope import Frame, Variable
from embedded_bigquery.script.session import Session
from embedded_bigquery.sql.columns import parse_type_text
from embedded_bigquery.sql.environment import Routine, RoutineArgument, TablePath
from embedded_bigquery.sql.functions.signatures import coerces
from embedded_bigquery.types import STRING, Field, Type

MAXIMUM_DEPTH = 50
ABORT_SESSION, REFRESH = ("BQ", "ABORT_SESSION"), ("BQ", "REFRESH_MATERIALIZED_VIEW")
TRANSACTION_KINDS: dict[type[Node], str] = {
    nodes.BeginTransaction: "BEGIN_TRANSACTION",
    nodes.CommitTransaction: "COMMIT_TRANSACTION",
    nodes.RollbackTransaction: "ROLLBACK_TRANSACTION",
}
# What GoogleSQL calls the statements that dynamic SQL cannot hold, where that is not our name.
GOOGLES_NAMES: dict[type[Node], str] = {
    nodes.Block: "BeginEndBlock",
    nodes.Loop: "WhileStatement",
    nodes.For: "ForInStatement",
    nodes.Declare: "VariableDeclaration",
    nodes.Set: "SingleAssignment",
    nodes.BeginTransaction: "BeginStatement",
    nodes.CommitTransaction: "CommitStatement",
    nodes.RollbackTransaction: "RollbackStatement",
}
NAME = re.compile(r"[A-Za-z_]\w*")
TEMPORARY_FUNCTION = re.compile(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?TEMP(?:ORARY)?\s+(?:AGGREGATE\s+|TABLE\s+)?FUNCTION\b", re.IGNORECASE
)
TEMPORARY_TABLE = re.compile(r"CREATE\s+(?:OR\s+REPLACE\s+)?TEMP(?:ORARY)?\s+TABLE\b", re.IGNORECASE)
OFFSET = re.compile(r"[+-]\d{1,2}(:\d{2})?")


def run(
    text: str,
    session: Session,
    parameters: Parameters,
    on_child: OnChild,
    *,
    job_id: str = "",
    dry_run: bool = False,
    into: str | None = None,
) -> Outcome:
    """Runs a job's text, one statement or a script. Raises EngineError.

    `parameters` are named in lower case, or numbered from 0. Each statement of a script is told to `on_child`.
    `into`: the rows of the one query are left in this temporary table of DuckDB's.
    """
    script = parse_script(text)
    system: dict[str, Any] = {"project_id": session.catalog.project, "script.job_id": job_id, "current_job_id": job_id}
    system["script.creation_time"] = datetime.now(UTC)
    interpreter = _Interpreter(session, parameters, on_child, system)
    if not script.statements:
        raise InvalidQuery("Syntax error: Unexpected end of script", at=(1, 1))
    *functions, last_one = script.statements
    if all(is_temporary_function(script, statement) for statement in functions):
        _check_alone(script, last_one, session)
        if isinstance(last_one, nodes.Sql | nodes.CreateProcedure):
            with session.unchanged_routines() if dry_run else nullcontext():
                interpreter.functions(script, functions)
                return interpreter.single(script, last_one, dry_run, into)
    first = script.statements[0]
    single = len(script.statements) == 1
    if single and type(first) in TRANSACTION_KINDS and not session.outlives_jobs:
        raise InvalidQuery("Transaction control statements are supported only in scripts or sessions")
    if dry_run:
        return tell(script, session, parameters, system)
    try:
        interpreter.script(script)
    finally:
        if session.transaction is not None and not session.outlives_jobs:
            session.abandon()
    kind = "SCRIPT"
    if single:
        kind = "CALL" if isinstance(first, nodes.Call) else TRANSACTION_KINDS.get(type(first), kind)
    last = interpreter.last
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
            nodes.BeginTransaction: lambda node: self._control(node, self.session.begin),
            nodes.CommitTransaction: lambda node: self._control(node, self.session.commit),
            nodes.RollbackTransaction: lambda node: self._control(node, self.session.roll_back),
        }

    # ---- running

    def single(self, script: nodes.Script, statement: Node, dry_run: bool, into: str | None = None) -> Outcome:
        """A job of one SQL statement: its errors keep their own place and words."""
        self.text = script.text
        try:
            return run_statement(self.session, script.slice(statement), self._names(), dry_run=dry_run, into=into)
        except EngineError as error:
            error.at = self._absolute(error.at, statement.span[0])
            raise

    def functions(self, script: nodes.Script, statements: Sequence[Node]) -> None:
        """The temporary functions that stand before a query are part of it."""
        for statement in statements:
            self.single(script, statement, False)

    def script(self, script: nodes.Script) -> None:
        self.text = script.text
        with suppress(Leave):
            self._all(script.statements)

    def _sql(self, node: Node) -> None:
        """Runs SQL as a child job."""
        started = time.time_ns() // 1_000_000
        try:
            outcome = run_statement(self.session, self._slice(node), self._names())
        except EngineError as error:
            error.at = self._absolute(error.at, node.span[0])
            self._told(node, started, None, error)
            raise
        self.system["row_count"] = outcome.affected
        self.bytes_processed += outcome.bytes_processed
        self.bytes_billed += outcome.bytes_billed
        self.system |= {"script.bytes_processed": self.bytes_processed, "script.bytes_billed": self.bytes_billed}
        self.last = outcome
        self._told(node, started, outcome, None)

    # ---- statements

    def _control(self, node: Node, action: Callable[[], None]) -> None:
        started = time.time_ns() // 1_000_000
        try:
            action()
        except EngineError as error:
            self._told(node, started, None, error)
            raise
        self._told(node, started, Outcome(TRANSACTION_KINDS.get(type(node), "CALL")), None)

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
        for name in node.names:
            variable = Variable(kind, None, sizes)
            self.frame.declare(name, variable)
            self._assign(variable, kind, value)

    def _assign(self, variable: Variable, kind: Type, value: Any) -> None:
        variable.value = convert(self.session, value, kind, variable.type, variable.sizes)

    def _set(self, node: nodes.Set) -> None:
        if not node.is_tuple:
            self._set_one(node)
            return
        variables = [self._variable(name, place) for name, place in zip(node.targets, node.places, strict=True)]
        for position, (name, place) in enumerate(zip(node.targets, node.places, strict=True)):
            if any(variables[position] is known for known in variables[:position]):
                raise ScriptError(f"Assigning multiple values to variable: {name}", at=self._place(place))
        wanted = Type("STRUCT", fields=tuple(Field("", variable.type) for variable in variables))
        value = self._tuple(node, wanted)
        # All values are known before the first variable changes: SET (a, b) = (b, a) swaps.
        for variable, item in zip(variables, value or (None,) * len(variables), strict=True):
            self._assign(variable, variable.type, item)

    def _tuple(self, node: nodes.Set, wanted: Type) -> Any:
        """A parenthesised list is a struct, which SELECT does not take without its keyword."""
        text = self._slice(node.value)
        inner = text[1:].lstrip().upper() if text.startswith("(") else ""
        if not text.startswith("(") or inner.startswith(("SELECT", "WITH", "(SELECT")):
            return self._value(node.value, wanted)[1]
        try:
            return evaluate(self.session, f"STRUCT{text}", self._names(), wanted)[1]
        except EngineError as error:
            error.at = error.at and self._absolute(error.at, node.value.span[0] - len("STRUCT"))
            raise

    def _variable(self, name: str, place: int) -> Variable:
        found = self.frame.find(name)
        if found is None:
            raise ScriptError(f"Undeclared variable: {name}", at=self._place(place))
        return found

    def _set_one(self, node: nodes.Set) -> None:
        name, place = node.targets[0], node.places[0]
        if name.startswith("@@"):
            self._set_system(name, node)
            return
        variable = self._variable(name, place)
        kind, found = self._value(node.value, variable.type)
        self._assign(variable, kind, found)

    def _set_system(self, name: str, node: nodes.Set) -> None:
        key, at = name[2:].lower(), self._place(node.places[0])
        if key not in SYSTEM_VARIABLES:
            raise ScriptError(f"System variable not found: {name}", at=at)
        if key not in SETTABLE:
            raise ScriptError(f"Assignment to read-only system variable {name}", at=at)
        value = self._value(node.value, SYSTEM_VARIABLES[key])[1]
        if key == "time_zone" and not is_time_zone(value):
            shown = "NULL" if value is None else value
            raise ScriptError(f"Invalid timezone: {shown}", at=self._place(node.value.span[0]))
        self.session.settings[key] = value

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
            self._control(node, self._abort_session)
            return
        if tuple(part.upper() for part in node.path) == REFRESH:
            self._control(node, lambda: self._refresh(node))
            return
        routine = self.session.routine(node.path)
        name, at = ".".join(node.path), self._place(node.place)
        if len(self.calls) + 1 >= MAXIMUM_DEPTH:
            raise ScriptError(f"Out of stack space due to deeply-nested procedure call to {name}")
        if routine is None or routine.kind != "PROCEDURE":
            raise ScriptError(f"Procedure is not found: {name}", at=at)
        expected, given = len(routine.arguments), len(node.arguments)
        if expected != given:
            raise ScriptError(f"Procedure {name} expects {expected} argument(s), {given} provided", at=at)
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

    def _refresh(self, node: nodes.Call) -> None:
        """A materialized view is worked out whenever it is read, so all there is to do is to find it."""
        [name] = [self._value(argument, STRING)[1] for argument in node.arguments] or [""]
        view = self.session.relation(tuple(name.split(".")))
        if view is None or view.kind != "MATERIALIZED_VIEW":
            raise ScriptError(f"Materialized view is not found: {name}", at=self._place(node.place))

    def _arguments(self, node: nodes.Call, routine: Routine) -> tuple[Frame, list[tuple[Variable, str]]]:
        """The callee's first frame, and where its OUT arguments go."""
        frame = Frame()
        results: list[tuple[Variable, str]] = []
        pairs = tuple(zip(node.arguments, routine.arguments, strict=True))
        self._check_outputs([expression for expression, argument in pairs if argument.mode != "IN"])
        for expression, argument in pairs:
            kind, value = argument.type, None
            if argument.mode == "IN":
                kind, value = self._value(expression, kind)
            else:
                variable = self._output(expression, argument)
                results.append((variable, argument.name))
                kind = kind or variable.type
                if argument.mode == "INOUT":
                    value = convert(self.session, variable.value, variable.type, kind)
            frame.declare(argument.name, Variable(kind, value))
        return frame, results

    def _check_outputs(self, expressions: Sequence[nodes.Expression]) -> None:
        """That OUT and INOUT arguments are variables, each another one; before any argument is evaluated."""
        used: set[str] = set()
        for expression in expressions:
            name, at = self._slice(expression).strip("`"), self._place(expression.span[0])
            if not NAME.fullmatch(name):
                raise ScriptError("Procedure OUT/INOUT argument must be a variable", at=at)
            if name.lower() in used:
                message = f"A variable cannot be passed in multiple times as OUT/INOUT arguments: {name}"
                raise ScriptError(message, at=at)
            used.add(name.lower())

    def _output(self, expression: nodes.Expression, argument: RoutineArgument) -> Variable:
        """The variable that an OUT or INOUT argument is given."""
        name, at = self._slice(expression).strip("`"), self._place(expression.span[0])
        variable = self._variable(name, expression.span[0])
        if argument.type is not None and coerces(argument.type, variable.type) is None:
            raise ScriptError(
                f"Variable {name} cannot be passed as output argument {argument.name}, for argument type "
                f"{argument.type} cannot be coerced to variable type {variable.type} when procedure exits",
                at=at,
            )
        return variable

    def _run_body(self, node: nodes.Call, routine: Routine, frame: Frame) -> None:
        body = parse_script(routine.body, tuple(argument.name for argument in routine.arguments))
        with self._inside(node, routine.body, _dotted(routine.path), frame, {}):
            try:
                self._all(body.statements)
            except Leave as leave:
                if leave.kind != "RETURN":
                    raise

    @contextmanager
    def _inside(self, node: Node, text: str, procedure: str, frame: Frame, parameters: Parameters) -> Iterator[None]:
        """In a text of its own, that the statement leads to."""
        saved = self.frame, self.text, self.procedure, self.parameters
        self.calls.append((*self._place(node.span[0]), self.procedure))
        self.frame, self.text, self.procedure, self.parameters = frame, text, procedure, parameters
        try:
            yield
        finally:
            self.frame, self.text, self.procedure, self.parameters = saved
            self.calls.pop()

    def _execute_immediate(self, node: nodes.ExecuteImmediate) -> None:
        into = [self._variable(name, place) for name, place in zip(node.into, node.places, strict=True)]
        text = self._value(node.sql, STRING)[1]
        at = self._place(node.sql.span[0])
        if text is None:
            raise ScriptError("EXECUTE IMMEDIATE sql string cannot be NULL", at=at)
        for position, place in enumerate(node.places):
            if any(into[position] is known for known in into[:position]):
                message = "EXECUTE IMMEDIATE with INTO clause cannot assign to the same variable multiple times"
                raise ScriptError(message, at=self._place(place))
        statement = self._dynamic(text, at)
        last, self.last = self.last, None
        # Dynamic SQL sees no variables of the script: its values come by USING.
        with self._inside(node, text, "", Frame(), self._using(node)):
            self._one(statement)
        if into:
            self._into(into, node, self.last)
        if into or self.last is None:
            self.last = last

    def _using(self, node: nodes.ExecuteImmediate) -> Parameters:
        found: dict[str | int, tuple[Type, Any]] = {}
        for position, using in enumerate(node.using):
            if (using.name is None) != (node.using[0].name is None):
                raise ScriptError("EXECUTE IMMEDIATE USING parameters must be all positional or all named.")
            key = position if using.name is None else using.name.lower()
            if key in found:
                raise ScriptError(
                    f"EXECUTE IMMEDIATE USING parameters must have unique names, found duplicate name: {using.name}"
                )
            found[key] = self._value(using.value)
        return found

    def _dynamic(self, text: str, at: tuple[int, int]) -> Node:
        """The one statement of dynamic SQL; `at` is the place of the expression that made it."""
        try:
            found = parse_script(text).statements
        except EngineError as error:
            raise ScriptError(f"Invalid EXECUTE IMMEDIATE sql string `{text}`, {error.message}", at=at) from error
        if not found:
            raise ScriptError("Empty EXECUTE IMMEDIATE sql string cannot be executed", at=at)
        if len(found) > 1:
            raise ScriptError("EXECUTE IMMEDIATE sql string must contain exactly one statement", at=at)
        if not isinstance(found[0], nodes.Sql | nodes.CreateProcedure | nodes.Assert):
            kind = GOOGLES_NAMES.get(type(found[0]), f"{type(found[0]).__name__}Statement")
            raise ScriptError(f"SQL created by EXECUTE IMMEDIATE contains unsupported statement type: {kind}", at=at)
        return found[0]

    def _into(self, into: Sequence[Variable], node: nodes.ExecuteImmediate, outcome: Outcome | None) -> None:
        if outcome is None or outcome.kind != "SELECT":
            raise ScriptError("EXECUTE IMMEDIATE with INTO clause must use a query statement")
        if len(outcome.fields) != len(into):
            raise ScriptError(
                "Variables returned by Dynamic SQL do not match number of variables in INTO clause, "
                f"expected {len(into)} columns, but got {len(outcome.fields)}"
            )
        if len(outcome.rows) > 1:
            raise ScriptError("DynamicSQL may only return 0 or 1 rows with INTO clause")
        row = outcome.rows[0] if outcome.rows else (None,) * len(into)
        for variable, name, field, value in zip(into, node.into, outcome.fields, row, strict=True):
            if coerces(field.type, variable.type) is None:
                raise ScriptError(
                    f"Value returned by Dynamic SQL has type {field.type} which is not assignable to variable {name} "
                    f"of type {variable.type}"
                )
            self._assign(variable, field.type, value)


def _check_alone(script: nodes.Script, statement: Node, session: Session) -> None:
    """What lives as long as a script or session needs one; raises InvalidQuery."""
    if session.outlives_jobs or not isinstance(statement, nodes.Sql):
        return
    if is_temporary_function(script, statement):
        raise InvalidQuery("CREATE TEMPORARY FUNCTION statements must be followed by an actual query.")
    if TEMPORARY_TABLE.match(script.slice(statement)) is not None:
        raise InvalidQuery("Use of CREATE TEMPORARY TABLE requires a script or session")


def is_temporary_function(script: nodes.Script, statement: Node) -> bool:
    return isinstance(statement, nodes.Sql) and TEMPORARY_FUNCTION.match(script.slice(statement)) is not None


def is_time_zone(name: str | None) -> bool:
    if name is None or OFFSET.fullmatch(name):
        return name is not None
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


def _dotted(path: TablePath) -> str:
    return f"{path.project}.{path.dataset}.{path.name}"
