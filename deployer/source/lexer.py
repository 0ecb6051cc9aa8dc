"""The words of a text of BigQuery SQL, with their places; comments and white space are passed over.

Source: "Lexical structure and syntax", docs.cloud.google.com/bigquery/docs/reference/standard-sql/lexical.
"""

from __future__ import annotations

import re
from typing import NamedTuple

STRING, WORD, QUOTED, NUMBER, SIGN, END = range(1, 7)  # the groups of TOKEN

TOKEN = re.compile(
    r"""
    (?:\s+|\#[^\n]*|--[^\n]*|/\*.*?\*/)*+
    (?:
      ((?:[rR]?[bB]?|[bB][rR])(?:
          '''(?:\\.|(?!''').)*'''
        | \"\"\"(?:\\.|(?!\"\"\").)*\"\"\"
        | '(?!'')(?:\\.|[^'\\\n])*'
        | "(?!"")(?:\\.|[^"\\\n])*"
        | ''(?!') | ""(?!")
      ))
    | ([A-Za-z_]\w*)
    | (`[^`]*`)
    | (\d[\w.]*)
    | (\S)
    | (\Z)
    )
    """,
    re.VERBOSE | re.DOTALL,
)
OPENS = frozenset("'\"`")  # a sign that only an unfinished literal or name leaves


class Token(NamedTuple):
    """A piece of the text at text[start:end], with the quotes of a literal or name that has them."""

    kind: int
    word: str  # a word in upper case, or the sign; "" for whatever can be no keyword
    start: int
    end: int


class Unreadable(Exception):
    """A text that is not what it should be; `position` counts from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def tokenize(text: str, start: int = 0) -> list[Token]:
    """Raises Unreadable."""
    found: list[Token] = []
    add, make = found.append, tuple.__new__  # of a quarter of a million calls for a thousand files, the fast way
    for match in TOKEN.finditer(text, start):
        kind = match.lastindex
        begin, end = match.span(kind)  # type: ignore[arg-type]  # one group always matches
        word = ""
        if kind == WORD:
            word = text[begin:end].upper()
        elif kind == SIGN:
            word = text[begin]
            if word in OPENS or (word == "/" and text.startswith("/*", begin)):
                raise Unreadable(f"cannot be read as SQL: what begins here with {word} has no end", begin)
        elif kind == END:
            break
        add(make(Token, (kind, word, begin, end)))
    return found


def place(text: str, position: int) -> tuple[int, int]:
    """Line and column, from 1, of a position that counts from 0."""
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


ESCAPE = re.compile(r"\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))", re.DOTALL)
LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def value(literal: str) -> str:
    """What a string literal means."""
    prefix = re.match("[rRbB]*", literal)
    assert prefix is not None
    quotes = 3 if literal[prefix.end() :][:3] in ("'''", '"""') else 1
    inside = literal[prefix.end() + quotes : -quotes]
    return inside if "r" in prefix[0].lower() else ESCAPE.sub(_character, inside)


def _character(match: re.Match[str]) -> str:
    two, four, eight, octal, letter = match.groups()
    if letter is not None:
        return LETTERS.get(letter, letter)
    return chr(int(octal, 8) if octal else int(two or four or eight, 16))
