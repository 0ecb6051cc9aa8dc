"""One SELECT: its list, grouping, windows, ordering."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.expressions import LITERALS, Columns, is_empty_array, ordering, settled
from embedded_bigquery.sql.pruning import partitions_left
from embedded_bigquery.sql.scope import Block, Column, Lowered, Scope, Source, row_of, value_name
from embedded_bigquery.sql.sources import Sources, visible_columns
from embedded_bigquery.types import quoted


class Selects(Sources):
    def select(
        self, node: nodes.Select, outer: Scope, order: Sequence[nodes.Order] = (), limit: str = ""
    ) -> tuple[str, Columns]:
        clause = "" if node.source is not None else "SELECT without FROM clause"
        scope = Scope(self.statement, outer, block=Block(), windows=node.windows, clause=clause)
        source = f" FROM {self.source(node.source, scope)}" if node.source is not None else ""
        return self.rows(node, source, scope, order, limit)

    def rows(
        self, node: nodes.Select, source: str, scope: Scope, order: Sequence[nodes.Order], limit: str
    ) -> tuple[str, Columns]:
        """The SELECT over a FROM that is lowered."""
        block = scope.block
        assert block is not None
        clause = "WHERE" if node.where else "GROUP BY" if node.group else "HAVING" if node.having else ""
        if clause and not source:
            raise InvalidQuery(f"Query without FROM clause cannot have a {clause} clause", at=node.at)
        text = source + self._where(node, scope)
        block.loose.clear()
        grouping = self._grouping(node, scope)
        items = self._select_list(node, scope, grouping)
        text += self._group_text(node.group, grouping)
        having = [SOME_ROWS] if has_sets(node.group) else []
        visible = scope.variant(aliases=aliases_of(items))
        qualify = ""
        for clause, condition in (("HAVING", node.having), ("QUALIFY", node.qualify)):
            if condition is not None:
                test = self.boolean(condition, visible, f"{clause} clause")
                self.check_grouped(node, scope, f"{clause} clause")
                if clause == "HAVING":
                    having.append(subscripted(test))
                else:
                    qualify = f" QUALIFY {test}"
        text += f" HAVING {' AND '.join(having)}" if having else ""
        text += qualify
        if node.kind:
            shown = [self._row_value(node, items)]
            columns: Columns = (Column("", shown[0].type, "c0", is_value=True),)
        else:
            shown, columns = items, tuple(replace(item, sql=f"c{n}") for n, item in enumerate(items))
        names = ", ".join(f"{item.sql} AS c{n}" for n, item in enumerate(shown))
        sql = f"SELECT {'DISTINCT ' if node.distinct else ''}{names}{text}"
        if order and node.distinct:
            return self.ordered(sql, columns, order, limit, scope), columns
        if order:
            sql += f" ORDER BY {self.order(order, visible, shown)}"
            self.check_grouped(node, scope, "ORDER BY clause")
        return sql + limit, columns

    def ordered(self, sql: str, columns: Columns, order: Sequence[nodes.Order], limit: str, scope: Scope) -> str:
        """ORDER BY of what is no plain SELECT: it sees the result's columns."""
        visible = Scope(self.statement, scope.parent, aliases=aliases_of(columns))
        return f"SELECT * FROM ({sql}) ORDER BY {self.order(order, visible, columns)}{limit}"

    def _row_value(self, node: nodes.Select, items: list[Column]) -> Column:
        """The one value that a row of SELECT AS STRUCT or AS VALUE is."""
        if node.kind == "VALUE":
            if len(items) != 1:
                raise InvalidQuery("SELECT AS VALUE query must have exactly one column", at=node.at)
            return items[0]
        sql, kind = row_of(items)
        return Column("", kind, sql)

    def _where(self, node: nodes.Select, scope: Scope) -> str:
        block = scope.block
        assert block is not None
        text = ""
        if node.where is not None:
            text = f" WHERE {self.boolean(node.where, scope.variant(clause='WHERE clause'), 'WHERE clause')}"
        self.check_partition_filters(scope)
        self.prune(node.where, scope)
        return text

    def prune(self, condition: nodes.Node | None, scope: Scope) -> None:
        """Notes which partitions of the tables in FROM the condition leaves."""
        for source in scope.sources:
            if source.reference is not None and source.reference.partitions is None:
                test = partitions_left(condition, source, scope, lambda node, alone: self.boolean(node, alone, "WHERE"))
                source.reference.partitions = test

    def check_partition_filters(self, scope: Scope) -> None:
        """Raises InvalidQuery for a table that must be filtered by its partitions and is not."""
        used = {column.sql for column, _ in scope.block.loose} if scope.block is not None else set()
        for source in scope.sources:
            relation = source.relation
            if relation is None or not relation.require_partition_filter or relation.partition_column is None:
                continue
            column = source.column(relation.partition_column)
            dates = {hidden.sql for hidden in source.hidden}
            if column is not None and column.sql not in used and not dates & used:
                path = relation.path
                raise InvalidQuery(
                    f"Cannot query over table '{path.project}.{path.dataset}.{path.name}' without a filter over "
                    f"column(s) '{relation.partition_column}' that can be used for partition elimination"
                )

    # ---- the list

    def _select_list(self, node: nodes.Select, scope: Scope, grouping: Grouping) -> list[Column]:
        items: list[Column] = []
        block = scope.block
        assert block is not None
        for item in node.items:
            if isinstance(item.value, nodes.Star):
                items += self.star(item.value, scope)
                self.check_grouped(node, scope, "Star expansion")
                continue
            before = block.aggregates
            value = grouping.items.get(id(item)) or settled(item.value, self.expression(item.value, scope))
            name = item.alias or value_name(item.value, value)
            is_literal = isinstance(item.value, LITERALS) or is_empty_array(item.value)
            is_aggregate = block.aggregates > before
            items.append(Column(name, value.type, value.sql, is_literal=is_literal, is_aggregate=is_aggregate))
        self.check_grouped(node, scope, "SELECT list")
        return items

    def check_grouped(self, node: nodes.Select, scope: Scope, clause: str) -> None:
        """Raises InvalidQuery for a column that a grouped query uses outside of its keys and aggregates."""
        block = scope.block
        assert block is not None
        is_grouped = block.is_grouped or node.having is not None
        if is_grouped and block.loose and not (node.group is not None and node.group.every):
            column, at = block.loose[0]
            what = f"{clause} expression references column {column.name}"
            raise InvalidQuery(f"{what} which is neither grouped nor aggregated", at=at or node.at)

    def star(self, star: nodes.Star, scope: Scope) -> list[Column]:
        """The columns that a * or base.* stands for."""
        if star.base is None:
            if not scope.sources:
                raise InvalidQuery("SELECT * must have a FROM clause", at=star.at)
            columns = self.all_columns(scope)
        else:
            source = None
            if isinstance(star.base, nodes.Path) and len(star.base.parts) == 1:
                source = scope.find_source(star.base.parts[0])
            if source is not None:
                columns = [self._used(source, column, scope) for column in visible_columns(source)]
            else:
                columns = _struct_columns(self.expression(star.base, scope), star)
        return self._except_replace(columns, star, scope)

    def all_columns(self, scope: Scope) -> list[Column]:
        found = list(scope.merged.values())
        for source in scope.sources:
            found += [
                self._used(source, column, scope)
                for column in visible_columns(source)
                if column.name.lower() not in scope.merged
            ]
        return found

    def _used(self, source: Source, column: Column, scope: Scope) -> Column:
        scope.use(source, column)
        return column

    def _except_replace(self, columns: list[Column], star: nodes.Star, scope: Scope) -> list[Column]:
        known = {column.name.lower() for column in columns}
        for names, word in ((star.left_out, "EXCEPT"), ([name for name, _ in star.replaced], "REPLACE")):
            missing = [name for name in names if name.lower() not in known]
            if missing:
                raise InvalidQuery(f"Column {missing[0]} in SELECT * {word} list does not exist", at=star.at)
        left_out = {name.lower() for name in star.left_out}
        replaced = {name.lower(): value for name, value in star.replaced}
        found = []
        for column in columns:
            key = column.name.lower()
            if key in replaced and key not in left_out:
                value = self.expression(replaced[key], scope)
                column = Column(column.name, value.type, value.sql)
            if key not in left_out:
                found.append(column)
        if not found:
            raise InvalidQuery("SELECT * expands to zero columns after applying EXCEPT", at=star.at)
        return found

    # ---- grouping

    def _grouping(self, node: nodes.Select, scope: Scope) -> Grouping:
        """Lowers what is grouped by, ahead of the SELECT list."""
        found = Grouping()
        block = scope.block
        assert block is not None
        if node.group is None:
            return found
        block.is_grouped = True
        for key in plain_keys(node.group.items):
            value = self._key(key, node, scope, found)
            if value.type is not None and value.type.kind in ("JSON", "GEOGRAPHY"):
                raise InvalidQuery(f"Grouping by expressions of type {value.type} is not allowed", at=key.at)
            found.keys[id(key)] = value.sql
        block.loose.clear()
        block.keys = set(found.keys.values())
        return found

    def _key(self, key: nodes.Node, node: nodes.Select, scope: Scope, grouping: Grouping) -> Lowered:
        """An expression, the position of an item of the list, or its alias."""
        inner = scope.variant(clause="GROUP BY clause")
        item: nodes.Item | None = None
        if isinstance(key, nodes.Number) and key.text.isdigit():
            found = self._item_at(int(key.text), node, inner)
            if found is None:
                raise InvalidQuery(f"GROUP BY is out of SELECT column number range: {key.text}", at=key.at)
            if isinstance(found, Lowered):
                return found
            item = found
        elif isinstance(key, nodes.Path) and len(key.parts) == 1:
            named = [own for own in node.items if item_name(own).lower() == key.parts[0].lower()]
            if len(named) > 1:
                what = "is ambiguous; it may refer to multiple columns in the SELECT-list"
                raise InvalidQuery(f"Name {key.parts[0]} in GROUP BY clause {what}", at=key.at)
            item = named[0] if named else None
        if item is None:
            return self.expression(key, inner)
        if id(item) not in grouping.items:
            grouping.items[id(item)] = self.expression(item.value, inner)
        return grouping.items[id(item)]

    def _item_at(self, position: int, node: nodes.Select, scope: Scope) -> nodes.Item | Lowered | None:
        """What the list has at a position: an item, or a column that a * stands for."""
        count = 0
        for item in node.items:
            width = self.star(item.value, scope) if isinstance(item.value, nodes.Star) else [None]
            if count < position <= count + len(width):
                column = width[position - count - 1]
                return item if column is None else Lowered(column.sql, column.type, column.name)
            count += len(width)
        return None

    def _group_text(self, group: nodes.Group | None, grouping: Grouping) -> str:
        if group is None:
            return ""
        if group.every:
            return " GROUP BY ALL"
        if not group.items:
            return " GROUP BY ()"
        return f" GROUP BY {', '.join(grouping.text(item) for item in group.items)}"

    # ---- order

    def order(self, items: Sequence[nodes.Order], scope: Scope, columns: Sequence[Column]) -> str:
        """ORDER BY's items; what equals a result column is given by its position."""
        positions = {column.sql: n + 1 for n, column in reversed(list(enumerate(columns)))}
        parts = []
        for item in items:
            if isinstance(item.value, nodes.Number) and item.value.text.isdigit():
                position = int(item.value.text)
                if not 1 <= position <= len(columns):
                    raise InvalidQuery(f"ORDER BY is out of SELECT column number range: {position}", at=item.at)
                value = Lowered(columns[position - 1].sql, columns[position - 1].type)
            else:
                value = self.expression(item.value, scope)
            is_plain = value.type is None or value.type.kind != "FLOAT64"
            if is_plain and value.sql in positions:
                value = Lowered(str(positions[value.sql]), value.type)
            parts.append(ordering(value, item))
        return ", ".join(parts)


