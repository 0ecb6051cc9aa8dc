"""What `strict_mode` checks when a procedure is made: that the body's names exist and its types fit.

As on BigQuery the check is not exhaustive: dynamic SQL, and tables that the body itself makes, are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from embedded_bigquery.errors import EngineError, InvalidQuery, NotFound, NotSupported
from embedded_bigquery.script import nodes
from embedded_bigquery.script.names import Names
from embedded_bigquery.script.nodes import Node
from embedded_bigquery.script.parser import parse_script
from embedded_bigquery.script.scope import Frame, Variable
from embedded_bigquery.script.session import Session
from embedded_bigquery.script.syntax import QUERIES, WRITES
from embedded_bigquery.sql.columns import parse_type_text
from embedded_bigquery.sql.ddl import parse_definition
from embedded_bigquery.sql.definitions import Create
from embedded_bigquery.sql.environment import Relation, RoutineArgument, TablePath, Translated
from embedded_bigquery.sql.tokens import Tokens, moved
from embedded_bigquery.sql.translate import translate, translate_expression
from embedded_bigquery.types import BOOL, INT64, STRING, Field, Type


class _Made(EngineError):
    """The statement names a table that the body makes: nobody knows its columns yet."""


class _BodyNames(Names):
    """The session's names, and those of the tables that the body has made so far (None: columns unknown)."""

    made: dict[str, Relation | None]

    def relation(self, parts: tuple[str, ...]) -> Relation | None:
        key = ".".join(parts).lower()
        if key in self.made:
            found = self.made[key]
            if found is None:
                raise _Made(key)
            return found
        return super().relation(parts)


def check_body(body: str, arguments: Sequence[RoutineArgument], session: Session) -> None:
    """Raises InvalidQuery or NotFound with the place in the body."""
    frame = Frame()
    for argument in arguments:
        frame.declare(argument.name, Variable(argument.type or INT64))
    Checker(body, session, frame).all(parse_script(body, tuple(frame.variables)).statements)


class Checker:
    """Statements in a scope of their own, each with the names and types that it needs; nothing runs."""

    def __init__(self, text: str, session: Session, frame: Frame) -> None:
        self.text, self.session, self.frame = text, session, frame
        self.made: dict[str, Relation | None] = {}

    def all(self, statements: Sequence[Node]) -> None:
        for statement in statements:
            try:
                self._one(statement)
            except (_Made, NotSupported):
                continue
            except EngineError as error:
                error.at = error.at or self._place(statement.span[0])
                raise

    def _place(self, offset: int) -> tuple[int, int]:
        return moved((1, 1), self.text, offset)

    def names(self) -> Names:
        names = _BodyNames(self.session, self.frame, {}, {})
        names.made = self.made
        return names

    def _one(self, node: Node) -> None:
        if isinstance(node, nodes.Sql):
            self._sql(node)
        elif isinstance(node, nodes.Declare):
            self._declare(node)
        elif isinstance(node, nodes.Set):
            self._set(node)
        elif isinstance(node, nodes.Assert):
            self._value(node.condition, BOOL)
        elif isinstance(node, nodes.Call):
            self._call(node)
        elif isinstance(node, nodes.If):
            for branch in node.branches:
                self._value(branch.condition, BOOL)
            self._bodies(*(branch.body for branch in node.branches), node.otherwise or ())
        elif isinstance(node, nodes.Case):
            self._bodies(*(branch.body for branch in node.branches), node.otherwise or ())
        elif isinstance(node, nodes.Block):
            self._nested(node.body)
            self._nested(node.handler or ())
        elif isinstance(node, nodes.Loop):
            self.all(node.body)
        elif isinstance(node, nodes.While):
            self._value(node.condition, BOOL)
            self.all(node.body)
        elif isinstance(node, nodes.Repeat):
            self.all(node.body)
            self._value(node.until.condition, BOOL)
        elif isinstance(node, nodes.For):
            self._for(node)

    def _bodies(self, *bodies: Sequence[Node]) -> None:
        for body in bodies:
            self.all(body)

    def _nested(self, statements: Sequence[Node], frame: Frame | None = None) -> None:
        outer = self.frame
        self.frame = frame or Frame(outer)
        self.all(statements)
        self.frame = outer

    # ---- statements

    def _slice(self, node: Node) -> str:
        return self.text[node.span[0] : node.span[1]]

    def _translated(self, text: str, offset: int) -> Translated:
        try:
            return translate(text, self.names())
        except EngineError as error:
            error.at = error.at and moved(error.at, self.text, offset)
            raise

    def _value(self, node: nodes.Expression, target: Type | None = None) -> Type:
        try:
            return translate_expression(self._slice(node), self.names(), target).fields[0].type
        except EngineError as error:
            if error.at is not None:
                error.at = moved(error.at, self.text, node.span[0])
            raise

    def _sql(self, node: nodes.Sql) -> None:
        text = self._slice(node)
        word = Tokens(text).word()
        if word in QUERIES + WRITES:
            self._translated(text, node.span[0])
        elif word == "CREATE":
            self._create(text, node)

    def _create(self, text: str, node: nodes.Sql) -> None:
        made = parse_definition(text, lambda expression: None)
        if not isinstance(made, Create) or made.kind not in ("TABLE", "VIEW"):
            return
        key = ".".join(made.path).lower()
        fields: tuple[Field, ...] | None = made.columns
        if made.query is not None:
            try:
                fields = self._translated(made.query, node.span[0] + text.index(made.query)).fields
            except _Made:
                fields = None
        path = TablePath(self.session.catalog.project, "_SESSION", made.path[-1])
        self.made[key] = None if fields is None else Relation(path, fields, "")

    def _declare(self, node: nodes.Declare) -> None:
        if node.type is not None:
            kind = parse_type_text(self.text[node.type[0] : node.type[1]]).type
            if node.default is not None:
                self._value(node.default, kind)
        else:
            assert node.default is not None
            kind = self._value(node.default)
        for name in node.names:
            self.frame.declare(name, Variable(kind))

    def _set(self, node: nodes.Set) -> None:
        for name in node.targets:
            if not name.startswith("@@") and self.frame.find(name) is None:
                raise InvalidQuery(f"Undeclared variable: {name}")
        if not node.is_tuple:
            variable = self.frame.find(node.targets[0])
            self._value(node.value, STRING if variable is None else variable.type)

    def _call(self, node: nodes.Call) -> None:
        routine = self.session.routine(node.path)
        if routine is None or routine.kind != "PROCEDURE":
            raise NotFound(f"Procedure not found: {'.'.join(node.path)}")
        if len(routine.arguments) != len(node.arguments):
            raise InvalidQuery(
                f"Procedure {'.'.join(node.path)} takes {len(routine.arguments)} arguments, "
                f"but {len(node.arguments)} were given"
            )
        for expression, argument in zip(node.arguments, routine.arguments, strict=True):
            if argument.mode == "IN":
                self._value(expression, argument.type)
            elif self.frame.find(self._slice(expression).strip().strip("`")) is None:
                raise InvalidQuery(f"Argument {argument.name} is {argument.mode}, so a variable must be given for it")

    def _for(self, node: nodes.For) -> None:
        frame = Frame(self.frame)
        fields = self._translated(self._slice(node.query), node.query.span[0]).fields
        frame.declare(node.variable, Variable(Type("STRUCT", fields=fields)))
        self._nested(node.body, frame)
