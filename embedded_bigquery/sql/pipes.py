"""Pipe syntax: each operator after |> is one more query around what comes before it.

Source: "Pipe query syntax", docs.cloud.google.com/bigquery/docs/reference/standard-sql/pipe-syntax.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.expressions import Columns
from embedded_bigquery.sql.routines import Routines
from embedded_bigquery.sql.scope import Block, Column, Scope, Source
from embedded_bigquery.sql.selects import item_name
from embedded_bigquery.sql.sources import sampled
from embedded_bigquery.types import quoted


class Pipes(Routines):
    @abstractmethod
    def body(self, node: nodes.Node, scope: Scope) -> tuple[str, Columns]: ...

    @abstractmethod
    def limit(self, limit: nodes.Node | None, offset: nodes.Node | None) -> str: ...

    @abstractmethod
    def set_operation(self, node: nodes.SetOperation, sides: list[tuple[str, Columns]]) -> tuple[str, Columns]: ...

    @abstractmethod
    def common_tables(self, tables: Sequence[nodes.Cte], scope: Scope, *, recursive: bool = False) -> str: ...

    def piped(self, node: nodes.Query, outer: Scope, limit: str) -> tuple[str, Columns]:
        state = Scope(self.statement, outer, block=Block())
        if isinstance(node.body, nodes.Select | nodes.SetOperation | nodes.Query):
            inner = nodes.Query(node.at, node.body, order=node.order, limit=node.limit, offset=node.offset)
            sql, given = self.query(inner, outer)
            text = self.derived(sql, given, "", state, node.at)
            state.sources = [source.anonymous() for source in state.sources]
        else:
            text = self.source(node.body, state)
        tables = ""
        for pipe in node.pipes:
            if pipe.kind == "WITH":
                tables += self.common_tables(pipe.tables, outer).replace("WITH ", ", " if tables else "WITH ", 1)
                continue
            text, state = self._step(pipe, text, state)
        columns = self.all_columns(state)
        listed = ", ".join(f"{column.sql} AS c{n}" for n, column in enumerate(columns))
        result = tuple(Column(column.name, column.type, f"c{n}") for n, column in enumerate(columns))
        return f"{tables}SELECT {listed} FROM {text}", result

    def _step(self, pipe: nodes.Pipe, text: str, state: Scope) -> tuple[str, Scope]:
        rule = getattr(self, f"_pipe_{pipe.kind.lower().replace(' ', '_')}")
        found: tuple[str, Scope] = rule(pipe, text, state)
        return found

    def _next(
        self,
        state: Scope,
        columns: Sequence[Column],
        text: str,
        *,
        distinct: bool = False,
        ranges: Sequence[Source] | None = None,
    ) -> tuple[str, Scope]:
        """SELECT columns FROM text as the next operator's input; `ranges` are the aliases that it still sees."""
        alias = self.statement.unique("p")
        kept: list[Column] = list(columns)
        sources = [Source("", tuple(Column(c.name, c.type, f"{quoted(alias)}.c{n}") for n, c in enumerate(columns)))]
        for source in ranges or ():
            own = [source.value] if source.value is not None else list(source.columns)
            moved = [Column(c.name, c.type, f"{quoted(alias)}.c{len(kept) + n}") for n, c in enumerate(own)]
            kept += own
            value = moved[0] if source.value is not None else None
            sources.append(Source(source.alias, () if value else tuple(moved), value=value, is_range=True))
        listed = ", ".join(f"{column.sql} AS c{n}" for n, column in enumerate(kept))
        sql = f"(SELECT {'DISTINCT ' if distinct else ''}{listed} FROM {text}) AS {quoted(alias)}"
        return sql, Scope(self.statement, state.parent, sources, block=Block())

    def _ranges(self, state: Scope) -> list[Source]:
        return [source for source in state.sources if source.alias and not source.alias.startswith("_")]

    def _same(self, pipe: nodes.Pipe, text: str, state: Scope, tail: str) -> tuple[str, Scope]:
        """The rows, fewer or in another order."""
        return self._next(state, self.all_columns(state), text + tail, ranges=self._ranges(state))

    # ---- operators

    def _pipe_where(self, pipe: nodes.Pipe, text: str, state: Scope) -> tuple[str, Scope]:
        assert pipe.value is not None
        condition = self.boolean(pipe.value, state.variant(clause="WHERE clause"), "WHERE clause")
        self.check_partition_filters(state)
        return self._same(pipe, text, state, f" WHERE {condition}")

    def _pipe_limit(self, pipe: nodes.Pipe, text: str, state: Scope) -> tuple[str, Scope]:
        return self._same(pipe, text, state, self.limit(pipe.value, pipe.offset))

    def _pipe_order(self, pipe: nodes.Pipe, text: str, state: Scope) -> tuple[str, Scope]:
        return self._same(pipe, text, state, f" ORDER BY {self.order(pipe.order, state, [])}")

    def _pipe_tablesample(self, pipe: nodes.Pipe, text: str, state: Scope) -> tuple[str, Scope]:
        assert isinstance(pipe.value, nodes.Sample)
        return self._same(pipe, text + sampled(pipe.value), state, "")

    def _pipe_distinct(self, pipe: nodes.Pipe, text: str, state: Scope) -> tuple[str, Scope]:
        return self._next(state, self.all_columns(state), text, distinct=True)

    def _pipe_select(self, pipe: nodes.Pipe, text: str, state: Scope) -> tuple[str, Scope]:
        columns = self._listed(pipe, state)
        return self._next(state, columns, text, distinct=pipe.distinct)

    def _pipe_extend(self, pipe: nodes.Pipe, text: str, state: Scope) -> tuple[str, Scope]:
        columns = [*self.all_columns(state), *self._listed(pipe, state)]
        return self._next(state, columns, text, ranges=self._ranges(state))

    def _listed(self, pipe: nodes.Pipe, state: Scope) -> list[Column]:
        scope = state.variant(windows=pipe.windows, clause="")
        before = scope.block.is_grouped if scope.block else False
        found: list[Column] = []
        for item in pipe.items:
            if isinstance(item.value, nodes.Star):
                found += self.star(item.value, scope)
                continue
            value = self.expression(item.value, scope)
            found.append(Column(item_name(item), value.type, value.sql))
        if scope.block is not None and scope.block.is_grouped != before:
            raise InvalidQuery(f"Aggregate functions are not allowed in |> {pipe.kind}", at=pipe.at)
        return found

    def _pipe_set(self, pipe: nodes.Pipe, text: str, state: Scope) -> tuple[str, Scope]:
        columns = self.all_columns(state)
        for item in pipe.items:
            position = self._position(item.alias, columns, "SET", item.at)
            value = self.expression(item.value, state)
            columns[position] = Column(columns[position].name, value.type, value.sql)
        return self._next(state, columns, text, ranges=self._ranges(state))

    def _pipe_drop(self, pipe: nodes.Pipe, text: str, state: Scope) -> tuple[str, Scope]:
        columns = self.all_columns(state)
        for name, _ in pipe.names:
            del columns[self._position(name, columns, "DROP", pipe.at)]
        if not columns:
            raise InvalidQuery("|> DROP leaves no columns", at=pipe.at)
        return self._next(state, columns, text, ranges=self._ranges(state))

    def _pipe_rename(self, pipe: nodes.Pipe, text: str, state: Scope) -> tuple[str, Scope]:
        columns = self.all_columns(state)
        for old, new in pipe.names:
            position = self._position(old, columns, "RENAME", pipe.at)
            columns[position] = Column(new, columns[position].type, columns[position].sql)
        return self._next(state, columns, text, ranges=self._ranges(state))

    def _position(self, name: str, columns: list[Column], what: str, at: nodes.Place) -> int:
        found = [n for n, column in enumerate(columns) if column.name.lower() == name.lower()]
        if len(found) != 1:
            problem = "is ambiguous" if found else "does not exist"
            raise InvalidQuery(f"Column {name} in |> {what} {problem}", at=at)
        return found[0]

    def _pipe_as(self, pipe: nodes.Pipe, text: str, state: Scope) -> tuple[str, Scope]:
        columns = self.all_columns(state)
        return self._next(state, columns, text, ranges=[Source(pipe.names[0][0], tuple(columns))])

    def _pipe_aggregate(self, pipe: nodes.Pipe, text: str, state: Scope) -> tuple[str, Scope]:
        items = [item for item in (pipe.group.items if pipe.group else []) if isinstance(item, nodes.Item)]
        if pipe.group is not None and len(items) != len(pipe.group.items):
            raise NotSupported("grouping sets in |> AGGREGATE", at=pipe.at)
        # The keys by their positions in the list that they begin: an alias of theirs must not hide a column.
        keys = [nodes.Item(item.at, nodes.Number(item.at, str(n + 1))) for n, item in enumerate(items)]
        group = nodes.Group(pipe.at, list(keys)) if items else None
        select = nodes.Select(pipe.at, [*items, *pipe.items], group=group)
        assert state.block is not None
        state.block.is_grouped = True
        order = pipe.order
        if pipe.group_order:
            given = [item.value for item in pipe.order]
            order = pipe.order + [nodes.Order(item.at, item.value) for item in items if item.value not in given]
        positions = {id(item.value): n + 1 for n, item in enumerate(select.items)}
        by_position = [
            nodes.Order(own.at, nodes.Number(own.at, str(positions[id(own.value)])), own.descending, own.nulls)
            for own in order
        ]
        sql, columns = self.rows(select, f" FROM {text}", state, by_position, "")
        alias = self.statement.unique("p")
        own = tuple(Column(column.name, column.type, f"{quoted(alias)}.c{n}") for n, column in enumerate(columns))
        return f"({sql}) AS {quoted(alias)}", Scope(self.statement, state.parent, [Source("", own)], block=Block())

    def _pipe_join(self, pipe: nodes.Pipe, text: str, state: Scope) -> tuple[str, Scope]:
        node = pipe.value
        assert isinstance(node, nodes.Join)
        count = len(state.sources)
        right = self.source(node.right, state)
        joined = f"{text} {self.joined(node, right, state, count)}"
        return self._next(state, self.all_columns(state), joined, ranges=self._ranges(state))

    def _pipe_call(self, pipe: nodes.Pipe, text: str, state: Scope) -> tuple[str, Scope]:
        node = pipe.value
        assert isinstance(node, nodes.TableCall)
        columns = self.all_columns(state)
        listed = ", ".join(f"{column.sql} AS c{n}" for n, column in enumerate(columns))
        given = tuple(Column(column.name, column.type, f"c{n}") for n, column in enumerate(columns))
        sql, found = self.table_rows(node, Scope(self.statement, state.parent), (f"SELECT {listed} FROM {text}", given))
        return self._rows(sql, found, state, node.alias)

    def _pipe_pivot(self, pipe: nodes.Pipe, text: str, state: Scope) -> tuple[str, Scope]:
        assert isinstance(pipe.value, nodes.Pivot | nodes.Unpivot)
        sql, columns = self.pivoted(pipe.value, text, state)
        return self._rows(sql, columns, state, pipe.value.alias)

    _pipe_unpivot = _pipe_pivot

    def _pipe_set_operation(self, pipe: nodes.Pipe, text: str, state: Scope) -> tuple[str, Scope]:
        assert pipe.operation is not None and state.parent is not None
        columns = self.all_columns(state)
        listed = ", ".join(f"{column.sql} AS c{n}" for n, column in enumerate(columns))
        own = tuple(Column(column.name, column.type, f"c{n}") for n, column in enumerate(columns))
        others = [self.query(query, state.parent) for query in pipe.operation.queries]
        operation = nodes.SetOperation(
            pipe.operation.at, pipe.operation.kind, pipe.operation.distinct,
            [pipe.operation.queries[0], *pipe.operation.queries], pipe.operation.by_name,
            mode=pipe.operation.mode, names=pipe.operation.names,
        )  # fmt: skip
        sql, found = self.set_operation(operation, [(f"SELECT {listed} FROM {text}", own), *others])
        return self._rows(sql, found, state, "")

    def _rows(self, sql: str, columns: Columns, state: Scope, alias: str) -> tuple[str, Scope]:
        made = Scope(self.statement, state.parent, block=Block())
        text = self.derived(sql, columns, alias, made, (1, 1))
        if not alias:
            made.sources = [source.anonymous() for source in made.sources]
        return text, made
