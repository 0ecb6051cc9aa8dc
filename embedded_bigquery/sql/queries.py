"""Queries: WITH, set operations, ORDER BY and LIMIT, and all that a query is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql import access, conditions, constructors, literals, nodes, windows
from embedded_bigquery.sql.expressions import Columns, Expressions
from embedded_bigquery.sql.functions.registry import converted, supertype
from embedded_bigquery.sql.functions.signatures import coerces
from embedded_bigquery.sql.pipes import Pipes
from embedded_bigquery.sql.scope import Column, Lowered, Scope, Statement
from embedded_bigquery.types import INT64, Field, Type, quoted


class Queries(Pipes):
    """Lowers queries; the names of result columns in DuckDB are c0, c1, …, those of BigQuery are in the columns."""

    def __init__(self, statement: Statement) -> None:
        self.statement = statement

    def query(self, node: nodes.Query, parent: Scope | None) -> tuple[str, Columns]:
        prefix, scope = self._with(node, parent)
        limit = self.limit(node.limit, node.offset)
        if node.pipes or not isinstance(node.body, nodes.Select | nodes.SetOperation | nodes.Query):
            sql, columns = self.piped(node, scope, limit)
        elif isinstance(node.body, nodes.Select):
            sql, columns = self.select(node.body, scope, node.order, limit)
        else:
            sql, columns = self.body(node.body, scope)
            if node.order:
                sql = self.ordered(sql, columns, node.order, limit, Scope(self.statement, scope))
            elif limit:
                sql = f"SELECT * FROM ({sql}){limit}"
        if prefix and sql.startswith("WITH "):
            sql = f"SELECT * FROM ({sql})"
        return prefix + sql, columns

    def result(self, node: nodes.Query) -> tuple[str, Columns]:
        """A whole statement: rows that are one STRUCT have its fields as columns."""
        sql, columns = self.query(node, None)
        kind = columns[0].type
        if not columns[0].is_value or kind is None or not kind.is_struct:
            return sql, columns
        fields = list(kind.storage_fields())
        listed = ", ".join(f"(c0).{quoted(name)} AS c{n}" for n, (name, _) in enumerate(fields))
        made = tuple(Column(field.name, field.type, f"c{n}") for n, (_, field) in enumerate(fields))
        return f"SELECT {listed} FROM ({sql})", made

    def typed(self, node: nodes.Node, scope: Scope, target: Type) -> Lowered:
        if isinstance(node, nodes.Struct | nodes.Array):
            return constructors.typed(self, node, scope, target)
        return self.expression(node, scope)

    def body(self, node: nodes.Node, scope: Scope) -> tuple[str, Columns]:
        if isinstance(node, nodes.Select):
            return self.select(node, scope)
        if isinstance(node, nodes.SetOperation):
            return self.set_operation(node, [self.query(query, scope) for query in node.queries])
        if isinstance(node, nodes.Query):
            return self.query(node, scope)
        raise NotSupported(f"{type(node).__name__} as a query", at=node.at)

    def limit(self, limit: nodes.Node | None, offset: nodes.Node | None) -> str:
        text = ""
        for word, value in (("LIMIT", limit), ("OFFSET", offset)):
            if value is not None:
                text += f" {word} {self.coerced(value, Scope(self.statement), INT64)}"
        return text

    def window(self, node: nodes.Call, scope: Scope) -> str:
        return windows.window_text(self, node, scope)

    # ---- WITH

    def _with(self, node: nodes.Query, parent: Scope | None) -> tuple[str, Scope]:
        scope = Scope(self.statement, parent)
        return self.common_tables(node.tables, scope, recursive=node.recursive), scope

    def common_tables(self, tables: Sequence[nodes.Cte], scope: Scope, *, recursive: bool = False) -> str:
        """Adds the tables to the scope; the WITH clause that makes them."""
        parts = []
        for item in _in_order(tables) if recursive else tables:
            if any(known.lower() == item.name.lower() for known in scope.tables):
                raise InvalidQuery(f"Duplicate alias {item.name} for WITH subquery", at=item.at)
            name = self.statement.unique("with")
            body = item.query.body
            if recursive and isinstance(body, nodes.SetOperation) and refers_to(body, item.name):
                sql, columns = self._recursive(item, body, name, scope)
            else:
                sql, columns = self.query(item.query, scope)
            scope.tables[item.name] = (name, columns)
            names = ", ".join(f"c{n}" for n in range(len(columns)))
            parts.append(f"{quoted(name)}({names}) AS ({sql})")
        return f"WITH {'RECURSIVE ' if recursive else ''}{', '.join(parts)} " if parts else ""

    def _recursive(self, item: nodes.Cte, body: nodes.SetOperation, name: str, scope: Scope) -> tuple[str, Columns]:
        """The first branches give the columns that the last one, which refers to the table, must fit."""
        if body.kind != "UNION" or body.by_name:
            raise InvalidQuery("Recursive query must be a UNION", at=body.at)
        *start, step = body.queries
        first = nodes.SetOperation(body.at, body.kind, body.distinct, start)
        start_sql, columns = self.body(first if len(start) > 1 else start[0], scope)
        scope.tables[item.name] = (name, columns)
        step_sql, step_columns = self.query(step, scope)
        if len(step_columns) != len(columns):
            raise _mismatch(body, [len(columns), len(step_columns)])
        mode = "" if body.distinct else " ALL"
        del scope.tables[item.name]
        return f"{_as(start_sql, columns, columns)} UNION{mode} {_as(step_sql, step_columns, columns)}", columns

    # ---- set operations

    def set_operation(self, node: nodes.SetOperation, sides: list[tuple[str, Columns]]) -> tuple[str, Columns]:
        if node.by_name:
            sides = _by_name(node, sides)
        word = f"{node.kind} {'DISTINCT' if node.distinct else 'ALL'}"
        if len({len(columns) for _, columns in sides}) > 1:
            raise _mismatch(node, [len(columns) for _, columns in sides])
        merged = []
        for position, same in enumerate(zip(*(columns for _, columns in sides), strict=True)):
            kinds = [column.type for column in same]
            kind = _common(same)
            if kind is None and any(kinds):
                shown = ", ".join(str(kind) for kind in kinds)
                raise InvalidQuery(f"Column {position + 1} in {word} has incompatible types: {shown}", at=node.at)
            is_value, is_literal = all(c.is_value for c in same), all(c.is_literal for c in same)
            merged.append(Column(same[0].name, kind, f"c{position}", is_value, is_literal))
        columns = tuple(merged)
        mode = "" if node.distinct else " ALL"
        return f" {node.kind}{mode} ".join(_as(sql, own, columns) for sql, own in sides), columns


def _common(same: Sequence[Column]) -> Type | None:
    """The type of one column of a set operation: literals take the type of the others where they can."""
    kind = supertype([column.type for column in same if not column.is_literal])
    rest = [column.type for column in same if column.is_literal]
    if kind is not None and all(_takes_over(given, kind) for given in rest):
        return kind
    return supertype([column.type for column in same])


def _takes_over(given: Type | None, kind: Type) -> bool:
    """Whether a literal can be of that type; the one array that counts as a literal is empty."""
    return given is None or (given.is_array and kind.is_array) or coerces(given, kind, literal=True) is not None


def _mismatch(node: nodes.SetOperation, counts: list[int]) -> InvalidQuery:
    word = f"{node.kind} {'DISTINCT' if node.distinct else 'ALL'}"
    other = next(n for n, count in enumerate(counts) if count != counts[0])
    shown = [f"{count} column{'s' if count != 1 else ''}" for count in (counts[0], counts[other])]
    message = (
        f"Queries in {word} have mismatched column count; query 1 has {shown[0]}, query {other + 1} has {shown[1]}"
    )
    return InvalidQuery(message, at=node.queries[other].at)


def _as(sql: str, own: Columns, wanted: Columns) -> str:
    """The rows of `sql` with the types of the columns wanted."""
    names = ", ".join(column.sql for column in wanted)
    if all(source.type == to.type for source, to in zip(own, wanted, strict=True)):
        return f"(SELECT {names} FROM ({sql}) AS _s({names}))"
    values = ", ".join(
        f"{_converted(source, to.sql, to.type or INT64)} AS {to.sql}" for source, to in zip(own, wanted, strict=True)
    )
    return f"(SELECT {values} FROM ({sql}) AS _s({names}))"


def _converted(source: Column, sql: str, kind: Type) -> str:
    if source.is_literal and source.type is not None and source.type.is_array:
        return f"CAST([] AS {kind.duckdb()})"
    return converted(sql, source.type, kind)


def _by_name(node: nodes.SetOperation, sides: list[tuple[str, Columns]]) -> list[tuple[str, Columns]]:
    """The sides of a BY NAME operation with their columns in one order; those that one side lacks are NULL there."""
    names = [[column.name.lower() for column in columns] for _, columns in sides]
    for known in names:
        double = next((name for name in known if name and known.count(name) > 1), None)
        if double is not None:
            raise InvalidQuery(f"Duplicate column name {double} in {node.kind} BY NAME", at=node.at)
    if node.mode == "INNER":
        wanted = [name for name in names[0] if all(name in known for known in names)]
    elif node.mode == "LEFT":
        wanted = names[0]
    else:
        wanted = list(dict.fromkeys(name for known in names for name in known))
        if not node.mode and not node.names and any(set(known) != set(wanted) for known in names):
            raise InvalidQuery(
                "BY NAME without FULL, LEFT or INNER mode requires that all input queries have the same columns",
                at=node.at,
            )
    if node.names:
        wanted = [name.lower() for name in node.names]
    if not wanted:
        raise InvalidQuery("There is no column in common between the queries", at=node.at)
    found = []
    for (sql, columns), known in zip(sides, names, strict=True):
        chosen = [columns[known.index(name)] if name in known else None for name in wanted]
        listed = ", ".join(f"{c.sql if c else 'NULL'} AS c{n}" for n, c in enumerate(chosen))
        inner = ", ".join(f"c{n}" for n in range(len(columns)))
        shown = [next(c.name for own in sides for c in own[1] if c.name.lower() == name) for name in wanted]
        new = tuple(Column(shown[n], c.type if c else None, f"c{n}") for n, c in enumerate(chosen))
        found.append((f"SELECT {listed} FROM ({sql}) AS _s({inner})", new))
    return found


def _in_order(tables: Sequence[nodes.Cte]) -> list[nodes.Cte]:
    """In WITH RECURSIVE a table may be used before it stands: those that others need come first."""
    known = {table.name.lower(): table for table in tables}
    done: dict[str, nodes.Cte] = {}

    def visit(table: nodes.Cte, path: tuple[str, ...]) -> None:
        key = table.name.lower()
        if key in done or key in path:
            return
        for name, other in known.items():
            if name != key and refers_to(table.query, other.name):
                visit(other, (*path, key))
        done[key] = table

    for table in tables:
        visit(table, ())
    return list(done.values())


def refers_to(node: object, name: str) -> bool:
    """Whether a FROM anywhere inside names the table."""
    if isinstance(node, nodes.Table):
        return len(node.path) == 1 and node.path[0].lower() == name.lower()
    if isinstance(node, nodes.Node):
        return any(
            refers_to(getattr(node, slot), name)
            for kind in type(node).__mro__
            for slot in getattr(kind, "__slots__", ())
        )
    if isinstance(node, list | tuple):
        return any(refers_to(item, name) for item in node)
    return False


def result_fields(columns: Columns) -> tuple[Field, ...]:
    """The API's columns: those without a name are f0_, f1_, … in their own order; an untyped NULL is an INT64."""
    found, unnamed = [], 0
    for column in columns:
        found.append(Field(column.name or f"f{unnamed}_", named(column.type or INT64)))
        unnamed += not column.name
    return tuple(found)


