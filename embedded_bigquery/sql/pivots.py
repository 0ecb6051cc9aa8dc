"""PIVOT and UNPIVOT."""

from __future__ import annotations

import re
from decimal import Decimal

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.expressions import Columns
from embedded_bigquery.sql.functions.registry import converted, supertype
from embedded_bigquery.sql.scope import Block, Column, Scope
from embedded_bigquery.sql.selects import Selects
from embedded_bigquery.types import INT64, STRING


class Pivots(Selects):
    def pivot(self, node: nodes.Pivot | nodes.Unpivot, scope: Scope) -> str:
        inner = Scope(self.statement, scope.parent, block=Block())
        text = self.source(node.source, inner)
        sql, columns = self.pivoted(node, text, inner)
        return self.derived(sql, columns, node.alias, scope, node.at)

    def pivoted(self, node: nodes.Pivot | nodes.Unpivot, text: str, scope: Scope) -> tuple[str, Columns]:
        """The operation on a FROM that is lowered."""
        if isinstance(node, nodes.Unpivot):
            return self._unpivoted(node, text, scope)
        block = Block()
        recording = scope.variant(block=block, clause="PIVOT")
        self.expression(node.subject, recording)
        for item in node.aggregates:
            if not isinstance(item.value, nodes.Call):
                raise InvalidQuery("PIVOT expression must be an aggregate function call", at=item.at)
            for argument in (*item.value.arguments, *(order.value for order in item.value.order)):
                if not isinstance(argument, nodes.Star):
                    self.expression(argument, recording)
        used = {column.sql for column, _ in block.loose}
        keys = [column for column in self.all_columns(scope) if column.sql not in used]
        columns = list(keys)
        for value in node.values:
            for item in node.aggregates:
                label = value.alias or value_label(value.value)
                names = [item.alias, label.removeprefix("_") if item.alias and not value.alias else label]
                found = self.expression(_only_where(item.value, node.subject, value.value), scope)
                columns.append(Column("_".join(name for name in names if name), found.type, found.sql))
        listed = ", ".join(f"{column.sql} AS c{n}" for n, column in enumerate(columns))
        group = f" GROUP BY {', '.join(key.sql for key in keys)}" if keys else ""
        result = tuple(Column(column.name, column.type, f"c{n}") for n, column in enumerate(columns))
        return f"SELECT {listed} FROM {text}{group}", result

    def _unpivoted(self, node: nodes.Unpivot, text: str, scope: Scope) -> tuple[str, Columns]:
        known = {column.name.lower(): column for column in self.all_columns(scope)}
        rows, labels, used = [], [], set()
        for names, label in node.columns:
            if len(names) != len(node.values):
                raise InvalidQuery("UNPIVOT groups have different numbers of columns", at=node.at)
            for name in names:
                if name.lower() not in known:
                    raise InvalidQuery(f"Column {name} in UNPIVOT is not found", at=node.at)
                used.add(name.lower())
            rows.append([known[name.lower()] for name in names])
            default = nodes.String(node.at, "_".join(known[name.lower()].name for name in names))
            labels.append(self.expression(label or default, Scope(self.statement)))
        kinds = [supertype([row[n].type for row in rows]) for n in range(len(node.values))]
        if None in kinds:
            raise InvalidQuery("The datatype of the columns in UNPIVOT does not match", at=node.at)
        label_type = supertype([label.type for label in labels]) or STRING
        tuples = []
        for row, label_value in zip(rows, labels, strict=True):
            items = [converted(c.sql, c.type, k or INT64) for c, k in zip(row, kinds, strict=True)]
            tuples.append(f"({', '.join([*items, label_value.sql])})")
        values = ", ".join(tuples)
        keys = [column for name, column in known.items() if name not in used]
        aliases = ", ".join(f"v{n}" for n in range(len(kinds) + 1))
        columns = [Column(key.name, key.type, key.sql) for key in keys]
        columns += [
            Column(name, kind, f"_u.v{n}") for n, (name, kind) in enumerate(zip(node.values, kinds, strict=True))
        ]
        columns.append(Column(node.name, label_type, f"_u.v{len(kinds)}"))
        listed = ", ".join(f"{column.sql} AS c{n}" for n, column in enumerate(columns))
        nulls = " AND ".join(f"_u.v{n} IS NULL" for n in range(len(kinds)))
        where = "" if node.include_nulls else f" WHERE NOT ({nulls})"
        result = tuple(Column(column.name, column.type, f"c{n}") for n, column in enumerate(columns))
        return (
            f"SELECT {listed} FROM {text} CROSS JOIN LATERAL (VALUES {values}) AS _u({aliases}){where}",
            result,
        )


def _only_where(call: nodes.Node, subject: nodes.Node, value: nodes.Node) -> nodes.Node:
    """The aggregate over the rows whose subject is the value alone."""
    assert isinstance(call, nodes.Call)
    name = call.path[-1].upper()
    condition = nodes.Binary(call.at, "IS NOT DISTINCT FROM", subject, value)
    if name == "COUNT" and (not call.arguments or isinstance(call.arguments[0], nodes.Star)):
        return nodes.Call(call.at, ("COUNTIF",), [condition])
    if name.startswith("ARRAY_") or call.over:
        raise NotSupported(f"PIVOT of {name}", at=call.at)
    first, *rest = call.arguments
    only = nodes.Case(call.at, None, [(condition, first)], None)
    return nodes.Call(call.at, call.path, [only, *rest], call.distinct, call.nulls, order=call.order)


def value_label(value: nodes.Node) -> str:
    """The part of a pivot column's name that its value gives when no alias does; raises NotSupported."""
    if isinstance(value, nodes.String):
        return value.value
    if isinstance(value, nodes.Number):
        number = Decimal(value.text)
        text = str(abs(number)).replace(".", "_point_")
        return f"minus_{text}" if number < 0 else f"_{text}"
    if isinstance(value, nodes.Boolean):
        return str(value.value).upper()
    if isinstance(value, nodes.Null):
        return "NULL"
    if isinstance(value, nodes.TypedLiteral):
        return "_" + re.sub(r"[^0-9A-Za-z]", "_", value.value)
    if isinstance(value, nodes.Path):
        return value.parts[-1]
    raise NotSupported("PIVOT value without an alias", at=value.at)
