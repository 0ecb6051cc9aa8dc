"""The procedural language: text -> nodes. SQL statements and expressions stay spans of the text.

Source: "Procedural language", docs.cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.script import nodes
from embedded_bigquery.script.nodes import Expression, Node
from embedded_bigquery.script.syntax import check_statement
from embedded_bigquery.script.validation import validate
from embedded_bigquery.sql.columns import parse_type_text
from embedded_bigquery.sql.ddl import parse_definition
from embedded_bigquery.sql.parser import parse_expression, parse_query
from embedded_bigquery.sql.tokens import Span, Tokens

LABELLED = ("BEGIN", "LOOP", "WHILE", "REPEAT", "FOR")
Body = tuple[Node, ...]


@lru_cache(maxsize=256)
def parse_script(text: str, arguments: tuple[str, ...] = ()) -> nodes.Script:
    """The script that the text is, or a routine's body with its arguments' names; raises InvalidQuery with a place."""
    script = read_script(text)
    validate(script, arguments)
    return script


def read_script(text: str) -> nodes.Script:
    """The script by its grammar alone."""
    return nodes.Script(text, _Parser(Tokens(text)).script())


def _check_header(text: str) -> None:
    parse_definition(f"{text}\nBEGIN END", parse_expression)


class _Parser:
    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.statements: dict[str, Callable[[int], Node]] = {
            "DECLARE": self._declare,
            "SET": self._set,
            "IF": self._if,
            "CASE": self._case,
            "BREAK": self._leave,
            "LEAVE": self._leave,
            "CONTINUE": self._leave,
            "ITERATE": self._leave,
            "RETURN": self._return,
            "RAISE": self._raise,
            "CALL": self._call,
            "EXECUTE": self._execute,
            "ASSERT": self._assert,
            "COMMIT": self._transaction_end,
            "ROLLBACK": self._transaction_end,
        }

    def _expression(self, *stops: str) -> Expression:
        return Expression(self.tokens.part(parse_expression, *stops))

    def script(self) -> Body:
        found = self._list()
        if not self.tokens.at_end:
            raise self.tokens.unexpected()
        return found

    def _list(self, *stops: str) -> Body:
        """Statements, each ended by a semicolon, up to a stop word; the last of a script may go without."""
        found: list[Node] = []
        while not self.tokens.at_end and self.tokens.word() not in stops:
            if self.tokens.word() == ";":
                raise self.tokens.unexpected()
            found.append(self._statement())
            if not self.tokens.take(";"):
                if stops or not self.tokens.at_end:
                    raise self.tokens.unexpected('";"')
                break
        return tuple(found)

    def _statement(self) -> Node:
        start, word = self.tokens.start, self.tokens.word()
        if self.tokens.word(1) == ":" and self.tokens.word(2) in LABELLED:
            label = self.tokens.identifier()
            self.tokens.expect(":")
            return self._labelled(start, label)
        if word == "BEGIN" and self.tokens.word(1) in ("TRANSACTION", ";", ""):
            self.tokens.expect("BEGIN")
            self.tokens.take("TRANSACTION")
            return nodes.BeginTransaction((start, self.tokens.last_end))
        if word in LABELLED:
            return self._labelled(start, None)
        if word == "CREATE" and self._creates_procedure():
            return self._create_procedure(start)
        if word in self.statements:
            return self.statements[word](start)
        return nodes.Sql(self.tokens.part(check_statement))

    # ---- blocks and loops

    def _labelled(self, start: int, label: str | None) -> Node:
        kind = self.tokens.word()
        return self._block(start, label) if kind == "BEGIN" else self._loop(kind, start, label)

    def _end_label(self, label: str | None) -> None:
        if label is not None and self.tokens.word() not in (";", "") and not self.tokens.at_end:
            at = self.tokens.token.at
            ending = self.tokens.identifier()
            if ending.lower() != label.lower():
                raise InvalidQuery(f"Mismatched end label; expected {label}, got {ending}", at=at)

    def _block(self, start: int, label: str | None) -> nodes.Block:
        self.tokens.expect("BEGIN")
        body = self._list("END", "EXCEPTION")
        handler = None
        if self.tokens.take("EXCEPTION"):
            self.tokens.expect("WHEN", "ERROR", "THEN")
            handler = self._list("END")
        self.tokens.expect("END")
        self._end_label(label)
        return nodes.Block((start, self.tokens.last_end), body, handler, label)

    def _loop(self, kind: str, start: int, label: str | None) -> Node:
        self.tokens.expect(kind)
        if kind == "LOOP":
            body = self._list("END")
            end = self._end(start, kind, label)
            return nodes.Loop(end, body, label)
        if kind == "REPEAT":
            body = self._list("UNTIL")
            place = self.tokens.start
            self.tokens.expect("UNTIL")
            condition = self._expression("END")
            until = nodes.Until((place, condition.span[1]), condition)
            return nodes.Repeat(self._end(start, kind, label), body, until, label)
        if kind == "WHILE":
            condition = self._expression("DO")
            self.tokens.expect("DO")
            body = self._list("END")
            return nodes.While(self._end(start, kind, label), condition, body, label)
        place, variable = self.tokens.start, self.tokens.identifier()
        self.tokens.expect("IN")
        if self.tokens.word() != "(":
            raise self.tokens.unexpected('"("')
        query = Expression(self.tokens.part(parse_query, "DO"))
        self.tokens.expect("DO")
        body = self._list("END")
        return nodes.For(self._end(start, kind, label), variable, place, query, body, label)

    def _end(self, start: int, kind: str, label: str | None) -> Span:
        self.tokens.expect("END", kind)
        self._end_label(label)
        return start, self.tokens.last_end

    # ---- conditions

    def _if(self, start: int) -> Node:
        branches: list[nodes.Branch] = []
        while self.tokens.take("ELSEIF" if branches else "IF"):
            branches.append(self._branch("ELSEIF", "ELSE", "END"))
        otherwise = self._list("END") if self.tokens.take("ELSE") else None
        self.tokens.expect("END", "IF")
        return nodes.If((start, self.tokens.last_end), tuple(branches), otherwise)

    def _case(self, start: int) -> Node:
        self.tokens.expect("CASE")
        subject = None if self.tokens.word() == "WHEN" else self._expression("WHEN")
        branches = []
        while self.tokens.take("WHEN"):
            branches.append(self._branch("WHEN", "ELSE", "END"))
        otherwise = self._list("END") if self.tokens.take("ELSE") else None
        self.tokens.expect("END", "CASE")
        return nodes.Case((start, self.tokens.last_end), subject, tuple(branches), otherwise)

    def _branch(self, *stops: str) -> nodes.Branch:
        start = self.tokens.tokens[self.tokens.position - 1].start  # of the word before, which is taken
        condition = self._expression("THEN")
        self.tokens.expect("THEN")
        body = self._list(*stops)
        return nodes.Branch((start, self.tokens.last_end), condition, body)

    # ---- variables

    def _declare(self, start: int) -> Node:
        self.tokens.expect("DECLARE")
        names, places = self._names(self.tokens.identifier)
        kind = None if self.tokens.word() == "DEFAULT" else self.tokens.part(parse_type_text, "DEFAULT")
        default = self._expression() if self.tokens.take("DEFAULT") else None
        return nodes.Declare((start, self.tokens.last_end), names, places, kind, default)

    def _names(self, one: Callable[[], str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Names with commas between, and where each stands."""
        places = [self.tokens.start]
        found = [one()]
        while self.tokens.take(","):
            places.append(self.tokens.start)
            found.append(one())
        return tuple(found), tuple(places)

    def _set(self, start: int) -> Node:
        self.tokens.expect("SET")
        is_tuple = self.tokens.take("(")
        first = self.tokens.start
        targets, places = self._names(self._target) if is_tuple else ((self._target(),), (first,))
        if is_tuple:
            self.tokens.expect(")")
        self.tokens.expect("=")
        value = self._expression()
        return nodes.Set((start, self.tokens.last_end), targets, places, value, is_tuple)

    def _target(self) -> str:
        prefix = ""
        while self.tokens.take("@@") or self.tokens.take("@"):
            prefix = "@@"
        name = self.tokens.identifier()
        while prefix and self.tokens.take("."):
            name += f".{self.tokens.member()}"
        return prefix + name

    # ---- leaving

    def _leave(self, start: int) -> Node:
        word = self.tokens.word()
        self.tokens.expect(word)
        leaves = word in ("BREAK", "LEAVE")
        label = None if self.tokens.word() == ";" or self.tokens.at_end else self.tokens.identifier()
        span = start, self.tokens.last_end
        return nodes.Break(span, label) if leaves else nodes.Continue(span, label)

    def _return(self, start: int) -> Node:
        self.tokens.expect("RETURN")
        return nodes.Return((start, self.tokens.last_end))

    def _raise(self, start: int) -> Node:
        self.tokens.expect("RAISE")
        message = None
        if self.tokens.take("USING"):
            self.tokens.expect("MESSAGE", "=")
            message = self._expression()
        return nodes.Raise((start, self.tokens.last_end), message)

    # ---- calls

    def _call(self, start: int) -> Node:
        self.tokens.expect("CALL")
        place, path = self.tokens.start, self.tokens.table_path()
        self.tokens.expect("(")
        arguments: list[Expression] = []
        while not self.tokens.take(")"):
            if arguments:
                self.tokens.expect(",")
            arguments.append(self._expression(",", ")"))
        return nodes.Call((start, self.tokens.last_end), path, place, tuple(arguments))

    def _execute(self, start: int) -> Node:
        self.tokens.expect("EXECUTE", "IMMEDIATE")
        sql = self._expression("INTO", "USING")
        into, places = self._names(self.tokens.identifier) if self.tokens.take("INTO") else ((), ())
        using: list[nodes.Using] = []
        if self.tokens.take("USING"):
            while True:
                value = self._expression(",", "AS")
                using.append(nodes.Using(value, self.tokens.identifier() if self.tokens.take("AS") else None))
                if not self.tokens.take(","):
                    break
        return nodes.ExecuteImmediate((start, self.tokens.last_end), sql, into, places, tuple(using))

    def _assert(self, start: int) -> Node:
        self.tokens.expect("ASSERT")
        condition = self._expression("AS")
        message = self._expression() if self.tokens.take("AS") else None
        return nodes.Assert((start, self.tokens.last_end), condition, message)

    def _transaction_end(self, start: int) -> Node:
        word = self.tokens.word()
        self.tokens.expect(word)
        self.tokens.take("TRANSACTION")
        span = start, self.tokens.last_end
        return nodes.CommitTransaction(span) if word == "COMMIT" else nodes.RollbackTransaction(span)

    # ---- procedures

    def _creates_procedure(self) -> bool:
        return "PROCEDURE" in (self.tokens.word(1), self.tokens.word(3)) and self.tokens.word(1) in ("OR", "PROCEDURE")

    def _create_procedure(self, start: int) -> Node:
        self.tokens.part(_check_header, "BEGIN")
        if self.tokens.word() != "BEGIN":
            return nodes.CreateProcedure((start, self.tokens.last_end), None)
        body = self._block(self.tokens.start, None)
        return nodes.CreateProcedure((start, self.tokens.last_end), body)
