"""The tokens of a text and the place that is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self, TypeVar

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql.lexer import END, INTEGER, QUOTED, RESERVED, STRING, WORD, Place, Token, tokenize

T = TypeVar("T")


class Stream:
    def __init__(self, text: str) -> None:
        """Raises InvalidQuery where the text has no tokens."""
        self.tokens = tokenize(text)
        self.position = 0
        self.token = self.tokens[0]
        self.placeholders = 0

    def whole(self, rule: Callable[[Self], T]) -> T:
        """What the rule reads, when nothing but one semicolon follows it."""
        found = rule(self)
        self.take(";")
        if self.token.kind != END:
            raise self.unexpected("end of input")
        return found

    def advance(self) -> Token:
        token = self.token
        if token.kind == END:
            raise self.unexpected()
        self.position += 1
        self.token = self.tokens[self.position]
        return token

    def back_to(self, position: int) -> None:
        self.position = position
        self.token = self.tokens[position]

    def ahead(self, count: int = 1) -> Token:
        return self.tokens[min(self.position + count, len(self.tokens) - 1)]

    def at_words(self, *words: str) -> bool:
        return all(self.ahead(n).word == word for n, word in enumerate(words))

    def take(self, *words: str) -> bool:
        """Goes past the words if they come next."""
        if self.token.word != words[0] or (len(words) > 1 and not self.at_words(*words)):
            return False
        self.position += len(words)
        self.token = self.tokens[self.position]
        return True

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.take(word):
                raise self.unexpected(f"keyword {word}" if word[0].isalpha() else f'"{word}"')

    def unexpected(self, wanted: str | None = None) -> InvalidQuery:
        prefix = f"Syntax error: Expected {wanted} but got" if wanted else "Syntax error: Unexpected"
        return InvalidQuery(f"{prefix} {self.token.describe()}", at=self.token.at)

    def error(self, message: str, at: Place | None = None) -> InvalidQuery:
        return InvalidQuery(message, at=at or self.token.at)

    # ---- names

    @property
    def is_identifier(self) -> bool:
        return self.token.kind == QUOTED or (self.token.kind == WORD and self.token.word not in RESERVED)

    def identifier(self) -> str:
        if not self.is_identifier:
            raise self.unexpected("identifier")
        return self.advance().text

    def member(self) -> str:
        """A name after a dot: any word will do."""
        if self.token.kind not in (WORD, QUOTED):
            raise self.unexpected("identifier")
        return self.advance().text

    def table_path(self) -> tuple[str, ...]:
        """The parts of a table's name: `p.d.t`, p.d.t, my-project.d.t."""
        parts: list[str] = []
        while True:
            if not parts and not self.is_identifier:
                raise self.unexpected("identifier")
            is_quoted = self.token.kind == QUOTED
            text = self.member()
            while not is_quoted and self.token.word == "-" and self._adjoins():
                self.advance()
                text += "-" + self.advance().text
            parts += text.split(".") if is_quoted else [text]
            if not self.take("."):
                return tuple(parts)

    def _adjoins(self) -> bool:
        """Whether the dash at hand touches a word on either side."""
        after = self.ahead()
        return (
            self.tokens[self.position - 1].end == self.token.start
            and self.token.end == after.start
            and after.kind in (WORD, INTEGER)
        )

    def alias(self) -> str:
        """[AS] name, or ""."""
        if self.take("AS"):
            return self.identifier()
        return self.advance().text if self.is_identifier else ""

    def string(self) -> str:
        if self.token.kind != STRING:
            raise self.unexpected("string literal")
        return self.advance().text

    # ---- lists

    def comma_list(self, rule: Callable[[], T], *, trailing: str = "") -> list[T]:
        """One or more, with commas between; `trailing`: the word before which a last comma may stand."""
        found = [rule()]
        while self.take(","):
            if trailing and (self.token.kind == END or self.token.word in trailing.split()):
                break
            found.append(rule())
        return found

    def parenthesized(self, rule: Callable[[], T]) -> list[T]:
        self.expect("(")
        found = self.comma_list(rule)
        self.expect(")")
        return found
