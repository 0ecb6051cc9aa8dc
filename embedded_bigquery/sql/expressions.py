"""A GoogleSQL expression -> DuckDB text and BigQuery's type, in one walk of the tree.

Here are names, operators and calls; what has a grammar of its own stands in literals, constructors, conditions,
access and windows, each a table from a kind of node to the function that lowers it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.functions.registry import Call, Function, converted, lookup
from embedded_bigquery.sql.functions.signatures import coerces
from embedded_bigquery.sql.operators import BINARY, OPERATORS, TAKES_NULL, UNARY
from embedded_bigquery.sql.scope import AGGREGATE, Column, Lowered, Scope, Statement, resolve
from embedded_bigquery.types import BOOL, INT64, Type, array_of

Columns = tuple[Column, ...]
Handler = Callable[["Expressions", Any, Scope], Lowered]
LITERALS = (nodes.Number, nodes.String, nodes.Parameter, nodes.Null)


class Expressions(ABC):
    """Lowers expressions; queries inside them and calls of routines are the subclass's."""

    handlers: ClassVar[dict[type[nodes.Node], Handler]] = {}
    statement: Statement

    @abstractmethod
    def query(self, node: nodes.Query, parent: Scope | None) -> tuple[str, Columns]:
        """DuckDB text and columns of a query that sees the names of `parent`."""

    @abstractmethod
    def routine_call(self, node: nodes.Call, scope: Scope, over: str) -> Lowered | None:
        """A call of a user's function, or None when there is none of that name."""

    @abstractmethod
    def window(self, node: nodes.Call, scope: Scope) -> str:
        """What stands inside the OVER ( ) of a call."""

    def expression(self, node: nodes.Node, scope: Scope) -> Lowered:
        block = scope.block
        if block is None or not block.keys:
            return self._lowered(node, scope)
        before = len(block.loose)
        value = self._lowered(node, scope)
        if len(block.loose) > before and value.sql in block.keys:
            del block.loose[before:]
        return value

    def _lowered(self, node: nodes.Node, scope: Scope) -> Lowered:
        kind = type(node)
        if kind is nodes.Path:
            return resolve(scope, node.parts, node.at)  # type: ignore[attr-defined]
        handler = self.handlers.get(kind)
        if handler is None:
            raise NotSupported(f"{kind.__name__} here", at=node.at)
        return handler(self, node, scope)

    def boolean(self, node: nodes.Node, scope: Scope, clause: str) -> str:
        value = self.expression(node, scope)
        if value.type not in (BOOL, None):
            raise InvalidQuery(f"{clause} should return type BOOL, but returns {value.type}", at=node.at)
        return value.sql

    def coerced(self, node: nodes.Node, scope: Scope, target: Type) -> str:
        """The value as `target`, to which BigQuery must convert it by itself; raises InvalidQuery."""
        value = self.expression(node, scope)
        if value.type is not None and coerces(value.type, target, literal=isinstance(node, LITERALS)) is None:
            raise InvalidQuery(f"Could not coerce a value of type {value.type} to type {target}", at=node.at)
        return converted(value.sql, value.type, target)

    # ---- operators and calls

    def operator(self, node: nodes.Binary | nodes.Unary, scope: Scope) -> Lowered:
        is_unary = isinstance(node, nodes.Unary)
        operands = [node.operand] if isinstance(node, nodes.Unary) else [node.left, node.right]
        if node.operator not in TAKES_NULL:
            for operand in operands:
                if isinstance(operand, nodes.Null):
                    raise InvalidQuery(f"Operands of {node.operator} cannot be literal NULL", at=operand.at)
        return self.call((UNARY if is_unary else BINARY)[node.operator], operands, scope, node)

    def compared(self, operator: str, left: nodes.Node, right: nodes.Node, scope: Scope, node: nodes.Node) -> str:
        return self.call(BINARY[operator], [left, right], scope, node).sql

    def call(
        self, function: Function, arguments: Sequence[nodes.Node], scope: Scope, node: nodes.Node, **extra: Any
    ) -> Lowered:
        keywords = function.keyword_positions
        named = {
            argument.name.lower(): self.expression(argument.value, scope)
            for argument in arguments
            if isinstance(argument, nodes.Named)
        }
        if named:
            extra["named"] = {name: (value.sql, value.type) for name, value in named.items()}
            arguments = [argument for argument in arguments if not isinstance(argument, nodes.Named)]
        lowered = [
            Lowered(keyword_text(argument))
            if position in keywords
            else Lowered("*")
            if isinstance(argument, nodes.Star)
            else self.expression(argument, scope)
            for position, argument in enumerate(arguments)
        ]
        try:
            return self.bound(function, lowered, arguments, node, **extra)
        except InvalidQuery:
            adapted = self._adapted(lowered, arguments, scope)
            if adapted is None:
                raise
            return self.bound(function, adapted, arguments, node, **extra)

    def _adapted(
        self, values: Sequence[Lowered], arguments: Sequence[nodes.Node], scope: Scope
    ) -> list[Lowered] | None:
        """The arguments with literals of arrays and structs as the type of another one; None where none fits."""
        is_literal = [isinstance(argument, nodes.Array | nodes.Struct) for argument in arguments]
        kinds = [value.type for value, literal in zip(values, is_literal, strict=True) if not literal]
        kind = next((kind for kind in kinds if kind is not None and (kind.is_array or kind.is_struct)), None)
        if kind is None or not any(is_literal):
            return None
        with suppress(InvalidQuery):
            return [
                self.typed(argument, scope, kind) if literal else value
                for value, argument, literal in zip(values, arguments, is_literal, strict=True)
            ]
        return None

    @abstractmethod
    def typed(self, node: nodes.Node, scope: Scope, target: Type) -> Lowered:
        """A value for something of that type: a literal of a struct or array takes the type over."""

    def bound(
        self,
        function: Function,
        values: Sequence[Lowered],
        arguments: Sequence[nodes.Node],
        node: nodes.Node,
        **extra: Any,
    ) -> Lowered:
        """A call whose arguments are lowered; raises InvalidQuery when no signature takes them."""
        sqls, types = tuple(value.sql for value in values), tuple(value.type for value in values)
        written = tuple(value.written or node for value, node in zip(values, arguments, strict=True))
        made = Call(function.name, sqls, types, written, **extra)
        try:
            call = function.bind(made)
            _check_literals(call)
            return Lowered(function.render(call), call.result)
        except InvalidQuery as error:
            if function.name in OPERATORS:
                error.bare_message = error.bare_message.replace("for function", "for operator", 1)
            if error.at is None:
                error.at = node.at
            raise

    def function_call(self, node: nodes.Call, scope: Scope) -> Lowered:
        """A call by name, with what stands inside its parentheses: DISTINCT, ORDER BY, LIMIT, IGNORE NULLS, HAVING."""
        name = ".".join(node.path).upper()
        function = lookup(f"SAFE.{name}" if node.safe else name)
        over = self._over(node, scope)
        if function is None:
            found = self.routine_call(node, scope, over)
            if found is None:
                raise InvalidQuery(f"Function not found: {'.'.join(node.path)}", at=node.at)
            return found
        is_analytic = function.is_aggregate or function.is_window
        if node.over is not None and not is_analytic:
            raise InvalidQuery(f"Function {name} does not support an OVER clause", at=node.at)
        over = (over or scope.over) if is_analytic else ""
        inner = self.aggregated(name, node, scope) if function.is_aggregate and not over else scope
        extra: dict[str, Any] = {"over": over, "nulls": node.nulls, "distinct": node.distinct}
        if node.having is not None:
            extra["having"] = (node.having[0], self.expression(node.having[1], inner).sql)
        if node.order:
            extra["order_by"] = self.order_by(node.order, inner)
        if node.limit is not None:
            extra["limit"] = self.expression(node.limit, inner).sql
        return self.call(function, node.arguments, inner, node, **extra)

    def _over(self, node: nodes.Call, scope: Scope) -> str:
        if node.over is None:
            return ""
        if scope.clause:
            if scope.clause == AGGREGATE:
                raise InvalidQuery("Analytic functions cannot be arguments to aggregate functions", at=node.at)
            raise InvalidQuery(f"Analytic function not allowed in {scope.clause}", at=node.at)
        return f" OVER ({self.window(node, scope)})"

    def aggregated(self, name: str, node: nodes.Node, scope: Scope) -> Scope:
        """What the arguments of an aggregate see; raises InvalidQuery where none may stand."""
        if scope.clause == AGGREGATE:
            raise InvalidQuery("Aggregations of aggregations are not allowed", at=node.at)
        if scope.clause:
            raise InvalidQuery(f"Aggregate function {name} not allowed in {scope.clause}", at=node.at)
        if scope.block is not None:
            scope.block.is_grouped = True
            scope.block.aggregates += 1
        return scope.variant(block=None, clause=AGGREGATE)

    def order_by(self, items: Sequence[nodes.Order], scope: Scope) -> str:
        return ", ".join(ordering(self.expression(item.value, scope), item) for item in items)


