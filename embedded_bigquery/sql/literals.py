"""Literals, parameters and system variables."""

from __future__ import annotations

from decimal import Decimal

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.expressions import Expressions, Handler
from embedded_bigquery.sql.functions.conversion import cast
from embedded_bigquery.sql.functions.date_parts import interval
from embedded_bigquery.sql.functions.duckdb_text import literal
from embedded_bigquery.sql.functions.intervals import literal_interval
from embedded_bigquery.sql.scope import Lowered, Scope, follow
from embedded_bigquery.types import BOOL, BYTES, FLOAT64, INT64, INTERVAL, JSON, STRING


def _number(lower: Expressions, node: nodes.Number, scope: Scope) -> Lowered:
    text = node.text
    digits = text.lstrip("-")
    if digits.isdigit() or digits[:2] in ("0x", "0X"):
        value = int(text, 0 if "x" in text or "X" in text else 10)
        if not -(2**63) <= value < 2**63:
            raise InvalidQuery(f"Invalid integer literal: {text}", at=node.at)
        return Lowered(f"CAST({value} AS BIGINT)", INT64)
    if "e" in digits.lower():
        return Lowered(f"CAST('{text}' AS DOUBLE)", FLOAT64)
    if float(text) == 0 and text[0] == "-":
        return Lowered("CAST('-0' AS DOUBLE)", FLOAT64)  # a quoted zero keeps its sign
    return Lowered(f"CAST({Decimal(text):f} AS DOUBLE)", FLOAT64)


def _string(lower: Expressions, node: nodes.String, scope: Scope) -> Lowered:
    return Lowered(literal(node.value), STRING)


def _bytes(lower: Expressions, node: nodes.Bytes, scope: Scope) -> Lowered:
    return Lowered("CAST('" + "".join(f"\\x{byte:02X}" for byte in node.value) + "' AS BLOB)", BYTES)


def _typed(lower: Expressions, node: nodes.TypedLiteral, scope: Scope) -> Lowered:
    text = nodes.String(node.at, node.value)
    if node.type == JSON:
        return lower.function_call(nodes.Call(node.at, ("PARSE_JSON",), [text]), scope)
    return Lowered(cast(literal(node.value), STRING, node.type), node.type)


def _interval(lower: Expressions, node: nodes.Interval, scope: Scope) -> Lowered:
    if isinstance(node.value, nodes.String):
        return Lowered(literal_interval(node.value.value, node.part, node.last_part or node.part), INTERVAL)
    if node.last_part:
        raise InvalidQuery("INTERVAL of a range of parts needs a string literal", at=node.at)
    return Lowered(interval(lower.coerced(node.value, scope, INT64), node.part), INTERVAL)


def _system_variable(lower: Expressions, node: nodes.SystemVariable, scope: Scope) -> Lowered:
    """@@error.message is one variable, and what follows a variable's name are fields of its value."""
    for length in range(len(node.parts), 0, -1):
        name = ".".join(node.parts[:length]).lower()
        kind = scope.statement.environment.system_variable(name)
        if kind is not None:
            return follow(scope.statement.bind("SYSTEM", name, kind), node.parts[length:], node.at)
    raise InvalidQuery(f"Unrecognized name: @@{'.'.join(node.parts)}", at=node.at)


def _parameter(lower: Expressions, node: nodes.Parameter, scope: Scope) -> Lowered:
    kind = scope.statement.environment.parameter(node.name)
    if kind is None:
        shown = f"'{node.name}'" if isinstance(node.name, str) else f"number {node.name + 1}"
        raise InvalidQuery(f"Query parameter {shown} not found", at=node.at)
    return scope.statement.bind("PARAMETER", node.name, kind)


HANDLERS: dict[type[nodes.Node], Handler] = {
    nodes.Number: _number,
    nodes.String: _string,
    nodes.Bytes: _bytes,
    nodes.Null: lambda lower, node, scope: Lowered("NULL"),
    nodes.Boolean: lambda lower, node, scope: Lowered("TRUE" if node.value else "FALSE", BOOL),
    nodes.TypedLiteral: _typed,
    nodes.Interval: _interval,
    nodes.Parameter: _parameter,
    nodes.SystemVariable: _system_variable,
}
