"""FROM: tables, arrays, subqueries, joins, PIVOT and UNPIVOT."""

from __future__ import annotations

from embedded_bigquery.errors import NotSupported
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.lexer import STRING
from embedded_bigquery.sql.parser.expressions import ExpressionParser

SIDES = ("LEFT", "RIGHT", "FULL")
CONDITIONS = ("ON", "USING")


class SourceParser(ExpressionParser):
    def source(self) -> nodes.Node:
        """What follows FROM."""
        left = self._joins(self._item())
        while self.take(","):
            left = nodes.Join(left.at, ",", left, self._item())
            left = self._joins(left)
        return left

    # ---- joins

    def _join_kind(self) -> str:
        """The kind of the join that begins here, or ""."""
        word, ahead = self.token.word, self.ahead().word
        if word == "JOIN":
            return "INNER"
        if word in ("INNER", "CROSS") and ahead == "JOIN":
            return word
        if word in SIDES and (ahead == "JOIN" or (ahead == "OUTER" and self.ahead(2).word == "JOIN")):
            return word
        if word == "NATURAL" or (word == "HASH" and ahead == "JOIN"):
            raise NotSupported(f"{word} JOIN", at=self.token.at)
        return ""

    def _joins(self, left: nodes.Node, *, nested: bool = False) -> nodes.Node:
        while kind := self._join_kind():
            left = self.join(left, kind)
            if nested and self.token.word in CONDITIONS:
                break
        return left

    def join(self, left: nodes.Node, kind: str) -> nodes.Join:
        """One join, from its keywords on."""
        at = self.token.at
        while not self.take("JOIN"):
            self.advance()
        right = self._item()
        if kind != "CROSS" and self.token.word not in CONDITIONS and self._join_kind():
            start = self.position
            joined = self._joins(right, nested=True)  # a JOIN b JOIN c ON … ON …
            if self.token.word in CONDITIONS:
                right = joined
            else:
                self.back_to(start)
        made = nodes.Join(at, kind, left, right)
        if self.take("ON"):
            made.on = self.expression()
        elif self.take("USING"):
            made.using = tuple(self.parenthesized(self.identifier))
        return made

    # ---- items

    def _item(self) -> nodes.Node:
        return self._followed(self._plain_item())

    def _plain_item(self) -> nodes.Node:
        at = self.token.at
        if self.take("UNNEST"):
            self.expect("(")
            array = self.expression()
            if self.token.word == ",":
                raise NotSupported("UNNEST of several arrays", at=at)
            self.expect(")")
            alias = self._alias()
            return nodes.Unnest(at, array, alias, self._offset())
        if self.take("("):
            return self._parenthesized_item(at)
        if self.token.word == "LATERAL":
            raise NotSupported("LATERAL", at=at)
        path = self.table_path()
        if self.take("("):
            arguments = [] if self.token.word == ")" else self.comma_list(self._argument)
            self.expect(")")
            return nodes.TableCall(at, path, arguments, self._alias())
        made = nodes.Table(at, path)
        made.as_of = self._as_of()
        made.alias = self._alias()
        made.as_of = made.as_of or self._as_of()
        made.offset = self._offset()
        return made

    def _as_of(self) -> nodes.Node | None:
        if not self.take("FOR"):
            return None
        if not self.take("SYSTEM_TIME"):
            self.expect("SYSTEM", "TIME")
        self.expect("AS", "OF")
        return self.expression()

    def _offset(self) -> str | None:
        if not self.take("WITH", "OFFSET"):
            return None
        return self.alias() or "offset"

    def _alias(self) -> str:
        is_operator = self.token.word in ("PIVOT", "UNPIVOT") and self.ahead().word in ("(", "INCLUDE", "EXCLUDE")
        if is_operator or (self.token.word == "MATCH_RECOGNIZE" and self.ahead().word == "("):
            return ""
        return self.alias()

    def _parenthesized_item(self, at: nodes.Place) -> nodes.Node:
        query = self.closed_query()
        if query is not None:
            return nodes.Derived(at, query, self._alias())
        joined = self._joins(self._item())
        self.expect(")")
        return joined

    def _followed(self, item: nodes.Node) -> nodes.Node:
        """PIVOT, UNPIVOT and TABLESAMPLE after an item."""
        while True:
            word, ahead = self.token.word, self.ahead().word
            if word == "PIVOT" and ahead == "(":
                item = self.pivot(item)
            elif word == "UNPIVOT" and ahead in ("(", "INCLUDE", "EXCLUDE"):
                item = self.unpivot(item)
            elif word == "TABLESAMPLE":
                item = self.sample(item)
            elif word == "MATCH_RECOGNIZE" and ahead == "(":
                raise NotSupported("MATCH_RECOGNIZE", at=self.token.at)
            else:
                return item

    def sample(self, item: nodes.Node) -> nodes.Node:
        at = self.advance().at
        self.expect("SYSTEM", "(")
        percent = self.expression()
        self.expect("PERCENT", ")")
        return nodes.Sample(at, item, percent)

    def pivot(self, item: nodes.Node) -> nodes.Node:
        at = self.advance().at
        self.expect("(")
        aggregates = self.comma_list(self._aliased)
        self.expect("FOR")
        subject = self._binary(5)
        self.expect("IN")
        values = self.parenthesized(self._aliased)
        self.expect(")")
        return nodes.Pivot(at, item, aggregates, subject, values, self._alias())

    def _aliased(self) -> nodes.Item:
        return nodes.Item(self.token.at, self.expression(), self.alias())

    def unpivot(self, item: nodes.Node) -> nodes.Node:
        at = self.advance().at
        include = self.take("INCLUDE", "NULLS")
        if not include:
            self.take("EXCLUDE", "NULLS")
        self.expect("(")
        values = tuple(self.parenthesized(self.identifier)) if self.token.word == "(" else (self.identifier(),)
        self.expect("FOR")
        name = self.identifier()
        self.expect("IN")
        columns = self.parenthesized(self._unpivoted)
        self.expect(")")
        return nodes.Unpivot(at, item, values, name, columns, include, self._alias())

    def _unpivoted(self) -> tuple[tuple[str, ...], nodes.Node | None]:
        names = tuple(self.parenthesized(self.identifier)) if self.token.word == "(" else (self.identifier(),)
        if self.take("AS") or self.token.kind == STRING:
            return names, self.expression()
        return names, None
