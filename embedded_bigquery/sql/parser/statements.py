"""DML statements."""

from __future__ import annotations

from collections.abc import Callable

from embedded_bigquery.errors import NotSupported
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.parser.queries import QueryParser


class StatementParser(QueryParser):
    def statement(self) -> nodes.Statement:
        rules: dict[str, Callable[[], nodes.Statement]] = {
            "INSERT": self._insert,
            "UPDATE": self._update,
            "DELETE": self._delete,
            "MERGE": self._merge,
            "TRUNCATE": self._truncate,
        }
        rule = rules.get(self.token.word)
        if rule is not None:
            return rule()
        if self.token.word not in ("SELECT", "WITH", "FROM", "("):
            raise self.unexpected()
        return self.query()

    def _insert(self) -> nodes.Insert:
        at = self.advance().at
        self.take("INTO")
        path = self.table_path()
        columns = None
        if self.token.word == "(" and not self.starts_query():
            columns = tuple(self.parenthesized(self.identifier))
        if self.take("VALUES"):
            rows = self.comma_list(lambda: self.parenthesized(self._value))
            return nodes.Insert(at, path, columns, rows)
        return nodes.Insert(at, path, columns, self.query())

    def _value(self) -> nodes.Node:
        at = self.token.at
        return nodes.Default(at) if self.take("DEFAULT") else self.expression()

    def _target(self) -> tuple[tuple[str, ...], str]:
        path = self.table_path()
        return path, self.alias()

    def _where(self) -> nodes.Node | None:
        return self.expression() if self.take("WHERE") else None

    def _settings(self) -> list[nodes.Setting]:
        return self.comma_list(self._setting)

    def _setting(self) -> nodes.Setting:
        at = self.token.at
        if self.token.word == "(":
            raise NotSupported("nested DML", at=at)
        parts = [self.identifier()]
        while self.take("."):
            parts.append(self.member())
        self.expect("=")
        return nodes.Setting(at, tuple(parts), self._value())

    def _update(self) -> nodes.Update:
        at = self.advance().at
        path, alias = self._target()
        self.expect("SET")
        settings = self._settings()
        source = self.source() if self.take("FROM") else None
        return nodes.Update(at, path, alias, settings, source, self._where())

    def _delete(self) -> nodes.Delete:
        at = self.advance().at
        self.take("FROM")
        path, alias = self._target()
        return nodes.Delete(at, path, alias, self._where())

    def _truncate(self) -> nodes.Truncate:
        at = self.advance().at
        self.expect("TABLE")
        return nodes.Truncate(at, self.table_path(), self._where())

    # ---- MERGE

    def _merge(self) -> nodes.Merge:
        at = self.advance().at
        self.take("INTO")
        path, alias = self._target()
        self.expect("USING")
        source = self._item()
        self.expect("ON")
        on = self.expression()
        whens = []
        while self.take("WHEN"):
            whens.append(self._when())
        if not whens:
            raise self.unexpected("keyword WHEN")
        return nodes.Merge(at, path, alias, source, on, whens)

    def _when(self) -> nodes.When:
        at = self.token.at
        matched = "NOT MATCHED BY TARGET" if self.take("NOT") else "MATCHED"
        self.expect("MATCHED")
        if matched != "MATCHED" and self.take("BY"):
            if self.take("SOURCE"):
                matched = "NOT MATCHED BY SOURCE"
            else:
                self.expect("TARGET")
        condition = self.expression() if self.take("AND") else None
        self.expect("THEN")
        made = nodes.When(at, matched, condition, self.token.word)
        if self.take("DELETE"):
            return made
        if self.take("UPDATE"):
            self.expect("SET")
            made.settings = self._settings()
            return made
        self.expect("INSERT")
        if self.token.word == "(":
            made.columns = tuple(self.parenthesized(self.identifier))
        if not self.take("ROW"):
            self.expect("VALUES")
            made.values = self.parenthesized(self._value)
        return made
