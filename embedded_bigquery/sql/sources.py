"""FROM: each item's DuckDB text, and the names that it brings into scope."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

from embedded_bigquery.errors import InvalidQuery, NotFound, NotSupported
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.environment import Relation
from embedded_bigquery.sql.expressions import Columns, Expressions
from embedded_bigquery.sql.functions.duckdb_text import literal
from embedded_bigquery.sql.functions.registry import converted, supertype
from embedded_bigquery.sql.functions.signatures import coerces
from embedded_bigquery.sql.parser import parse_expression, parse_query
from embedded_bigquery.sql.scope import Block, Column, Lowered, Scope, Source, struct_field
from embedded_bigquery.types import DATE, INT64, STRING, TIMESTAMP, quoted

PARTITION_TIME = "_PARTITIONTIME"
PLAIN_COLUMN = re.compile(r'"((?:[^"]|"")+)"\.(?:\w+|"(?:[^"]|"")+")')


class Sources(Expressions):
    @abstractmethod
    def table_call(self, node: nodes.TableCall, scope: Scope) -> str:
        """A table function among the items of FROM."""

    @abstractmethod
    def pivot(self, node: nodes.Pivot | nodes.Unpivot, scope: Scope) -> str:
        """PIVOT or UNPIVOT of an item of FROM."""

    def source(self, node: nodes.Node, scope: Scope) -> str:
        """Adds what the item (or join) brings to the scope; its DuckDB text."""
        if isinstance(node, nodes.Join):
            return self.join(node, scope)
        if isinstance(node, nodes.Table):
            return self._table(node, scope)
        if isinstance(node, nodes.Derived):
            sql, columns = self.query(node.query, scope.parent)
            return self.derived(sql, columns, node.alias, scope, node.at)
        if isinstance(node, nodes.Unnest):
            return self._unnest(node, scope)
        if isinstance(node, nodes.TableCall):
            return self.table_call(node, scope)
        if isinstance(node, nodes.Pivot | nodes.Unpivot):
            return self.pivot(node, scope)
        if isinstance(node, nodes.Sample):
            return f"{self.source(node.source, scope)}{sampled(node)}"
        raise NotSupported(f"{type(node).__name__} in FROM", at=node.at)

    def add(self, source: Source, scope: Scope, at: nodes.Place) -> None:
        if source.alias and scope.source(source.alias) is not None:
            raise InvalidQuery(f"Duplicate table alias {source.alias} in the same FROM clause", at=at)
        scope.sources.append(source)

    # ---- joins

    def join(self, node: nodes.Join, scope: Scope) -> str:
        left = self.source(node.left, scope)
        array = self._array_item(node.right, scope)
        if array is not None and node.on is None and not node.using and node.kind in (",", "CROSS", "INNER", "LEFT"):
            value, is_correlated = self._array(array, scope)
            if is_correlated:
                return self._exploded(left, array, value, scope, keep=node.kind == "LEFT")
        count = len(scope.sources)
        right = self.source(node.right, scope)
        return f"{left} {self.joined(node, right, scope, count)}"

    def _array_item(self, node: nodes.Node, scope: Scope) -> nodes.Unnest | None:
        """The item as an UNNEST when it is one, or a path to an array."""
        if isinstance(node, nodes.Unnest):
            return node
        if isinstance(node, nodes.Table) and len(node.path) > 1 and _has(scope.find_source(node.path[0]), node.path[1]):
            path = nodes.Path(node.at, node.path)
            return nodes.Unnest(node.at, path, node.alias or node.path[-1], node.offset)
        return None

    def joined(self, node: nodes.Join, right: str, scope: Scope, count: int) -> str:
        """The join's keyword, right side and condition; the first `count` sources are the left side's."""
        if isinstance(node.right, nodes.Join):
            right = f"({right})"
        kind = node.kind
        if node.using:
            return f"{kind} JOIN {right} ON {self._using(node, scope, count)}"
        if node.on is not None:
            condition = self.boolean(node.on, scope.variant(clause="JOIN ON clause"), "JOIN ON clause")
            return f"{kind} JOIN {right} ON {condition}"
        if kind in ("CROSS", ","):
            return f"CROSS JOIN {right}"
        if not isinstance(node.right, nodes.Unnest | nodes.Table) or not right.startswith(("LATERAL", "(SELECT")):
            raise InvalidQuery(f"{kind} JOIN must have an immediately following ON or USING clause", at=node.at)
        return f"{kind} JOIN {right} ON TRUE"

    def _using(self, node: nodes.Join, scope: Scope, count: int) -> str:
        tests, merged = [], {}
        left, right = scope.sources[:count], scope.sources[count:]
        for name in node.using:
            key = name.lower()
            own = scope.merged.get(key) or _only(left, name, "left", node)
            other = _only(right, name, "right", node)
            for source in scope.sources:
                if (column := source.column(name)) is not None:
                    scope.use(source, column, node.at)
            kind = supertype([own.type, other.type])
            left_sql = converted(own.sql, own.type, kind) if kind else own.sql
            right_sql = converted(other.sql, other.type, kind) if kind else other.sql
            tests.append(f"{left_sql} = {right_sql}")
            value = {"RIGHT": right_sql, "FULL": f"coalesce({left_sql}, {right_sql})"}.get(node.kind, left_sql)
            merged[key] = Column(own.name, kind, value)
        rest = {key: column for key, column in scope.merged.items() if key not in merged}
        scope.merged.clear()
        scope.merged.update(merged | rest)  # the columns of the outermost join come first
        return " AND ".join(tests)

    # ---- subqueries

    def derived(self, sql: str, columns: Columns, alias: str, scope: Scope, at: nodes.Place) -> str:
        """A query in FROM, or anything else that gives rows as one does."""
        name = alias or self.statement.unique("q")
        self.add(source_of(name, columns), scope, at)
        names = ", ".join(f"c{n}" for n in range(len(columns)))
        return f"({sql}) AS {quoted(name)}({names})"

    # ---- tables

    def _table(self, node: nodes.Table, scope: Scope) -> str:
        path = node.path
        if len(path) == 1 and (known := scope.table(path[0])) is not None:
            name, columns = known
            alias = node.alias or path[0]
            self.add(source_of(alias, columns), scope, node.at)
            return f"{quoted(name)} AS {quoted(alias)}"
        array = self._array_item(node, scope)
        if array is not None:
            return self._unnest(array, scope)
        if node.as_of is not None:
            raise NotSupported("FOR SYSTEM_TIME AS OF", at=node.at)
        alias = node.alias or path[-1]
        if path[-1].endswith("*"):
            return self._wildcard(path, alias, scope, node.at)
        relation = self.relation(path, node.at)
        if relation.view_query is not None:
            sql, columns = self._view(relation)
            return self.derived(sql, columns, alias, scope, node.at)
        text = self.table_source(relation, alias, scope, node.at)
        return text if relation.row_filter is None else self._filtered(text, relation.row_filter, alias, scope)

    def _filtered(self, table: str, condition: str, alias: str, scope: Scope) -> str:
        """The rows of the table, the last of the scope's sources, for which the condition holds."""
        own = Scope(self.statement)
        own.sources.append(scope.sources[-1])
        test = self.boolean(parse_expression(condition), own, "row access policy")
        return f"(SELECT * FROM {table} WHERE {test}) AS {quoted(alias)}"

    def relation(self, parts: tuple[str, ...], at: nodes.Place) -> Relation:
        """Raises NotFound."""
        environment = self.statement.environment
        found = environment.relation(parts)
        if found is not None:
            return found
        if len(parts) == 1 and environment.default_dataset is None:
            raise InvalidQuery(f'Table "{parts[0]}" must be qualified with a dataset (e.g. dataset.table).', at=at)
        full = (environment.project, environment.default_dataset or "", parts[0]) if len(parts) == 1 else parts
        full = (environment.project, *full) if len(full) == 2 else full
        name = f"{full[0]}:{'.'.join(full[1:])}"
        raise NotFound(f"Not found: Table {name} was not found in location {environment.location}")

    def table_source(self, relation: Relation, alias: str, scope: Scope, at: nodes.Place) -> str:
        own = tuple(Column(f.name, f.type, f"{quoted(alias)}.{quoted(f.name)}") for f in relation.fields)
        hidden: Columns = ()
        if relation.partition_column == PARTITION_TIME:
            time = f"{quoted(alias)}.{quoted(PARTITION_TIME)}"
            date = f"CAST({time} AS DATE)"
            hidden = (Column(PARTITION_TIME, TIMESTAMP, time), Column("_PARTITIONDATE", DATE, date))
        reference = self.statement.refer(relation)
        self.add(Source(alias, own, relation=relation, hidden=hidden, reference=reference), scope, at)
        return f"{relation.duckdb_name} AS {quoted(alias)}"

    def _wildcard(self, path: nodes.Names, alias: str, scope: Scope, at: nodes.Place) -> str:
        """All tables whose names begin alike: the columns are those of the newest, _TABLE_SUFFIX is what follows."""
        relations = self.statement.environment.wildcard(path)
        if not relations:
            raise InvalidQuery(f"{'.'.join(path)} does not match any table.", at=at)
        fields, prefix = relations[-1].fields, path[-1].removesuffix("*")
        parts = []
        for relation in relations:
            if relation.row_filter is not None:
                raise NotSupported(f"wildcard over {relation.path}, which has row access policies", at=at)
            known = {field.name.lower(): field for field in relation.fields}
            self.statement.refer(relation).columns.update(f.name for f in fields if f.name.lower() in known)
            values = []
            for n, field in enumerate(fields):
                own = known.get(field.name.lower())
                if own is not None and own.type != field.type and coerces(own.type, field.type) is None:
                    raise InvalidQuery(
                        f"Cannot read field of type {own.type} as {field.type} Field: {field.name}", at=at
                    )
                value = (
                    converted(quoted(own.name), own.type, field.type) if own else f"CAST(NULL AS {field.type.duckdb()})"
                )
                values.append(f"{value} AS c{n}")
            suffix = literal(relation.path.name.removeprefix(prefix))
            parts.append(f"SELECT {', '.join(values)}, {suffix} AS s FROM {relation.duckdb_name}")
        name = quoted(alias)
        own_columns = tuple(Column(field.name, field.type, f"{name}.c{n}") for n, field in enumerate(fields))
        hidden = (Column("_TABLE_SUFFIX", STRING, f"{name}.s"),)
        self.add(Source(alias, own_columns, hidden=hidden), scope, at)
        return f"({' UNION ALL '.join(parts)}) AS {name}"

    def _view(self, relation: Relation) -> tuple[str, Columns]:
        """A view's query, under the names that the view gives its columns."""
        assert relation.view_query is not None
        sql, columns = self.query(parse_query(relation.view_query), None)
        if len(relation.fields) != len(columns):
            return sql, columns
        pairs = zip(relation.fields, columns, strict=True)
        return sql, tuple(Column(field.name, column.type, column.sql) for field, column in pairs)

    # ---- arrays

    def _array(self, node: nodes.Unnest, scope: Scope) -> tuple[Lowered, bool]:
        """The array, and whether it is one of what stands before it in the same FROM."""
        block = scope.block or Block()
        before = len(block.loose)
        value = self.expression(node.array, scope.variant(block=block, clause="UNNEST"))
        if value.type is not None and not value.type.is_array:
            raise InvalidQuery(
                f"Values referenced in UNNEST must be arrays. UNNEST contains expression of type {value.type}",
                at=node.array.at,
            )
        return value, len(block.loose) > before

    def _unnest(self, node: nodes.Unnest, scope: Scope) -> str:
        value, is_correlated = self._array(node, scope)
        # Two arrays may have one alias: then neither can be named.
        is_free = bool(node.alias) and scope.source(node.alias) is None
        name = node.alias if is_free else self.statement.unique("u")
        self._add_elements(node, value, name, f"{quoted(name)}.v", f"{quoted(name)}.o", scope)
        positions = f", generate_subscripts({value.sql}, 1) - 1 AS o" if node.offset is not None else ""
        lateral = "LATERAL " if is_correlated else ""
        return f"{lateral}(SELECT unnest({value.sql}) AS v{positions}) AS {quoted(name)}"

    def _add_elements(
        self, node: nodes.Unnest, value: Lowered, name: str, element: str, offset: str, scope: Scope
    ) -> None:
        kind = value.type.element if value.type else None
        scope.sources.append(Source(name, (), value=Column(node.alias, kind, element)))
        if node.offset is not None:
            scope.sources.append(Source(self.statement.unique("o"), (Column(node.offset, INT64, offset),)))

    def _exploded(self, left: str, node: nodes.Unnest, value: Lowered, scope: Scope, *, keep: bool) -> str:
        """The left side with a row for each element: DuckDB does this in order and without a join.

        `keep`: a row whose array has no elements stays, with NULL for one.
        """
        alias, listed = self._moved(scope)
        element = self.statement.unique("v")
        offset = f"{element}_o"
        wanted = [(value.sql, element)]
        if node.offset is not None:
            wanted.append((f"generate_series(0, len({value.sql}) - 1)", offset))
        for array, own in wanted:
            kept = f"CASE WHEN len({value.sql}) > 0 THEN {array} ELSE [NULL] END" if keep else array
            listed += f", unnest({kept}) AS {own}"
        name = node.alias if node.alias and scope.source(node.alias) is None else self.statement.unique("u")
        prefix = quoted(alias)
        self._add_elements(node, value, name, f"{prefix}.{element}", f"{prefix}.{offset}", scope)
        return f"(SELECT {listed} FROM {left}) AS {prefix}"

    def _moved(self, scope: Scope) -> tuple[str, str]:
        """Makes the scope's columns those of one subquery around them; its alias and what it selects."""
        columns = [column for source in scope.sources for column in source.all]
        aliases = {_prefix(column.sql) for column in (*columns, *scope.merged.values())}
        if len(aliases) == 1 and (alias := next(iter(aliases))):
            return alias, f"{quoted(alias)}.*"
        alias = self.statement.unique("j")
        names = {column.sql: f"x{n}" for n, column in enumerate((*columns, *scope.merged.values()))}

        def moved(column: Column) -> Column:
            return replace(column, sql=f"{quoted(alias)}.{names[column.sql]}")

        scope.sources[:] = [
            replace(
                source,
                columns=tuple(map(moved, source.columns)),
                hidden=tuple(map(moved, source.hidden)),
                value=source.value and moved(source.value),
            )
            for source in scope.sources
        ]
        for key, column in scope.merged.items():
            scope.merged[key] = moved(column)
        return alias, ", ".join(f"{sql} AS {name}" for sql, name in names.items())


