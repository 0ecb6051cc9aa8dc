"""Elements of arrays, fields of structs and JSON, EXTRACT."""

from __future__ import annotations

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.expressions import Expressions, Handler, keyword_text
from embedded_bigquery.sql.functions.conversion import cast
from embedded_bigquery.sql.functions.duckdb_text import fail, is_short, let
from embedded_bigquery.sql.functions.registry import lookup
from embedded_bigquery.sql.scope import Lowered, Scope, follow
from embedded_bigquery.types import INT64, JSON, STRING, Type


def _subscript(lower: Expressions, node: nodes.Subscript, scope: Scope) -> Lowered:
    value = lower.expression(node.base, scope)
    if value.type == JSON:
        return _json_element(lower, node, value, scope)
    if value.type is not None and value.type.is_struct:
        return _struct_element(node, value)
    shown = f"[{node.mode}(INT64)]" if node.mode else "[INT64]"
    if value.type is not None and not value.type.is_array:
        message = f"Subscript access using {shown} is not supported on values of type {value.type}"
        raise InvalidQuery(message, at=node.at)
    index = lower.expression(node.index, scope)
    if index.type not in (INT64, None):
        raise InvalidQuery(
            f"Array position in [] must be coercible to INT64 type, but has type {index.type}", at=node.at
        )
    kind = value.type.element if value.type else None
    position = index.sql if node.mode.endswith("ORDINAL") else f"{index.sql} + 1"

    def found(name: str) -> str:
        if node.mode.startswith("SAFE_"):
            return f"CASE WHEN {position} > 0 THEN ({name})[{position}] END"
        message = fail(f"'Array index ' || CAST({index.sql} AS VARCHAR) || ' is out of bounds'")
        outside = f"{position} NOT BETWEEN 1 AND len({name})"
        return f"CASE WHEN {outside} THEN {message} ELSE ({name})[{position}] END"

    # DuckDB takes no subquery inside a lambda.
    is_plain = is_short(value.sql) or "SELECT " in index.sql
    return Lowered(found(value.sql) if is_plain else let(value.sql, found("v_")), kind)


def _json_element(lower: Expressions, node: nodes.Subscript, value: Lowered, scope: Scope) -> Lowered:
    key = lower.expression(node.index, scope)
    if key.type is None:
        return Lowered("CAST(NULL AS JSON)", JSON)
    if key.type not in (INT64, STRING):
        raise InvalidQuery(f"Subscript access using [{key.type}] is not supported on values of type JSON", at=node.at)
    native = "bq_json_item" if key.type == INT64 else "bq_json_field"
    return Lowered(f"CAST({native}({value.sql}, {key.sql}) AS JSON)", JSON)


def _struct_element(node: nodes.Subscript, value: Lowered) -> Lowered:
    assert value.type is not None
    is_ordinal = node.mode == "ORDINAL"
    if not isinstance(node.index, nodes.Number):
        raise InvalidQuery("Subscript access on a STRUCT needs a literal position", at=node.at)
    position = int(node.index.text) - is_ordinal
    stored = list(value.type.storage_fields())
    if not 0 <= position < len(stored):
        raise InvalidQuery(f"Field ordinal {node.index.text} is out of bounds in {value.type}", at=node.at)
    name, field = stored[position]
    return Lowered(f'({value.sql})."{name}"', field.type, field.name)


def _field_of(lower: Expressions, node: nodes.FieldOf, scope: Scope) -> Lowered:
    return follow(lower.expression(node.base, scope), [node.name], node.at)


def _extract(lower: Expressions, node: nodes.Extract, scope: Scope) -> Lowered:
    function = lookup("EXTRACT")
    assert function is not None
    part = keyword_text(node.part).upper()
    if part in ("DATE", "TIME", "DATETIME"):
        target = Type(part)
        inner = lower.expression(node.value, scope)
        at = lower.coerced(node.zone, scope, STRING) if node.zone is not None else None
        return Lowered(cast(inner.sql, inner.type, target, zone=at), target)
    zone = [node.zone] if node.zone is not None else []
    return lower.call(function, [node.part, node.value, *zone], scope, node)


HANDLERS: dict[type[nodes.Node], Handler] = {
    nodes.Subscript: _subscript,
    nodes.FieldOf: _field_of,
    nodes.Extract: _extract,
}
