"""CASE, BETWEEN, IN, LIKE ANY, IS, EXISTS and subqueries in place of values."""

from __future__ import annotations

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.constructors import common_type
from embedded_bigquery.sql.expressions import LITERALS, Expressions, Handler
from embedded_bigquery.sql.functions.constants import constant
from embedded_bigquery.sql.functions.duckdb_text import is_short, let
from embedded_bigquery.sql.functions.registry import converted, supertype
from embedded_bigquery.sql.operators import BINARY
from embedded_bigquery.sql.scope import Lowered, Scope
from embedded_bigquery.types import BOOL, STRING, Type, array_of


def _case(lower: Expressions, node: nodes.Case, scope: Scope) -> Lowered:
    written = [value for _, value in node.branches] + ([] if node.default is None else [node.default])
    results = [lower.expression(value, scope) for value in written]
    kind = common_type(results, written)
    known = [str(result.type) for result in results if result.type is not None]
    if kind is None and known:
        raise InvalidQuery(
            f"No matching signature for operator CASE for argument types: {', '.join(known)}", at=node.at
        )
    values = [converted(result.sql, result.type, kind) if kind else result.sql for result in results]
    text = "CASE"
    for (condition, _), value in zip(node.branches, values, strict=False):
        if node.subject is not None:
            test = lower.compared("=", node.subject, condition, scope, node)
        else:
            test = lower.boolean(condition, scope, "CASE WHEN")
        text += f" WHEN {test} THEN {value}"
    if node.default is not None:
        text += f" ELSE {values[-1]}"
    return Lowered(f"{text} END", kind)


def _between(lower: Expressions, node: nodes.Between, scope: Scope) -> Lowered:
    low = lower.compared(">=", node.value, node.low, scope, node)
    high = lower.compared("<=", node.value, node.high, scope, node)
    return Lowered(f"({low} AND {high})", BOOL)


def _is(lower: Expressions, node: nodes.Is, scope: Scope) -> Lowered:
    if node.what == "NULL":
        return Lowered(f"({lower.expression(node.value, scope).sql} IS NULL)", BOOL)
    word = "NULL" if node.what == "UNKNOWN" else node.what
    return Lowered(f"({lower.boolean(node.value, scope, f'Operand of IS {node.what}')} IS {word})", BOOL)


def _in(lower: Expressions, node: nodes.In, scope: Scope) -> Lowered:
    value = lower.expression(node.value, scope)
    if node.array is not None:
        items = lower.expression(node.array, scope)
        if items.type is not None and not items.type.is_array:
            raise InvalidQuery(f"Second argument of IN UNNEST must be an array but was {items.type}", at=node.at)
        kind = _common(value.type, items.type.element if items.type else None, node)
        left = converted(value.sql, value.type, kind) if kind else value.sql
        right = converted(items.sql, items.type, array_of(kind)) if kind else items.sql
        return Lowered(_in_array(left, right), BOOL)
    if node.query is not None:
        sql, columns = lower.query(node.query, scope)
        if len(columns) != 1:
            raise InvalidQuery("Subquery of type IN must have only one output column", at=node.at)
        kind = _common(value.type, columns[0].type, node)
        left = converted(value.sql, value.type, kind) if kind else value.sql
        inner = converted("v", columns[0].type, kind) if kind else "v"
        return Lowered(f"({left} IN (SELECT {inner} FROM ({sql}) AS _q(v)))", BOOL)
    plain = _plain_list(lower, node, value, scope)
    if plain is not None:
        return plain
    tests = [lower.compared("=", node.value, item, scope, node) for item in node.items]
    return Lowered(f"({' OR '.join(tests)})", BOOL)


def _in_array(value: str, array: str) -> str:
    """value IN UNNEST(array): FALSE over no elements, unknown over NULLs."""
    if '".' not in array:
        return f"({value} IN (SELECT unnest({array})))"  # one array for all rows: hashed once
    if not is_short(value) or not is_short(array):
        return let(f"struct_pack(v := {value}, l := {array})", _in_array("v_.v", 'v_."l"'))
    some = f"len({array}) > 0"
    unknown = f"{value} IS NULL OR len({array}) > list_count({array})"
    found = f"list_contains({array}, {value})"
    return f"CASE WHEN {found} THEN TRUE WHEN {some} AND ({unknown}) THEN NULL ELSE FALSE END"


