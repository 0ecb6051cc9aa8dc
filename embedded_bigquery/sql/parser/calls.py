"""Calls of functions: arguments, what may stand after them, and windows."""

from __future__ import annotations

from abc import ABC, abstractmethod

from embedded_bigquery.errors import NotSupported
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.lexer import WORD
from embedded_bigquery.sql.parser.types import TypeParser


class CallParser(TypeParser, ABC):
    @abstractmethod
    def expression(self) -> nodes.Node: ...

    @abstractmethod
    def query(self) -> nodes.Query: ...

    def call(self, at: nodes.Place, path: tuple[str, ...]) -> nodes.Call:
        """What follows the name of a function."""
        self.expect("(")
        safe = len(path) > 1 and path[0].upper() == "SAFE"
        made = nodes.Call(at, path[1:] if safe else path, [], safe=safe)
        made.distinct = self.take("DISTINCT")
        if self.token.word != ")":
            made.arguments = self.comma_list(self._argument)
        if self.token.word in ("IGNORE", "RESPECT"):
            made.nulls = self.advance().word
            self.expect("NULLS")
        if self.take("HAVING"):
            if self.token.word not in ("MAX", "MIN"):
                raise NotSupported("HAVING inside an aggregate", at=self.token.at)
            made.having = (self.advance().word, self.expression())
        if self.token.word == "GROUP":
            raise NotSupported("GROUP BY inside an aggregate", at=self.token.at)
        made.order = self.order_by()
        if self.take("LIMIT"):
            made.limit = self.expression()
        self.expect(")")
        if self.token.word == "WITHIN":
            raise NotSupported("WITHIN GROUP", at=self.token.at)
        if self.take("OVER"):
            made.over = self.window()
        return made

    def _argument(self) -> nodes.Node:
        at, word = self.token.at, self.token.word
        if word == "*":
            self.advance()
            return nodes.Star(at)
        if self.token.kind == WORD and self.ahead().word == "=>":
            name = self.advance().text
            self.advance()
            return nodes.Named(at, name, self.expression())
        if self.is_identifier and self.ahead().word == "->":
            name = self.identifier()
            self.advance()
            return nodes.Lambda(at, (name,), self.expression())
        if word == "(" and (names := self._lambda_names()):
            return nodes.Lambda(at, names, self.expression())
        if word == "TABLE" and self.ahead().word not in (",", ")", "."):
            self.advance()
            return nodes.TableArgument(at, self.table_path())
        if word == "MODEL" and self.ahead().word not in (",", ")", "."):
            raise NotSupported("MODEL arguments", at=at)
        if word == "SELECT" or (word == "WITH" and self.ahead().word != "("):
            return nodes.Scalar(at, self.query())
        return self.expression()

    def _lambda_names(self) -> tuple[str, ...]:
        """(a, b) -> among the arguments; () when that is not what stands here."""
        start, names = self.position, []
        self.advance()
        while self.is_identifier:
            names.append(self.advance().text)
            if not self.take(","):
                break
        if names and self.take(")", "->"):
            return tuple(names)
        self.back_to(start)
        return ()

    # ---- ORDER BY and windows

    def order_by(self) -> list[nodes.Order]:
        return self.comma_list(self._order) if self.take("ORDER", "BY") else []

    def _order(self) -> nodes.Order:
        made = nodes.Order(self.token.at, self.expression())
        if self.token.word == "COLLATE":
            raise NotSupported("COLLATE", at=self.token.at)
        if self.take("DESC"):
            made.descending = True
        else:
            self.take("ASC")
        if self.take("NULLS"):
            if self.token.word not in ("FIRST", "LAST"):
                raise self.unexpected("keyword FIRST or keyword LAST")
            made.nulls = self.advance().word
        return made

    def window(self) -> nodes.Window:
        at = self.token.at
        if self.token.word != "(":
            return nodes.Window(at, base=self.identifier())
        self.advance()
        made = nodes.Window(at)
        if self.is_identifier:
            made.base = self.identifier()
        if self.take("PARTITION", "BY"):
            made.partition = self.comma_list(self.expression)
        made.order = self.order_by()
        if self.token.word in ("ROWS", "RANGE"):
            made.frame = self._frame()
        self.expect(")")
        return made

    def _frame(self) -> nodes.Frame:
        at, unit = self.token.at, self.advance().word
        if not self.take("BETWEEN"):
            return nodes.Frame(at, unit, self._boundary(), None)
        start = self._boundary()
        self.expect("AND")
        return nodes.Frame(at, unit, start, self._boundary())

    def _boundary(self) -> tuple[str, nodes.Node | None]:
        if self.take("CURRENT"):
            self.expect("ROW")
            return "CURRENT ROW", None
        value = None if self.take("UNBOUNDED") else self.expression()
        if self.token.word not in ("PRECEDING", "FOLLOWING"):
            raise self.unexpected("keyword PRECEDING or keyword FOLLOWING")
        return self.advance().word, value

    def windows(self) -> dict[str, nodes.Window]:
        """The named windows of a WINDOW clause."""
        found: dict[str, nodes.Window] = {}
        if self.take("WINDOW"):
            for name, window in self.comma_list(self._named_window):
                found[name.lower()] = window
        return found

    def _named_window(self) -> tuple[str, nodes.Window]:
        name = self.identifier()
        self.expect("AS")
        return name, self.window()
