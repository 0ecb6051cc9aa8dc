"""The words of a text of BigQuery SQL, with their places; comments and white space are passed over.

Source: "Lexical structure and syntax", docs.cloud.google.com/bigquery/docs/reference/standard-sql/lexical.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import NamedTuple

STRING, WORD, QUOTED, NUMBER, SIGN = range(5)

# The most frequent first: a word that cannot be the prefix of a literal, and a sign that can open nothing.
TOKEN = re.compile(
    r"""
    (\s*+ (?:(?:\#[^\n]*+ | --[^\n]*+ | /\*.*?\*/)\s*+)*+)
    (
      [A-Za-z_]\w*+(?!['"])
    | [^\w\s'"`]
    | (?:[rR]?[bB]?|[bB][rR])(?:
          '''(?:\\.|(?!''').)*'''
        | \"\"\"(?:\\.|(?!\"\"\").)*\"\"\"
        | '(?!'')(?:\\.|[^'\\\n])*'
        | "(?!"")(?:\\.|[^"\\\n])*"
        | ''(?!') | ""(?!")
      )
    | [A-Za-z_]\w*
    | `[^`]*`
    | \d[\w.]*
    | \S
    | \Z
    )
    """,
    re.VERBOSE | re.DOTALL,
)


class Unreadable(Exception):
    """A text that is not what it should be; `position` counts from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class Token(NamedTuple):
    """A piece of the text at text[start:end], with the quotes of a literal or name that has them."""

    kind: int
    word: str  # a word in upper case, or the sign; "" for whatever can be no keyword
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """All tokens of a text, in two lists: a thousand files have half a million of them."""

    words: list[str]  # in upper case; literals and names with their quotes
    starts: list[int]

    def __len__(self) -> int:
        return len(self.words)

    def end(self, place: int) -> int:
        return self.starts[place] + len(self.words[place])

    def __getitem__(self, place: int) -> Token:
        word = self.words[place]
        kind = kind_of(word)
        return Token(kind, word if kind in (WORD, SIGN) else "", self.starts[place], self.end(place))

    def is_name(self, place: int) -> bool:
        return place < len(self.words) and kind_of(self.words[place]) in (WORD, QUOTED)


def kind_of(word: str) -> int:
    if word[-1] in "'\"":
        return STRING
    if word[0] == "`":
        return QUOTED
    if word[0].isdigit():
        return NUMBER
    return WORD if word[0] == "_" or word[0].isalpha() else SIGN


def tokenize(text: str) -> Tokens:
    """Raises Unreadable."""
    # As bytes, because the upper case of some letters is longer than they are.
    found = TOKEN.findall(text.encode().upper().decode())
    while found and not found[-1][1]:
        found.pop()
    ends = list(accumulate(map(len, chain.from_iterable(found))))
    tokens = Tokens([word for _, word in found], ends[::2])
    _refuse_unfinished(text, tokens)
    return tokens


def _refuse_unfinished(text: str, tokens: Tokens) -> None:
    places = [tokens.words.index(quote) for quote in "'\"`" if quote in tokens.words]
    if "/*" in text:
        starts = (tokens.starts[place] for place, word in enumerate(tokens.words) if word == "/")
        places += [tokens.starts.index(start) for start in starts if text.startswith("/*", start)]
    if places:
        first = tokens.starts[min(places)]
        raise Unreadable(f"cannot be read as SQL: what begins here with {text[first]} has no end", first)


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