def distinct_names(fields: Sequence[Field]) -> tuple[Field, ...]:
    """The columns of a query's answer: a name that comes again gets _1, _2, … at its end."""
    taken = {field.name.lower() for field in fields}
    if len(taken) == len(fields):
        return tuple(fields)
    found: list[Field] = []
    seen: set[str] = set()
    for field in fields:
        name, count = field.name, 0
        while name.lower() in seen or (count and name.lower() in taken):
            count += 1
            name = f"{field.name}_{count}"
        seen.add(name.lower())
        found.append(replace(field, name=name))
    return tuple(found)


def named(kind: Type) -> Type:
    """The type as a result has it: the fields of a STRUCT that have no name are _field_1, _field_2, … by position."""
    if kind.is_array and kind.element is not None:
        return Type("ARRAY", element=named(kind.element))
    if not kind.is_struct:
        return kind
    fields = (replace(f, name=f.name or f"_field_{n + 1}", type=named(f.type)) for n, f in enumerate(kind.fields))
    return Type("STRUCT", fields=tuple(fields))


Expressions.handlers = {
    **literals.HANDLERS,
    **constructors.HANDLERS,
    **conditions.HANDLERS,
    **access.HANDLERS,
    nodes.Unary: Expressions.operator,
    nodes.Binary: Expressions.operator,
    nodes.Call: Expressions.function_call,
}
