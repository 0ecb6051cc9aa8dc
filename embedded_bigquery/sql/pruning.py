"""Which partitions of a table the constant conditions of a query leave.

BigQuery prunes by a condition in which the partition column stands alone on one side, and constants, parameters and
variables on the other; a subquery never prunes.
Source: "Query partitioned tables", docs.cloud.google.com/bigquery/docs/querying-partitioned-tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace

from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.environment import Relation
from embedded_bigquery.sql.scope import Column, Scope, Source
from embedded_bigquery.types import quoted

COMPARISONS = ("=", "<", "<=", ">", ">=")
TRUNCATIONS = ("DATE", "DATE_TRUNC", "TIMESTAMP_TRUNC", "DATETIME_TRUNC")
PARTS = {"HOUR": "hour", "DAY": "day", "MONTH": "month", "YEAR": "year"}
Lower = Callable[[nodes.Node, Scope], str]


def partitions_left(condition: nodes.Node | None, source: Source, scope: Scope, lower: Lower) -> str | None:
    """A DuckDB condition over the table's own column names that the rows of all partitions left fulfil; None: all."""
    relation = source.relation
    if condition is None or relation is None or relation.partition_column is None:
        return None
    tests = [part for part in _conjuncts(condition) if _prunes(part, source, scope)]
    if not tests:
        return None
    bare = replace(
        source,
        relation=None,
        reference=None,
        columns=tuple(Column(column.name, column.type, quoted(column.name)) for column in source.columns),
        hidden=tuple(replace(column, sql=column.sql.split(".", 1)[-1]) for column in source.hidden[:1])
        + tuple(replace(column, sql=f'CAST("{source.hidden[0].name}" AS DATE)') for column in source.hidden[1:]),
    )
    alone = Scope(scope.statement, sources=[bare], constants=scope.constants, is_body=scope.is_body)
    return _whole_partitions(relation, " AND ".join(lower(test, alone) for test in tests))


def covers_whole_partitions(condition: nodes.Node | None, source: Source, scope: Scope) -> bool:
    """Whether the condition says nothing but which partitions: a DELETE by it touches no row of another one."""
    relation = source.relation
    if condition is None or relation is None or relation.partition_granularity != "DAY":
        return False
    # A day's partition of times can be cut in two by a condition, one of dates cannot.
    dates = {field.name for field in relation.fields if field.type.kind == "DATE"}
    return relation.partition_column in dates and all(_prunes(part, source, scope) for part in _conjuncts(condition))


def _whole_partitions(relation: Relation, test: str) -> str:
    """The condition widened from rows to the partitions that they lie in."""
    assert relation.partition_column is not None
    column = quoted(relation.partition_column)
    kind = next((field.type.kind for field in relation.fields if field.name == relation.partition_column), "TIMESTAMP")
    part = PARTS.get(relation.partition_granularity or "")
    if part is None or (kind == "DATE" and part == "day"):
        return test
    return (
        f"date_trunc('{part}', {column}) IN "
        f"(SELECT date_trunc('{part}', {column}) FROM {relation.duckdb_name} WHERE {test})"
    )


def _conjuncts(node: nodes.Node) -> Iterator[nodes.Node]:
    if isinstance(node, nodes.Binary) and node.operator == "AND":
        yield from _conjuncts(node.left)
        yield from _conjuncts(node.right)
    else:
        yield node


def _prunes(node: nodes.Node, source: Source, scope: Scope) -> bool:
    if isinstance(node, nodes.Binary) and node.operator in ("AND", "OR"):
        return _prunes(node.left, source, scope) and _prunes(node.right, source, scope)
    if isinstance(node, nodes.Binary) and node.operator in COMPARISONS:
        left, right = node.left, node.right
        return (_is_column(left, source) and _is_constant(right, scope)) or (
            _is_column(right, source) and _is_constant(left, scope)
        )
    if isinstance(node, nodes.Between):
        return _is_column(node.value, source) and _is_constant(node.low, scope) and _is_constant(node.high, scope)
    if isinstance(node, nodes.In):
        given = [*node.items, *([node.array] if node.array is not None else [])]
        return node.query is None and _is_column(node.value, source) and all(_is_constant(i, scope) for i in given)
    if isinstance(node, nodes.Is):
        return node.what == "NULL" and _is_column(node.value, source)
    if isinstance(node, nodes.Unary) and node.operator == "NOT" and isinstance(node.operand, nodes.Is):
        return _prunes(node.operand, source, scope)
    return False


def _is_column(node: nodes.Node, source: Source) -> bool:
    """The partition column, alone or cut to a part of time."""
    assert source.relation is not None and source.relation.partition_column is not None
    if isinstance(node, nodes.Call) and len(node.path) == 1 and node.path[0].upper() in TRUNCATIONS and node.arguments:
        return _is_column(node.arguments[0], source)
    if isinstance(node, nodes.Cast):
        return node.type.kind == "DATE" and _is_column(node.value, source)
    if not isinstance(node, nodes.Path) or len(node.parts) > 2:
        return False
    if len(node.parts) == 2 and node.parts[0].lower() != source.alias.lower():
        return False
    names = {source.relation.partition_column.lower(), *(column.name.lower() for column in source.hidden)}
    return node.parts[-1].lower() in names


def _is_constant(node: nodes.Node, scope: Scope) -> bool:
    for inner in _walk(node):
        if isinstance(inner, nodes.Query):
            return False
        if isinstance(inner, nodes.Path):
            first = inner.parts[0]
            for block in scope.ancestors():
                if any(one.alias.lower() == first.lower() or one.column(first) is not None for one in block.sources):
                    return False
    return True


def _walk(node: object) -> Iterator[nodes.Node]:
    if isinstance(node, list | tuple):
        for item in node:
            yield from _walk(item)
    elif isinstance(node, nodes.Node) and is_dataclass(node):
        yield node
        for field in fields(node):
            yield from _walk(getattr(node, field.name))
