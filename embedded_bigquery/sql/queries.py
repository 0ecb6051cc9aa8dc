"""Queries: FROM, the SELECT list, grouping, ordering, WITH and set operations -> DuckDB text with typed columns."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from embedded_bigquery.errors import InvalidQuery, NotFound, NotSupported
from embedded_bigquery.sql.dialect import parse, place
from embedded_bigquery.sql.environment import Relation
from embedded_bigquery.sql.expressions import Expressions
from embedded_bigquery.sql.functions.registry import converted, supertype
from embedded_bigquery.sql.scope import Column, Lowered, Scope, Source, Statement
from embedded_bigquery.types import INT64, Field, quoted

Columns = tuple[Column, ...]


class Queries(Expressions):
    """Lowers queries; the names of result columns in DuckDB are unique, those of BigQuery are in the columns."""

    def __init__(self, statement: Statement) -> None:
        self.statement = statement

    def query(self, node: exp.Expression, parent: Scope | None) -> tuple[str, Columns]:
        if isinstance(node, exp.Subquery | exp.Paren):
            sql, columns = self.query(node.this, self._with(node, parent)[1])
            tail = self._tail(node, Scope(self.statement, parent), columns)
            return (f"SELECT * FROM ({sql}){tail}" if tail else sql), columns
        prefix, scope = self._with(node, parent)
        if isinstance(node, exp.SetOperation):
            sql, columns = self._set_operation(node, scope)
        elif isinstance(node, exp.Select):
            sql, columns = self._select(node, scope)
        else:
            raise NotSupported(f"{node.key} as a query", at=place(node))
        return prefix + sql, columns

    # ---- WITH

    def _with(self, node: exp.Expression, parent: Scope | None) -> tuple[str, Scope]:
        scope = Scope(self.statement, parent, is_query=False)
        clause = node.args.get("with_")
        if clause is None:
            return "", scope
        parts = []
        recursive = bool(clause.args.get("recursive"))
        for item in clause.expressions:
            name = self.statement.unique("with_")
            if recursive and isinstance(item.this, exp.Union):
                # The first branch alone gives the columns that the second one refers to.
                _, columns = self.query(item.this.this, scope)
                scope.tables[item.alias] = (name, self._named(columns))
            sql, columns = self.query(item.this, scope)
            scope.tables[item.alias] = (name, self._named(columns))
            names = ", ".join(quoted(column.sql) for column in scope.tables[item.alias][1])
            parts.append(f"{quoted(name)}({names}) AS ({sql})")
        return f"WITH {'RECURSIVE ' if recursive else ''}{', '.join(parts)} ", scope

    def _named(self, columns: Columns) -> Columns:
        """Columns by their names inside DuckDB: `sql` is the bare column name."""
        return tuple(Column(column.name, column.type, f"c{n}") for n, column in enumerate(columns))

    # ---- set operations

    def _set_operation(self, node: exp.SetOperation, scope: Scope) -> tuple[str, Columns]:
        left_sql, left = self.query(node.this, scope)
        right_sql, right = self.query(node.expression, scope)
        word = type(node).__name__.upper()
        if len(left) != len(right):
            raise InvalidQuery(
                f"Queries in {word} have mismatched column count; query 1 has {len(left)} columns, "
                f"query 2 has {len(right)} columns",
                at=place(node.expression),
            )
        merged = []
        for position, (a, b) in enumerate(zip(left, right, strict=True)):
            kind = supertype([a.type, b.type])
            if kind is None and a.type is not None and b.type is not None:
                raise InvalidQuery(
                    f"Column {position + 1} in {word} has incompatible types: {a.type}, {b.type}", at=place(node)
                )
            merged.append(Column(a.name, kind, f"c{position}"))
        columns = tuple(merged)
        sides = [self._converted(sql, own, columns) for sql, own in ((left_sql, left), (right_sql, right))]
        mode = "" if node.args.get("distinct") else " ALL"
        text = f"{sides[0]} {word}{mode} {sides[1]}"
        inner = Scope(self.statement, scope.parent if scope.is_query else scope)
        tail = self._tail(node, inner, columns)
        return (f"SELECT * FROM ({text}){tail}" if tail else text), columns

    def _converted(self, sql: str, own: Columns, wanted: Columns) -> str:
        names = ", ".join(column.sql for column in wanted)
        aliased = ", ".join(
            f"{converted(to.sql, source.type, to.type) if to.type else to.sql} AS {to.sql}"
            for source, to in zip(own, wanted, strict=True)
        )
        return f"(SELECT {aliased} FROM ({sql}) AS _s({names}))"

    def _tail(self, node: exp.Expression, scope: Scope, columns: Columns) -> str:
        """ORDER BY and LIMIT of what is no plain SELECT: they see the result's columns."""
        scope.aliases = {column.name.lower(): Lowered(column.sql, column.type) for column in columns}
        order = node.args.get("order")
        text = f" ORDER BY {self._order_items(order.expressions, scope, columns)}" if order is not None else ""
        return text + self._limit(node, scope)

    # ---- SELECT

    def _select(self, node: exp.Select, outer: Scope) -> tuple[str, Columns]:
        scope = Scope(self.statement, outer)
        scope.windows = {window.name.lower(): window for window in node.args.get("windows") or []}
        source = self._from(node, scope)
        where = node.args.get("where")
        text_where = f" WHERE {self.boolean(where.this, scope, 'WHERE clause')}" if where is not None else ""
        items = self._select_list(node.expressions, scope)
        seen: dict[str, Lowered] = {}
        for item in items:
            if item.name:
                seen.setdefault(item.name.lower(), Lowered(item.sql, item.type, item.name))
        group = self._group(node, scope, items, seen)
        visible = Scope(scope.statement, scope.parent, scope.sources, scope.merged, seen, scope.tables, scope.windows)
        text = f"{source}{text_where}{group}"
        for key, word in (("having", "HAVING"), ("qualify", "QUALIFY")):
            clause = node.args.get(key)
            if clause is not None:
                text += f" {word} {self.boolean(clause.this, visible, f'{word} clause')}"
        kind = (node.args.get("kind") or "").upper()
        columns = tuple(Column(item.name, item.type, f"c{n}") for n, item in enumerate(items))
        distinct = "DISTINCT " if node.args.get("distinct") is not None else ""
        selected = ", ".join(f"{item.sql} AS {column.sql}" for item, column in zip(items, columns, strict=True))
        order = node.args.get("order")
        tail = ""
        if order is not None:
            # After DISTINCT only the result's columns exist; elsewhere everything that the block sees.
            names = {c.name.lower(): Lowered(c.sql, c.type) for c in columns if c.name} if distinct else seen
            ordering = Scope(scope.statement, scope.parent, scope.sources, scope.merged, dict(names), scope.tables)
            ordering.windows = scope.windows
            tail = f" ORDER BY {self._order_items(order.expressions, ordering, columns)}"
        tail += self._limit(node, scope)
        sql = f"SELECT {distinct}{selected}{text}{tail}"
        return self._as_value(sql, kind, columns)

    def _as_value(self, sql: str, kind: str, columns: Columns) -> tuple[str, Columns]:
        if kind != "STRUCT":
            return sql, columns
        row = Source("", columns).row()
        return f"SELECT {row.sql} AS c0 FROM ({sql})", (Column("", row.type, "c0"),)

    def _select_list(self, nodes: Sequence[exp.Expression], scope: Scope) -> list[Column]:
        items: list[Column] = []
        for node in nodes:
            inner = node.this if isinstance(node, exp.Column) and isinstance(node.this, exp.Star) else node
            if isinstance(inner, exp.Star):
                items += self._star(inner, node, scope)
            elif isinstance(node, exp.Dot) and isinstance(node.expression, exp.Star):
                items += self._struct_star(node, scope)
            else:
                value = self.expression(node, scope)
                name = node.alias if isinstance(node, exp.Alias) else value.name if is_path(node) else ""
                items.append(Column(name, value.type, value.sql))
        return items

    def _star(self, star: exp.Star, node: exp.Expression, scope: Scope) -> list[Column]:
        if star is node:
            columns = self._all_columns(scope)
            if not scope.sources:
                raise InvalidQuery("SELECT * must have a FROM clause", at=place(node))
        else:
            alias = node.args["table"].name
            source = scope.find_source(alias)
            if source is None:
                return self._struct_fields(self.expression(node.args["table"], scope), star, scope)
            columns = [self._used(source, column, scope) for column in source_columns(source)]
        return self._except_replace(columns, star, scope)

    def _struct_star(self, node: exp.Dot, scope: Scope) -> list[Column]:
        return self._struct_fields(self.expression(node.this, scope), node.expression, scope)

    def _struct_fields(self, value: Lowered, star: exp.Expression, scope: Scope) -> list[Column]:
        if value.type is None or not value.type.is_struct:
            raise InvalidQuery("Dot-star is not supported for type " + str(value.type), at=place(star))
        fields = [
            Column(field.name, field.type, f"({value.sql}).{quoted(name)}")
            for name, field in value.type.storage_fields()
        ]
        return self._except_replace(fields, star, scope)

    def _except_replace(self, columns: list[Column], star: exp.Expression, scope: Scope) -> list[Column]:
        left_out = {item.name.lower() for item in star.args.get("except_") or []}
        missing = left_out - {column.name.lower() for column in columns}
        if missing:
            raise InvalidQuery(f"Column {sorted(missing)[0]} in SELECT * EXCEPT list does not exist", at=place(star))
        replaced = {item.alias.lower(): item for item in star.args.get("replace") or []}
        found = []
        for column in columns:
            key = column.name.lower()
            if key in left_out:
                continue
            if key in replaced:
                value = self.expression(replaced[key], scope)
                column = Column(column.name, value.type, value.sql)
            found.append(column)
        return found

    def _all_columns(self, scope: Scope) -> list[Column]:
        found = list(scope.merged.values())
        for source in scope.sources:
            found += [
                self._used(source, column, scope)
                for column in source_columns(source)
                if column.name.lower() not in scope.merged
            ]
        return found

    def _used(self, source: Source, column: Column, scope: Scope) -> Column:
        scope.use(source, column)
        return column

    # ---- grouping, ordering

    def _group(self, node: exp.Select, scope: Scope, items: list[Column], seen: dict[str, Lowered]) -> str:
        group = node.args.get("group")
        if group is None:
            return ""
        if group.args.get("all"):
            return " GROUP BY ALL"
        parts = [self._group_item(item, scope, items, seen) for item in group.expressions]
        for key, word in (("rollup", "ROLLUP"), ("cube", "CUBE")):
            for clause in group.args.get(key) or []:
                inner = [self._group_item(item, scope, items, seen) for item in clause.expressions]
                parts.append(f"{word} ({', '.join(inner)})")
        if group.args.get("grouping_sets"):
            raise NotSupported("GROUPING SETS", at=place(node))
        return f" GROUP BY {', '.join(parts)}"

    def _group_item(self, item: exp.Expression, scope: Scope, items: list[Column], seen: dict[str, Lowered]) -> str:
        if isinstance(item, exp.Literal) and not item.is_string:
            return self._ordinal(item, items).sql
        if isinstance(item, exp.Column) and not item.table and item.name.lower() in seen:
            return seen[item.name.lower()].sql
        return self.expression(item, scope).sql

    def _ordinal(self, node: exp.Expression, items: Sequence[Column]) -> Column:
        position = int(node.name)
        if not 1 <= position <= len(items):
            raise InvalidQuery(f"ORDER BY is out of SELECT column number range: {position}", at=place(node))
        return items[position - 1]

    def _order_items(self, nodes: list[exp.Expression], scope: Scope, columns: Columns) -> str:
        parts = []
        for node in nodes:
            inner = node.this
            if isinstance(inner, exp.Literal) and not inner.is_string:
                value = self._ordinal(inner, columns).sql
            else:
                value = self.expression(inner, scope).sql
            direction = "DESC" if node.args.get("desc") else "ASC"
            parts.append(f"{value} {direction} NULLS {'FIRST' if node.args.get('nulls_first') else 'LAST'}")
        return ", ".join(parts)

    def _limit(self, node: exp.Expression, scope: Scope) -> str:
        text = ""
        for key, word in (("limit", "LIMIT"), ("offset", "OFFSET")):
            clause = node.args.get(key)
            if clause is not None:
                text += f" {word} {self.coerced(clause.expression, Scope(scope.statement), INT64)}"
        return text

    # ---- FROM

    def _from(self, node: exp.Select, scope: Scope) -> str:
        clause = node.args.get("from_")
        if clause is None:
            return ""
        text = f" FROM {self.from_item(clause.this, scope)}"
        for join in node.args.get("joins") or []:
            text += self.join(join, scope)
        return text

    def join(self, node: exp.Join, scope: Scope) -> str:
        before = list(scope.sources)
        item = self.from_item(node.this, scope)
        side, kind = (node.args.get("side") or "").upper(), (node.args.get("kind") or "").upper()
        using, condition = node.args.get("using"), node.args.get("on")
        lateral = isinstance(node.this, exp.Unnest) or item.startswith("LATERAL")
        if using:
            return f" {side or 'INNER'} JOIN {item} ON {self._using(using, before, scope, side)}"
        if condition is not None:
            return f" {side or 'INNER'} JOIN {item} ON {self.boolean(condition, scope, 'JOIN ON clause')}"
        if side:
            if not lateral:
                raise InvalidQuery(f"{side} JOIN must have an immediately following ON or USING clause")
            return f" {side} JOIN {item} ON TRUE"
        if kind == "INNER" and not lateral:
            raise InvalidQuery("INNER JOIN must have an immediately following ON or USING clause")
        return f" CROSS JOIN {item}"

    def _using(self, names: list[exp.Expression], before: list[Source], scope: Scope, side: str) -> str:
        tests = []
        right = scope.sources[-1]
        for identifier in names:
            name = identifier.name
            other = right.column(name)
            key = name.lower()
            own = scope.merged.get(key) or next((c for s in before if (c := s.column(name)) is not None), None)
            if own is None or other is None:
                raise InvalidQuery(f"Column {name} in USING clause not found", at=place(identifier))
            for source in (*before, right):
                column = source.column(name)
                if column is not None:
                    scope.use(source, column)
            kind = supertype([own.type, other.type])
            left_sql = converted(own.sql, own.type, kind) if kind else own.sql
            right_sql = converted(other.sql, other.type, kind) if kind else other.sql
            tests.append(f"{left_sql} = {right_sql}")
            value = {"RIGHT": right_sql, "FULL": f"coalesce({left_sql}, {right_sql})"}.get(side, left_sql)
            scope.merged[key] = Column(name, kind, value)
        return " AND ".join(tests)

    def from_item(self, node: exp.Expression, scope: Scope) -> str:
        """Adds the item's source to the scope; its DuckDB text."""
        if isinstance(node, exp.Unnest):
            return self._unnest(node.expressions[0], node, scope)
        if isinstance(node, exp.Subquery) and not isinstance(node.this, exp.Table):
            sql, columns = self.query(node, _outside(scope))
            return self._derived(sql, columns, node.alias or self.statement.unique("q"), scope)
        if isinstance(node, exp.Subquery):
            text = self.from_item(node.this, scope)
            for join in node.this.args.get("joins") or []:
                text += self.join(join, scope)
            return f"({text})"
        if isinstance(node, exp.Table):
            return self._table(node, scope)
        raise NotSupported(f"{node.key} in FROM", at=place(node))

    def _derived(self, sql: str, columns: Columns, alias: str, scope: Scope) -> str:
        names = ", ".join(f"c{n}" for n in range(len(columns)))
        own = tuple(Column(c.name, c.type, f"{quoted(alias)}.c{n}") for n, c in enumerate(columns))
        scope.sources.append(Source(alias, own))
        return f"({sql}) AS {quoted(alias)}({names})"

    def _table(self, node: exp.Table, scope: Scope) -> str:
        if isinstance(node.this, exp.Anonymous):
            raise NotSupported(f"table function {node.this.this}", at=place(node))
        parts = tuple(
            name
            for key in ("catalog", "db", "this")
            if (part := node.args.get(key)) is not None
            for name in part.name.split(".")
        )
        alias = node.alias or parts[-1]
        if len(parts) == 1 and (known := scope.table(parts[0])) is not None:
            name, columns = known
            own = tuple(Column(c.name, c.type, f"{quoted(alias)}.{c.sql}") for c in columns)
            scope.sources.append(Source(alias, own))
            return f"{quoted(name)} AS {quoted(alias)}"
        if len(parts) > 1 and scope.find_source(parts[0]) is not None:
            path = exp.column(*[exp.to_identifier(part) for part in reversed(parts)][:4])
            return self._unnest(path, node, scope)
        relation = self.relation(parts, place(node.this))
        if relation.view_query is not None:
            return self._view(relation, alias, scope)
        return self.table_source(relation, alias, scope)

    def relation(self, parts: tuple[str, ...], at: tuple[int, int] | None) -> Relation:
        """Raises NotFound."""
        environment = self.statement.environment
        found = environment.relation(parts)
        if found is not None:
            return found
        if len(parts) == 1 and environment.default_dataset is None:
            raise InvalidQuery(f'Table "{parts[0]}" must be qualified with a dataset (e.g. dataset.table).', at=at)
        full = [environment.project, environment.default_dataset or "", *parts][-3 if len(parts) < 3 else -len(parts) :]
        name = f"{full[0]}:{'.'.join(full[1:])}" if len(parts) != 2 else f"{environment.project}:{'.'.join(parts)}"
        raise NotFound(f"Not found: Table {name} was not found in location {environment.location}")

    def table_source(self, relation: Relation, alias: str, scope: Scope) -> str:
        own = tuple(Column(f.name, f.type, f"{quoted(alias)}.{quoted(f.name)}") for f in relation.fields)
        scope.sources.append(Source(alias, own, relation=relation))
        self.statement.read(relation)
        return f"{relation.duckdb_name} AS {quoted(alias)}"

    def _view(self, relation: Relation, alias: str, scope: Scope) -> str:
        assert relation.view_query is not None
        sql, columns = self.query(parse(relation.view_query), None)
        return self._derived(sql, columns, alias, scope)

    def _unnest(self, array: exp.Expression, node: exp.Expression, scope: Scope) -> str:
        value = self.expression(array, scope)
        if value.type is not None and not value.type.is_array:
            raise InvalidQuery(
                f"Values referenced in UNNEST must be arrays. UNNEST contains expression of type {value.type}"
            )
        alias_node = node.args.get("alias")
        alias = node.alias or (alias_node.columns[0].name if alias_node is not None and alias_node.columns else "")
        name = alias or self.statement.unique("u")
        offset = node.args.get("offset")
        offset_name = "" if offset in (None, False) else offset.name if isinstance(offset, exp.Expression) else "offset"
        element = value.type.element if value.type else None
        own = Column(alias, element, f"{quoted(name)}.v")
        scope.sources.append(Source(alias or name, (), value=own))
        positions = ""
        if offset_name:
            positions = f", generate_subscripts({value.sql}, 1) - 1 AS o"
            scope.sources.append(Source(self.statement.unique("o"), (Column(offset_name, INT64, f"{quoted(name)}.o"),)))
        return f"LATERAL (SELECT unnest({value.sql}) AS v{positions}) AS {quoted(name)}"


def _outside(scope: Scope) -> Scope:
    """What a subquery in FROM sees: the blocks around, and WITH, but not the items beside it."""
    assert scope.parent is not None
    return scope.parent


def source_columns(source: Source) -> list[Column]:
    """What * gives of a source: an UNNEST of structs gives their fields."""
    value = source.value
    if value is None:
        return list(source.columns)
    if value.type is not None and value.type.is_struct:
        return [
            Column(field.name, field.type, f"({value.sql}).{quoted(name)}")
            for name, field in value.type.storage_fields()
        ]
    return [value]


def is_path(node: exp.Expression) -> bool:
    return isinstance(node, exp.Column | exp.Dot | exp.Identifier)


def result_fields(columns: Columns) -> tuple[Field, ...]:
    """The API's columns: those without a name are f0_, f1_, … in their own order; an untyped NULL is an INT64."""
    found, unnamed = [], 0
    for column in columns:
        found.append(Field(column.name or f"f{unnamed}_", column.type or INT64))
        unnamed += not column.name
    return tuple(found)
