"""Queries: SELECT, WITH, set operations, ORDER BY and LIMIT, and the operators after |>."""

from __future__ import annotations

from embedded_bigquery.errors import NotSupported
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.parser.sources import SourceParser

SET_WORDS = ("UNION", "INTERSECT", "EXCEPT")
MODES = ("INNER", "LEFT", "FULL")


class QueryParser(SourceParser):
    def starts_query(self) -> bool:
        depth = 0
        while (word := self.ahead(depth).word) == "(":
            depth += 1
        return word in ("SELECT", "FROM") or (word == "WITH" and self.ahead(depth + 1).word != "(")

    def query(self) -> nodes.Query:
        at = self.token.at
        tables: list[nodes.Cte] = []
        recursive = False
        if self.take("WITH"):
            recursive = self.take("RECURSIVE")
            tables = self.comma_list(self._cte, trailing="SELECT FROM (")
        made = nodes.Query(at, self._set_operations(), tables, recursive)
        made.order = self.order_by()
        if self.take("LIMIT"):
            made.limit = self.expression()
            made.offset = self.expression() if self.take("OFFSET") else None
        while self.take("|>"):
            made.pipes.append(self._pipe())
        return made

    def _cte(self) -> nodes.Cte:
        at, name = self.token.at, self.identifier()
        self.expect("AS", "(")
        query = self.query()
        self.expect(")")
        if self.token.word == "WITH" and self.ahead().word == "DEPTH":
            raise NotSupported("WITH DEPTH", at=self.token.at)
        return nodes.Cte(at, name, query)

    def _operand(self) -> nodes.Query:
        return nodes.Query(self.token.at, self._primary_query())

    def _primary_query(self) -> nodes.Select | nodes.Query | nodes.Node:
        if self.take("("):
            at, inner = self.token.at, self.query()
            self.expect(")")
            return nodes.Derived(at, inner, self.identifier()) if self.take("AS") else inner
        if self.token.word == "FROM":
            self.advance()
            return self.source()
        return self.select()

    # ---- set operations

    def _set_operation_head(self) -> nodes.SetOperation | None:
        """UNION ALL BY NAME and its like, or None when nothing of the kind begins here."""
        at, start, mode = self.token.at, self.position, ""
        if self.token.word in MODES:
            outer = self.ahead().word == "OUTER"
            if self.ahead(2 if outer else 1).word not in SET_WORDS:
                return None
            mode = self.advance().word
            self.take("OUTER")
        if self.token.word not in SET_WORDS:
            self.back_to(start)
            return None
        made = nodes.SetOperation(at, self.advance().word, False, [], mode=mode)
        if self.take("DISTINCT"):
            made.distinct = True
        elif not self.take("ALL"):
            raise self.unexpected("keyword ALL or keyword DISTINCT")
        strict = self.take("STRICT")
        if self.take("CORRESPONDING"):
            made.by_name, made.mode = True, mode or ("" if strict else "INNER")
            made.names = tuple(self.parenthesized(self.identifier)) if self.take("BY") else ()
        elif self.take("BY", "NAME"):
            made.by_name = True
            made.names = tuple(self.parenthesized(self.identifier)) if self.take("ON") else ()
        return made

    def _set_operations(self) -> nodes.Node:
        first = self._primary_query()
        made = self._set_operation_head()
        if made is None:
            return first
        made.queries = [nodes.Query(first.at, first), self._operand()]
        while (more := self._set_operation_head()) is not None:
            if (more.kind, more.distinct) != (made.kind, made.distinct):
                raise self.error(
                    "Syntax error: Different set operations cannot be used in the same query without using "
                    "parentheses for grouping",
                    more.at,
                )
            if more.by_name or made.by_name:
                made = nodes.SetOperation(
                    more.at, more.kind, more.distinct, [nodes.Query(made.at, made), self._operand()],
                    more.by_name, mode=more.mode, names=more.names,
                )  # fmt: skip
            else:
                made.queries.append(self._operand())
        return made

    # ---- SELECT

    def select(self) -> nodes.Select:
        at = self.token.at
        self.expect("SELECT")
        made = nodes.Select(at, [])
        if self.token.word == "WITH" and self.ahead().word != "(":
            raise NotSupported(f"SELECT WITH {self.ahead().text}", at=at)
        made.distinct = self.take("DISTINCT")
        if not made.distinct:
            self.take("ALL")
        if self.take("AS"):
            if self.token.word not in ("STRUCT", "VALUE"):
                raise NotSupported(f"SELECT AS {self.identifier()}", at=at)
            made.kind = self.advance().word
        made.items = self._items()
        if self.take("FROM"):
            made.source = self.source()
        if self.take("WHERE"):
            made.where = self.expression()
        if self.token.word == "GROUP":
            made.group = self._group()
        if self.take("HAVING"):
            made.having = self.expression()
        if self.take("QUALIFY"):
            made.qualify = self.expression()
        made.windows = self.windows()
        if made.windows and made.qualify is None and self.take("QUALIFY"):
            made.qualify = self.expression()
        return made

    def _items(self) -> list[nodes.Item]:
        return self.comma_list(self._select_item, trailing="FROM ) |> WHERE UNION ;")

    def _select_item(self) -> nodes.Item:
        at = self.token.at
        if self.take("*"):
            return nodes.Item(at, self._star(nodes.Star(at)))
        value = self.expression()
        if self.token.word == "." and self.ahead().word == "*":
            self.advance()
            self.advance()
            return nodes.Item(at, self._star(nodes.Star(at, value)))
        return nodes.Item(at, value, self.alias())

    def _star(self, star: nodes.Star) -> nodes.Star:
        if self.take("EXCEPT"):
            star.left_out = tuple(self.parenthesized(self.identifier))
        if self.take("REPLACE"):
            star.replaced = self.parenthesized(self._replaced)
        return star

    def _replaced(self) -> tuple[str, nodes.Node]:
        value = self.expression()
        return self.alias(), value

    # ---- GROUP BY

    def _group(self) -> nodes.Group:
        made = nodes.Group(self.advance().at)
        self.expect("BY")
        if self.take("ALL"):
            made.every = True
        else:
            made.items = [] if self.take("(", ")") else self.comma_list(self._group_item)
        return made

    def _group_item(self) -> nodes.Item | nodes.GroupingSet:
        found = self._grouping_set()
        return found if found is not None else nodes.Item(self.token.at, self.expression())

    def _grouping_set(self) -> nodes.GroupingSet | None:
        at = self.token.at
        if self.token.word in ("ROLLUP", "CUBE") and self.ahead().word == "(":
            kind = self.advance().word
            return nodes.GroupingSet(at, kind, self.parenthesized(self._set_of_keys))
        if self.take("GROUPING", "SETS"):
            made = nodes.GroupingSet(at, "GROUPING SETS", [])
            self.expect("(")
            while True:
                inner = self._grouping_set()
                if inner is not None:
                    made.nested.append(inner)
                else:
                    made.items.append(self._set_of_keys())
                if not self.take(","):
                    break
            self.expect(")")
            return made
        return None

    def _set_of_keys(self) -> list[nodes.Node]:
        if self.at_words("(", ")"):
            self.advance()
            self.advance()
            return []
        found = self.expression()
        if isinstance(found, nodes.Struct) and found.type is None and not any(name for name, _ in found.items):
            return [value for _, value in found.items]
        return [found]

    # ---- pipes

    def _pipe(self) -> nodes.Pipe:
        at, word = self.token.at, self.token.word
        kind = self._join_kind()
        if kind:
            return nodes.Pipe(at, "JOIN", value=self.join(nodes.Nothing(at), kind))
        operation = self._set_operation_head()
        if operation is not None:
            operands = self.comma_list(self._operand)
            operation.queries = operands
            return nodes.Pipe(at, "SET OPERATION", operation=operation)
        rule = getattr(self, f"_pipe_{word.lower()}", None) if word else None
        if rule is None:
            raise self.unexpected("a pipe operator")
        self.advance()
        made: nodes.Pipe = rule(nodes.Pipe(at, word))
        return made

    def _pipe_select(self, pipe: nodes.Pipe) -> nodes.Pipe:
        pipe.distinct = self.take("DISTINCT")
        if self.take("AS"):
            raise NotSupported("|> SELECT AS", at=pipe.at)
        pipe.items = self._items()
        pipe.windows = self.windows()
        return pipe

    def _pipe_extend(self, pipe: nodes.Pipe) -> nodes.Pipe:
        pipe.items = self._items()
        pipe.windows = self.windows()
        return pipe

    def _pipe_set(self, pipe: nodes.Pipe) -> nodes.Pipe:
        pipe.items = self.comma_list(self._assignment)
        return pipe

    def _assignment(self) -> nodes.Item:
        at, name = self.token.at, self.identifier()
        self.expect("=")
        return nodes.Item(at, self.expression(), name)

    def _pipe_drop(self, pipe: nodes.Pipe) -> nodes.Pipe:
        pipe.names = [(name, "") for name in self.comma_list(self.identifier)]
        return pipe

    def _pipe_rename(self, pipe: nodes.Pipe) -> nodes.Pipe:
        pipe.names = self.comma_list(self._renaming)
        return pipe

    def _renaming(self) -> tuple[str, str]:
        old = self.identifier()
        self.take("AS")
        return old, self.identifier()

    def _pipe_as(self, pipe: nodes.Pipe) -> nodes.Pipe:
        pipe.names = [(self.identifier(), "")]
        return pipe

    def _pipe_where(self, pipe: nodes.Pipe) -> nodes.Pipe:
        pipe.value = self.expression()
        return pipe

    def _pipe_limit(self, pipe: nodes.Pipe) -> nodes.Pipe:
        pipe.value = self.expression()
        pipe.offset = self.expression() if self.take("OFFSET") else None
        return pipe

    def _pipe_distinct(self, pipe: nodes.Pipe) -> nodes.Pipe:
        return pipe

    def _pipe_order(self, pipe: nodes.Pipe) -> nodes.Pipe:
        self.expect("BY")
        pipe.order = self.comma_list(self._order)
        return pipe

    def _pipe_aggregate(self, pipe: nodes.Pipe) -> nodes.Pipe:
        if self.token.word not in ("GROUP", "|>", ")", ""):
            pipe.items = self.comma_list(lambda: self._aggregate_item(pipe.order), trailing="GROUP")
        if self.token.word == "GROUP":
            at = self.advance().at
            if self.take("AND"):
                self.expect("ORDER")
                pipe.group_order = True
            self.expect("BY")
            pipe.group = nodes.Group(at, self.comma_list(lambda: self._key(pipe.order)))
        return pipe

    def _aggregate_item(self, orders: list[nodes.Order]) -> nodes.Item:
        """An item of AGGREGATE; where ASC or DESC follows, the result is ordered by it."""
        item = nodes.Item(self.token.at, self.expression())
        item.alias = self.alias()
        if self.token.word in ("ASC", "DESC"):
            made = nodes.Order(item.at, item.value, self.advance().word == "DESC")
            if self.take("NULLS"):
                made.nulls = self.advance().word
            orders.append(made)
        return item

    def _key(self, orders: list[nodes.Order]) -> nodes.Item | nodes.GroupingSet:
        return self._grouping_set() or self._aggregate_item(orders)

    def _pipe_call(self, pipe: nodes.Pipe) -> nodes.Pipe:
        at = self.token.at
        path = self.table_path()
        self.expect("(")
        arguments = [] if self.token.word == ")" else self.comma_list(self._argument)
        self.expect(")")
        pipe.value = nodes.TableCall(at, path, arguments, self._alias())
        return pipe

    def _pipe_tablesample(self, pipe: nodes.Pipe) -> nodes.Pipe:
        self.back_to(self.position - 1)
        pipe.value = self.sample(nodes.Nothing(pipe.at))
        return pipe

    def _pipe_pivot(self, pipe: nodes.Pipe) -> nodes.Pipe:
        self.back_to(self.position - 1)
        pipe.value = self.pivot(nodes.Nothing(pipe.at))
        return pipe

    def _pipe_unpivot(self, pipe: nodes.Pipe) -> nodes.Pipe:
        self.back_to(self.position - 1)
        pipe.value = self.unpivot(nodes.Nothing(pipe.at))
        return pipe

    def _pipe_window(self, pipe: nodes.Pipe) -> nodes.Pipe:
        pipe.kind = "EXTEND"
        return self._pipe_extend(pipe)

    def _pipe_with(self, pipe: nodes.Pipe) -> nodes.Pipe:
        pipe.tables = self.comma_list(self._cte, trailing="|>")
        return pipe

    def _pipe_assert(self, pipe: nodes.Pipe) -> nodes.Pipe:
        raise NotSupported("|> ASSERT", at=pipe.at)