def _plain_list(lower: Expressions, node: nodes.In, value: Lowered, scope: Scope) -> Lowered | None:
    """value IN (1, 2, 3) as DuckDB has it, when all are literals of the value's own simple type."""
    kind = value.type
    if kind is None or kind.kind not in ("INT64", "STRING", "DATE", "BOOL", "TIMESTAMP", "DATETIME"):
        return None
    if not all(isinstance(item, LITERALS) for item in node.items):
        return None
    items = [lower.expression(item, scope) for item in node.items]
    if not all(item.type in (kind, None) for item in items):
        constants = [item.sql if item.type in (kind, None) else constant(item.sql, kind) for item in items]
        if None in constants or any(item.type not in (kind, STRING, None) for item in items):
            return None
        items = [Lowered(sql or "NULL", kind) for sql in constants]
    return Lowered(f"({value.sql} IN ({', '.join(item.sql for item in items)}))", BOOL)


def _common(left: Type | None, right: Type | None, node: nodes.Node) -> Type | None:
    kind = supertype([left, right])
    if kind is None and left is not None and right is not None:
        raise InvalidQuery(
            f"No matching signature for operator IN for argument types {left} and {{{right}}}", at=node.at
        )
    return kind


def _like(lower: Expressions, node: nodes.Like, scope: Scope) -> Lowered:
    """value LIKE ANY (…): one LIKE for each pattern."""
    value = lower.expression(node.value, scope)
    if node.query is None and node.array is None:
        tests = [lower.call(BINARY["LIKE"], [node.value, item], scope, node).sql for item in node.items]
        return Lowered(f"({(' AND ' if node.every else ' OR ').join(tests)})", BOOL)
    if node.query is not None:
        sql, columns = lower.query(node.query, scope)
        if len(columns) != 1:
            raise InvalidQuery("Subquery of type LIKE must have only one output column", at=node.at)
        kind = columns[0].type
    else:
        assert node.array is not None
        items = lower.expression(node.array, scope)
        kind = items.type.element if items.type else None
        sql = f"SELECT unnest({items.sql})"
    found = lower.bound(BINARY["LIKE"], [value, Lowered("v", kind)], [node.value, node.value], node)
    # Of no patterns at all, ANY is false and ALL is true.
    combine, default = ("bool_and", "TRUE") if node.every else ("bool_or", "FALSE")
    return Lowered(f"(SELECT {_three_valued(combine, found.sql, default)} FROM ({sql}) AS _q(v))", BOOL)


def _three_valued(combine: str, test: str, default: str) -> str:
    """bool_or that is NULL, not FALSE, when some tests are unknown; bool_and likewise."""
    decided = "TRUE" if combine == "bool_or" else "FALSE"
    return (
        f"CASE WHEN {combine}({test}) = {decided} THEN {decided} "
        f"WHEN count(*) > count({test}) THEN NULL ELSE {default} END"
    )


def _scalar(lower: Expressions, node: nodes.Scalar, scope: Scope) -> Lowered:
    sql, columns = lower.query(node.query, scope)
    if len(columns) != 1:
        raise InvalidQuery(
            "Scalar subquery cannot have more than one column unless using SELECT AS STRUCT to build STRUCT values",
            at=node.at,
        )
    return Lowered(f"({sql})", columns[0].type, columns[0].name)


def _exists(lower: Expressions, node: nodes.Exists, scope: Scope) -> Lowered:
    return Lowered(f"EXISTS ({lower.query(node.query, scope)[0]})", BOOL)


HANDLERS: dict[type[nodes.Node], Handler] = {
    nodes.Case: _case,
    nodes.Between: _between,
    nodes.Is: _is,
    nodes.In: _in,
    nodes.Like: _like,
    nodes.Scalar: _scalar,
    nodes.Exists: _exists,
}
