"""Arrays, structs, CAST and WITH expressions."""

from __future__ import annotations

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.assignments import fitted
from embedded_bigquery.sql.expressions import LITERALS, Expressions, Handler, settled
from embedded_bigquery.sql.functions.cast_formats import cast_by_format
from embedded_bigquery.sql.functions.conversion import cast
from embedded_bigquery.sql.functions.registry import converted, exact_literal, supertype
from embedded_bigquery.sql.functions.signatures import coerces
from embedded_bigquery.sql.scope import Lowered, Scope, value_name
from embedded_bigquery.types import BIGNUMERIC, INT64, NUMERIC, STRING, Field, Type, array_of, quoted


def typed(lower: Expressions, node: nodes.Node, scope: Scope, target: Type) -> Lowered:
    """A constructor's member as the type that the constructor names; literals of structs and arrays take it over."""
    if isinstance(node, nodes.Struct) and node.type is None and target.is_struct:
        return _struct(lower, nodes.Struct(node.at, node.items, target), scope)
    if isinstance(node, nodes.Array) and node.element is None and target.is_array:
        return _array(lower, nodes.Array(node.at, node.items, target.element), scope)
    value = lower.expression(node, scope)
    if value.type is not None and coerces(value.type, target, literal=isinstance(node, LITERALS)) is None:
        raise InvalidQuery(f"Type {value.type} does not coerce to {target}", at=node.at)
    return Lowered(converted(value.sql, value.type, target), target)


def _array(lower: Expressions, node: nodes.Array, scope: Scope) -> Lowered:
    if node.element is not None:
        items = ", ".join(typed(lower, item, scope, node.element).sql for item in node.items)
        return Lowered(f"CAST([{items}] AS {node.element.duckdb()}[])", array_of(node.element))
    if not node.items:
        return Lowered("[]")  # of any type: what it stands beside decides
    fields = _struct_fields(lower, node.items, scope)
    if fields is not None:
        return _array(lower, nodes.Array(node.at, node.items, Type("STRUCT", fields=fields)), scope)
    values = [lower.expression(item, scope) for item in node.items]
    element = common_type(values, node.items)
    known = [str(value.type) for value in values if value.type is not None]
    if element is None and known:
        shown = ", ".join(dict.fromkeys(known))
        raise InvalidQuery(f"Array elements of types {{{shown}}} do not have a common supertype", at=node.at)
    element = element or INT64
    if element.is_array:
        raise InvalidQuery(
            f"Cannot construct array with element type {element} because nested arrays are not supported", at=node.at
        )
    inner = ", ".join(converted(value.sql, value.type, element) for value in values)
    return Lowered(f"CAST([{inner}] AS {element.duckdb()}[])", array_of(element))


def _struct_fields(lower: Expressions, items: list[nodes.Node], scope: Scope) -> tuple[Field, ...] | None:
    """The fields of an array of struct literals, each of a type that all rows take; None when it is no such array."""
    rows = [item.items for item in items if isinstance(item, nodes.Struct) and item.type is None]
    if not rows or len(rows) != len(items) or len({len(row) for row in rows}) != 1:
        return None
    fields = []
    for column in zip(*rows, strict=True):
        written = [value for _, value in column]
        values = [lower.expression(value, scope) for value in written]
        kind = common_type(values, written)
        if kind is None and any(value.type is not None for value in values):
            return None
        fields.append(Field(column[0][0] or value_name(written[0], values[0]), kind or INT64))
    return tuple(fields)


def common_type(values: list[Lowered], written: list[nodes.Node]) -> Type | None:
    """The supertype of several values; literals take the type of the others where they can."""
    is_literal = [isinstance(node, LITERALS) for node in written]
    others = [value.type for value, literal in zip(values, is_literal, strict=True) if not literal]
    kind = supertype(others)
    if kind is not None:
        rest = [value.type for value, literal in zip(values, is_literal, strict=True) if literal]
        if all(given is None or coerces(given, kind, literal=True) is not None for given in rest):
            return kind
    return supertype([value.type for value in values])


def _array_query(lower: Expressions, node: nodes.ArrayQuery, scope: Scope) -> Lowered:
    sql, columns = lower.query(node.query, scope)
    if len(columns) != 1:
        raise InvalidQuery(
            "ARRAY subquery cannot have more than one column unless using SELECT AS STRUCT to build STRUCT values",
            at=node.at,
        )
    kind = columns[0].type
    if kind is not None and kind.is_array:
        raise InvalidQuery(
            f"Cannot use array subquery with column of type {kind} because nested arrays are not supported", at=node.at
        )
    found = f"coalesce((SELECT list(v) FROM ({sql}) AS _q(v)), [])"
    return Lowered(found, array_of(kind or INT64))


def _struct(lower: Expressions, node: nodes.Struct, scope: Scope) -> Lowered:
    if node.type is not None:
        return _typed_struct(lower, node, node.type, scope)
    fields, parts = [], []
    for name, item in node.items:
        value = settled(item, lower.expression(item, scope))
        fields.append(Field(name or value_name(item, value), value.type or INT64))
        parts.append(value.sql if value.type else f"CAST({value.sql} AS BIGINT)")
    return struct_of_parts(Type("STRUCT", fields=tuple(fields)), parts)


def _typed_struct(lower: Expressions, node: nodes.Struct, kind: Type, scope: Scope) -> Lowered:
    if len(node.items) != len(kind.fields):
        raise InvalidQuery(
            f"STRUCT type has {len(kind.fields)} fields but constructor call has {len(node.items)} fields", at=node.at
        )
    pairs = zip(node.items, kind.fields, strict=True)
    return struct_of_parts(kind, [typed(lower, item, scope, field.type).sql for (_, item), field in pairs])


def struct_of_parts(kind: Type, parts: list[str]) -> Lowered:
    """A STRUCT of that type from the text of its fields."""
    if not parts:
        raise NotSupported("STRUCT without fields")
    inner = ", ".join(f"{quoted(n)} := {p}" for (n, _), p in zip(kind.storage_fields(), parts, strict=True))
    return Lowered(f"struct_pack({inner})", kind)


def _cast(lower: Expressions, node: nodes.Cast, scope: Scope) -> Lowered:
    target = node.type
    value = lower.expression(node.value, scope)
    if isinstance(node.value, nodes.Number) and target in (NUMERIC, BIGNUMERIC):
        value = Lowered(exact_literal(node.value, target), target)
    zone = lower.coerced(node.zone, scope, STRING) if node.zone is not None else None
    if node.format is not None:
        form = lower.coerced(node.format, scope, STRING)
        return Lowered(cast_by_format(value.sql, value.type, target, form, safe=node.safe, zone=zone), target)
    if value.type is None:
        return Lowered(f"CAST({value.sql} AS {target.duckdb()})", target)
    try:
        sql = cast(value.sql, value.type, target, safe=node.safe, zone=zone)
    except InvalidQuery as error:
        raise InvalidQuery(error.bare_message, at=error.at or node.value.at) from error
    return Lowered(fitted(sql, target, node.sizes, safe=node.safe) if node.sizes else sql, target, value.name)


def _with(lower: Expressions, node: nodes.With, scope: Scope) -> Lowered:
    inner = scope
    for name, value in node.bindings:
        given = lower.expression(value, inner)
        inner = inner.variant(bindings={**inner.bindings, name.lower(): given})
    return lower.expression(node.body, inner)


HANDLERS: dict[type[nodes.Node], Handler] = {
    nodes.Array: _array,
    nodes.ArrayQuery: _array_query,
    nodes.Struct: _struct,
    nodes.Cast: _cast,
    nodes.With: _with,
}