def _check_literals(call: Call) -> None:
    """Raises InvalidQuery for a STRING literal that is none of the type that it is taken for."""
    for kind, node in zip(call.parameters, call.nodes, strict=False):
        pattern = CHECKED.get(kind.kind) if kind is not None and isinstance(node, nodes.String) else None
        if pattern is not None and isinstance(node, nodes.String) and not pattern.fullmatch(node.value):
            raise InvalidQuery(f'Could not cast literal "{node.value}" to type {kind}', at=node.at)


# What begins a value of these types; all else is found when the statement runs.
CHECKED = {
    **dict.fromkeys(("DATE", "DATETIME", "TIMESTAMP"), re.compile(r"\s*\d{1,5}-\d{1,2}-\d{1,2}.*", re.DOTALL)),
    "TIME": re.compile(r"\s*\d{1,2}:\d{1,2}.*", re.DOTALL),
}


def is_empty_array(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Array) and not node.items and node.element is None


def settled(node: nodes.Node, value: Lowered) -> Lowered:
    """The value where nothing else decides its type: an empty array is one of INT64."""
    return Lowered("CAST([] AS BIGINT[])", array_of(INT64)) if is_empty_array(node) else value


def ordering(value: Lowered, item: nodes.Order) -> str:
    """One item of an ORDER BY: NULLs are the smallest, then NaN."""
    kind = value.type
    if kind is not None and (kind.is_struct or kind.is_array or kind.kind in ("JSON", "GEOGRAPHY")):
        raise InvalidQuery(f"ORDER BY does not support expressions of type {kind}", at=item.at)
    direction, nulls = "DESC" if item.descending else "ASC", "FIRST" if item.nulls_first else "LAST"
    text = f"{value.sql} {direction} NULLS {nulls}"
    if kind is not None and kind.kind == "FLOAT64":
        # DuckDB's NaN is the greatest number.
        first = "ASC" if item.descending else "DESC"
        return f"isnan({value.sql}) {first} NULLS {nulls}, {text}"
    return text


def keyword_text(node: nodes.Node) -> str:
    """DAY, WEEK(MONDAY) and other words among the arguments, as they were written."""
    if isinstance(node, nodes.Path):
        return ".".join(node.parts)
    if isinstance(node, nodes.Call) and len(node.arguments) == 1:
        return f"{'.'.join(node.path)}({keyword_text(node.arguments[0])})"
    if isinstance(node, nodes.String):
        return node.value
    raise InvalidQuery("A valid date part name is required", at=node.at)
