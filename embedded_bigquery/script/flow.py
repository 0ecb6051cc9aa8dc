"""What decides which statement runs next: blocks, branches, loops, errors and their handlers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from embedded_bigquery.errors import EngineError, InvalidQuery, Stopped
from embedded_bigquery.script import nodes
from embedded_bigquery.script.executor import evaluate, query
from embedded_bigquery.script.names import Names, Parameters
from embedded_bigquery.script.nodes import Node
from embedded_bigquery.script.outcome import Child, Outcome
from embedded_bigquery.script.scope import Frame, Variable
from embedded_bigquery.script.session import Session
from embedded_bigquery.sql.tokens import moved
from embedded_bigquery.types import BOOL, INT64, STRING, Type

OnChild = Callable[[Child], None]


class Leave(Exception):
    """BREAK, CONTINUE and RETURN on their way to the loop, block or procedure that they leave."""

    def __init__(self, kind: str, label: str | None = None) -> None:
        super().__init__(kind)
        self.kind, self.label = kind, label

    def means(self, label: str | None) -> bool:
        return self.label is None or (label is not None and self.label.lower() == label.lower())


Place = tuple[int, int, str]  # line, column, and the procedure, "" outside of one


class ScriptError(InvalidQuery):
    """An error of the script itself, where others are of the SQL in it and say so: "Query error: …"."""


class Raised(InvalidQuery):
    """What a handler, or the caller, learns of a failed statement."""

    def __init__(self, cause: EngineError, text: str, stack: tuple[Place, ...]) -> None:
        """`stack` holds the places of the statement and of the CALLs that led to it."""
        line, column, procedure = (*cause.at, stack[0][2]) if cause.at else stack[0]
        place = f"{procedure}:{line}:{column}" if procedure else f"{line}:{column}"
        prefix = "" if isinstance(cause, ScriptError) else "Query error: "
        super().__init__(f"{prefix}{cause.bare_message} at [{place}]")
        self.cause, self.text, self.stack = cause, text, stack


class Flow:
    """The state of a running script; subclasses add the statements that do the work to `handlers`."""

    def __init__(self, session: Session, parameters: Parameters, on_child: OnChild, system: dict[str, Any]) -> None:
        self.session, self.parameters, self.on_child, self.system = session, parameters, on_child, system
        self.frame = session.variables if session.outlives_jobs else Frame()
        self.text = ""
        self.procedure = ""  # "project.dataset.name" while one runs
        self.calls: list[Place] = []  # of the CALLs that led here
        self.errors: list[Raised] = []  # of the handlers around
        self.last: Outcome | None = None
        self.bytes_processed = self.bytes_billed = 0
        self.handlers: dict[type[Node], Callable[[Any], None]] = {
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
        }

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

    def _raised(self, error: EngineError, node: Node) -> Raised:
        return Raised(error, self._shown(node), ((*self._place(node.span[0]), self.procedure), *reversed(self.calls)))

    def _shown(self, node: Node) -> str:
        """The statement as @@error.statement_text has it: without the statements inside it."""
        head = {nodes.If: "branches", nodes.While: "condition", nodes.For: "query"}.get(type(node))
        if head is None:
            return self._slice(node)
        last = node.branches[0].condition if isinstance(node, nodes.If) else getattr(node, head)
        return f"{self.text[node.span[0] : last.span[1]]}..."

    def _place(self, offset: int) -> tuple[int, int]:
        return moved((1, 1), self.text, offset)

    def _absolute(self, at: tuple[int, int] | None, offset: int) -> tuple[int, int] | None:
        """A place inside a part of the text as a place in the text."""
        return None if at is None else moved(at, self.text, offset)

    def _slice(self, node: Node) -> str:
        return self.text[node.span[0] : node.span[1]]

    def _names(self, parameters: Parameters | None = None) -> Names:
        return Names(self.session, self.frame, self.parameters if parameters is None else parameters, self.system)

    def _value(self, node: nodes.Expression, target: Type | None = None) -> tuple[Type, Any]:
        try:
            return evaluate(self.session, self._slice(node), self._names(), target)
        except EngineError as error:
            if error.at is not None:
                error.at = self._absolute(error.at, node.span[0])
            raise

    def _true(self, node: nodes.Expression) -> bool:
        return bool(self._value(node, BOOL)[1])

    def _told(self, node: Node, started: int, outcome: Outcome | None, error: EngineError | None) -> None:
        line, column = self._place(node.span[0])
        ended = time.time_ns() // 1_000_000
        procedure, transaction = self.procedure or None, self.session.take_transaction_id()
        text = self._slice(node)
        self.on_child(Child(outcome, error, text, line, column, procedure, started, ended, transaction))

    # ---- branches and loops

    def _nested(self, statements: Sequence[Node]) -> None:
        outer = self.frame
        self.frame = Frame(outer)
        try:
            self._all(statements)
        finally:
            self.frame = outer

    def _condition(self, condition: nodes.Expression, clause: Node) -> bool:
        """An error has the place of the clause: GoogleSQL runs each as a step of its own."""
        try:
            return self._true(condition)
        except Stopped:
            raise
        except EngineError as error:
            raise self._raised(error, clause) from error

    def _if(self, node: nodes.If) -> None:
        self._branches((node, *node.branches[1:]), node.branches, node.otherwise)

    def _branches(
        self, clauses: Sequence[Node], branches: Sequence[nodes.Branch], otherwise: Sequence[Node] | None
    ) -> None:
        for clause, branch in zip(clauses, branches, strict=True):
            if self._condition(branch.condition, clause):
                self._all(branch.body)
                return
        self._all(otherwise or ())

    def _case(self, node: nodes.Case) -> None:
        if node.subject is None:
            self._branches(node.branches, node.branches, node.otherwise)
            return
        whens = " ".join(f"WHEN {self._slice(branch.condition)} THEN {n}" for n, branch in enumerate(node.branches))
        text = f"CASE {self._slice(node.subject)} {whens} END"
        try:
            _, hit = evaluate(self.session, text, self._names(), INT64)
        except EngineError as error:
            error.at = None  # a place in no text that anybody has seen
            raise
        self._all((node.otherwise or ()) if hit is None else node.branches[hit].body)

    def _turn(self, body: Sequence[Node], label: str | None) -> bool:
        """One turn of a loop; False when it ends the loop."""
        try:
            self._all(body)
        except Leave as leave:
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
        while self._turn(node.body, node.label) and not self._condition(node.until.condition, node.until):
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
            raise Leave("RETURN")
        raise Leave("BREAK" if isinstance(node, nodes.Break) else "CONTINUE", node.label)

    # ---- blocks and errors

    def _block(self, node: nodes.Block) -> None:
        try:
            self._guarded(node)
        except Leave as leave:
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
        shown: dict[str, Any] = dict.fromkeys(("message", "statement_text", "formatted_stack_trace", "stack_trace"))
        if self.errors:
            error = self.errors[-1]
            shown = {
                "message": error.cause.bare_message,
                "statement_text": error.text,
                "formatted_stack_trace": "".join(f"At {name}[{line}:{column}]\n" for line, column, name in error.stack),
                "stack_trace": [(line, column, None, name or None) for line, column, name in error.stack],
            }
        self.system |= {f"error.{name}": value for name, value in shown.items()}

    def _raise(self, node: nodes.Raise) -> None:
        if node.message is None:
            raise self.errors[-1]
        message = self._value(node.message, STRING)[1]
        raise ScriptError("NULL" if message is None else message)