# A field of a lambda's parameter; literals come first, since they may look like one.
LAMBDA_FIELD = re.compile(r"""'(?:[^']|'')*'|\b([a-z]\w*_)\.(?:(\w+)|"((?:[^"]|"")+)")""")


def subscripted(text: str) -> str:
    """Fields of lambdas' parameters as subscripts: in HAVING, DuckDB takes v_.a for a column of a table v_."""

    def subscript(match: re.Match[str]) -> str:
        return f"{match[1]}['{match[2] or match[3]}']" if match[1] else match[0]

    return LAMBDA_FIELD.sub(subscript, text) if "lambda " in text else text


@dataclass(slots=True)
class Grouping:
    """What a SELECT groups by."""

    keys: dict[int, str] = field(default_factory=dict)  # DuckDB text of each key, by the identity of its node
    items: dict[int, Lowered] = field(default_factory=dict)  # items of the list that are keys, likewise

    def text(self, item: nodes.Item | nodes.GroupingSet) -> str:
        if isinstance(item, nodes.Item):
            return self.keys[id(item.value)]
        sets = []
        for keys in item.items:
            inner = ", ".join(self.keys[id(key)] for key in keys)
            sets.append(inner if len(keys) == 1 and item.kind != "GROUPING SETS" else f"({inner})")
        return f"{item.kind} ({', '.join([*sets, *(self.text(nested) for nested in item.nested)])})"