def _prefix(sql: str) -> str:
    """The alias in the text of a plain column, "" for any other text."""
    found = PLAIN_COLUMN.fullmatch(sql)
    return found[1].replace('""', '"') if found else ""


def sampled(node: nodes.Sample) -> str:
    """DuckDB wants the share as a plain number."""
    if not isinstance(node.percent, nodes.Number):
        raise NotSupported("TABLESAMPLE of a share that is no literal", at=node.at)
    return f" TABLESAMPLE BERNOULLI ({float(node.percent.text)} PERCENT)"


def source_of(alias: str, columns: Sequence[Column]) -> Source:
    """The columns c0, c1, … of what is called `alias` in DuckDB."""
    prefix = quoted(alias)
    own = tuple(Column(column.name, column.type, f"{prefix}.c{n}") for n, column in enumerate(columns))
    if len(columns) == 1 and columns[0].is_value:
        return Source(alias, (), value=Column(alias, own[0].type, own[0].sql))
    return Source(alias, own)


def _has(source: Source | None, name: str) -> bool:
    """Whether a path that begins with the source's alias goes on inside of it."""
    if source is None:
        return False
    if source.value is not None:
        return struct_field(Lowered(source.value.sql, source.value.type), name) is not None
    return source.column(name) is not None


def _only(sources: list[Source], name: str, side: str, node: nodes.Join) -> Column:
    found = [column for source in sources if (column := visible_column(source, name)) is not None]
    if not found:
        raise InvalidQuery(f"Column {name} in USING clause not found on {side} side of join", at=node.at)
    if len(found) > 1:
        raise InvalidQuery(f"Column {name} in USING clause is ambiguous on {side} side of join", at=node.at)
    return found[0]


def visible_column(source: Source, name: str) -> Column | None:
    lower = name.lower()
    return next((column for column in visible_columns(source) if column.name.lower() == lower), None)


def visible_columns(source: Source) -> list[Column]:
    """What * gives of a source: an array of structs and a value table give their fields."""
    value = source.value
    if source.is_range:
        return []
    if value is None:
        return list(source.columns)
    if value.type is not None and value.type.is_struct:
        return [
            Column(field.name, field.type, f"({value.sql}).{quoted(name)}")
            for name, field in value.type.storage_fields()
        ]
    return [value]
