"""A text of statements as tokens that know their place in it: what scripts and definitions are read from."""

from __future__ import annotations

from collections.abc import Callable

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql.lexer import END
from embedded_bigquery.sql.parser.stream import Stream

Span = tuple[int, int]  # (start, end) in characters of the whole text
OPENING, CLOSING = ("(", "["), (")", "]")


def moved(place: tuple[int, int], text: str, offset: int) -> tuple[int, int]:
    """A line and column (from 1) inside the part of the text that begins at `offset`, as a place in the text."""
    before = text[:offset]
    line, column = place
    if line == 1:
        column += offset - before.rfind("\n") - 1
    return before.count("\n") + line, column


class Tokens(Stream):
    """Raises InvalidQuery where the text cannot be read."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def word(self, ahead: int = 0) -> str:
        """The keyword or sign at the place, in upper case; "" at the end and for quoted names and literals."""
        return self.ahead(ahead).word

    @property
    def at_end(self) -> bool:
        return self.token.kind == END

    @property
    def start(self) -> int:
        return self.token.start

    @property
    def last_end(self) -> int:
        return self.tokens[self.position - 1].end if self.position else 0

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1."""
        return moved((1, 1), self.text, offset)

    def part(self, rule: Callable[[str], object], *stops: str) -> Span:
        """The span up to one of the words, once the rule can read its text; the word is not taken.

        Raises InvalidQuery for a syntax error alone: what else is wrong with the part is for the moment when it runs.
        """
        start, end = span = self.until(*stops)
        try:
            rule(self.text[start:end])
        except InvalidQuery as error:
            if not error.bare_message.startswith("Syntax error"):
                return span
            place = error.at and moved(error.at, self.text, start)
            message = error.bare_message
            if place == self.place(end):  # the part ends too early: what follows it is not expected
                message, place = message.replace("end of script", self.token.describe()), self.token.at
            raise InvalidQuery(message, at=place) from None
        return span

    def until(self, *stops: str) -> Span:
        """The span up to one of the words outside parentheses and CASE … END, which is not taken; never empty."""
        begin, first, depth, cases = self.start, self.position, 0, 0
        while not self.at_end:
            word = self.word() if self.position == first or self.ahead(-1).word != "." else ""
            if word == ";" or (depth == 0 and cases == 0 and (word in stops or word == "END")):  # both reserved
                break
            if word in OPENING:
                depth += 1
            elif word in CLOSING:
                depth -= 1
                if depth < 0:
                    break
            elif word == "CASE":
                cases += 1
            elif word == "END" and cases:
                cases -= 1
            self.advance()
        if self.position == first:
            raise self.unexpected()
        return begin, self.last_end