# Grouping sets over no rows give none: DuckDB would give that of the empty set.
SOME_ROWS = "count(*) > 0"


def has_sets(group: nodes.Group | None) -> bool:
    return group is not None and any(isinstance(item, nodes.GroupingSet) for item in group.items)


def plain_keys(items: Sequence[nodes.Item | nodes.GroupingSet]) -> Iterator[nodes.Node]:
    """Every expression that is grouped by, in grouping sets too."""
    for item in items:
        if isinstance(item, nodes.Item):
            yield item.value
            continue
        for keys in item.items:
            yield from keys
        yield from plain_keys(item.nested)


def item_name(item: nodes.Item) -> str:
    if item.alias:
        return item.alias
    if isinstance(item.value, nodes.Path):
        return item.value.parts[-1]
    return item.value.name if isinstance(item.value, nodes.FieldOf) else ""


def aliases_of(columns: Sequence[Column]) -> dict[str, Lowered | None]:
    """Names of the SELECT list as later clauses see them; None where one name means two things."""
    found: dict[str, Lowered | None] = {}
    for column in columns:
        if column.name:
            key = column.name.lower()
            known = found.get(key, column)
            same = known is not None and known.sql == column.sql
            known_as = Lowered(column.sql, column.type, column.name, is_aggregate=column.is_aggregate)
            found[key] = known_as if same else None
    return found


def _struct_columns(value: Lowered, star: nodes.Star) -> list[Column]:
    if value.type is None or not value.type.is_struct:
        raise InvalidQuery(f"Dot-star is not supported for type {value.type}", at=star.at)
    return [
        Column(field.name, field.type, f"({value.sql}).{quoted(name)}") for name, field in value.type.storage_fields()
    ]
