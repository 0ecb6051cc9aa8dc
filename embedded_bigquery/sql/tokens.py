"""sqlglot's tokens as a stream that a recursive descent reads."""

from __future__ import annotations

from typing import ClassVar

from sqlglot.dialects.bigquery import BigQuery
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from embedded_bigquery.errors import InvalidQuery

Span = tuple[int, int]  # (start, end) in characters of the whole text
OPENING, CLOSING = ("(", "["), (")", "]")


def moved(place: tuple[int, int], text: str, offset: int) -> tuple[int, int]:
    """A line and column (from 1) inside the part of the text that begins at `offset`, as a place in the text."""
    before = text[:offset]
    line, column = place
    if line == 1:
        column += offset - before.rfind("\n") - 1
    return before.count("\n") + line, column


class ScriptTokenizer(BigQuery.Tokenizer):
    """sqlglot makes one opaque string of what follows CALL, EXECUTE and their like; here they are words."""

    COMMANDS: ClassVar[set[TokenType]] = set()
    # PARTITION BY and its like are two words.
    KEYWORDS: ClassVar[dict[str, TokenType]] = {
        word: kind for word, kind in BigQuery.Tokenizer.KEYWORDS.items() if " " not in word
    }


class Tokens:
    """The tokens of a text and the place that is read; raises InvalidQuery where the text cannot be read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        try:
            self.all: list[Token] = list(ScriptTokenizer(dialect="bigquery").tokenize(text))
        except TokenError as error:
            raise InvalidQuery(f"Syntax error: {error}") from error
        # A word in backticks or quotes is never a keyword.
        self.words = [t.text.upper() if text[t.start] not in "`'\"" else "" for t in self.all]

    def word(self, ahead: int = 0) -> str:
        """The keyword or sign at the place, in upper case; "" at the end and for quoted names and strings."""
        at = self.position + ahead
        return self.words[at] if at < len(self.words) else ""

    @property
    def at_end(self) -> bool:
        return self.position >= len(self.all)

    @property
    def start(self) -> int:
        return len(self.text) if self.at_end else self.all[self.position].start

    @property
    def last_end(self) -> int:
        return self.all[self.position - 1].end + 1 if self.position else 0

    def take(self, *words: str) -> bool:
        """Goes past the words if they come next."""
        if all(self.word(ahead) == word for ahead, word in enumerate(words)):
            self.position += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.take(word):
                raise self.unexpected(f"keyword {word}" if word[0].isalpha() else f'"{word}"')

    def unexpected(self, wanted: str | None = None) -> InvalidQuery:
        prefix = f"Syntax error: Expected {wanted} but got" if wanted else "Syntax error: Unexpected"
        if self.at_end:
            return InvalidQuery(f"{prefix} end of script", at=self.place(len(self.text)))
        token, word = self.all[self.position], self.word()
        kind = "identifier " if token.token_type in (TokenType.VAR, TokenType.IDENTIFIER) else ""
        shown = f"keyword {word}" if not kind and word.isalpha() else f'{kind}"{token.text}"'
        return InvalidQuery(f"{prefix} {shown}", at=self.place(token.start))

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1."""
        return moved((1, 1), self.text, offset)

    def name(self) -> str:
        """An identifier, quoted or not."""
        if self.at_end:
            raise self.unexpected("identifier")
        token = self.all[self.position]
        quoted = self.text[token.start] == "`"
        if not quoted and not (token.text[:1] + "a").replace("_", "a").isalpha():
            raise self.unexpected("identifier")
        if self.text[token.start] in "'\"" or token.token_type == TokenType.STRING:
            raise self.unexpected("identifier")
        self.position += 1
        return token.text

    def advance(self) -> str:
        """Goes past any one token; its text."""
        if self.at_end:
            raise self.unexpected()
        self.position += 1
        return str(self.all[self.position - 1].text)

    def string(self) -> str:
        """The value of a string literal."""
        if self.at_end or self.text[self.start].upper() not in "'\"R":
            raise self.unexpected("string literal")
        return self.advance()

    def until(self, *stops: str) -> Span:
        """The span up to one of the words outside parentheses and CASE … END, which is not taken; never empty."""
        begin, first, depth, cases = self.start, self.position, 0, 0
        while not self.at_end:
            word = self.word()
            if depth == 0 and cases == 0 and (word in stops or word in (";", "END")):  # both reserved
                break
            if word in OPENING:
                depth += 1
            elif word in CLOSING:
                depth -= 1
                if depth < 0:
                    raise self.unexpected()
            elif word == "CASE":
                cases += 1
            elif word == "END" and cases:
                cases -= 1
            self.position += 1
        if self.position == first:
            raise self.unexpected()
        return begin, self.last_end
