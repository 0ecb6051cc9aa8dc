"""GoogleSQL's tokens.

Source: "Lexical structure and syntax", docs.cloud.google.com/bigquery/docs/reference/standard-sql/lexical.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from embedded_bigquery.errors import InvalidQuery

Place = tuple[int, int]

WORD, QUOTED, STRING, BYTES, INTEGER, FLOAT, SIGN, END = (
    "identifier", "quoted", "string", "bytes", "integer", "float", "sign", "end"
)  # fmt: skip

RESERVED = frozenset(
    """ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS CUBE CURRENT
    DEFAULT DEFINE DESC DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH FOLLOWING FOR FROM FULL
    GROUP GROUPING GROUPS HASH HAVING IF IGNORE IN INNER INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LIKE LIMIT LOOKUP
    MERGE NATURAL NEW NO NOT NULL NULLS OF ON OR ORDER OUTER OVER PARTITION PRECEDING PROTO QUALIFY RANGE RECURSIVE
    RESPECT RIGHT ROLLUP ROWS SELECT SET SOME STRUCT TABLESAMPLE THEN TO TREAT TRUE UNBOUNDED UNION UNNEST USING WHEN
    WHERE WINDOW WITH WITHIN""".split()  # noqa: SIM905
)

TOKEN = re.compile(
    r"""
    (?P<space>(?:\s+|\#[^\n]*|--[^\n]*|/\*.*?\*/)+)
  | (?P<string>(?P<prefix>[rR]?[bB]?|[bB][rR])(?P<quote>'''|\"\"\"|'|")(?P<body>(?:\\.|(?!(?P=quote)).)*)(?P=quote))
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<number>0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
  | `(?P<quoted>(?:\\.|[^`\\])*)`
  | (?P<sign>\|>|=>|->|<=|>=|<>|!=|<<|\|\||@@|[-+*/%(),.;\[\]{}<>=&|^~:@?$!])
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(r"\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))", re.DOTALL)
LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"} | dict(
    zip("\\?\"'`", "\\?\"'`", strict=True)
)


@dataclass(slots=True)
class Token:
    kind: str
    text: str  # as written; of a string, bytes or quoted identifier the value (bytes as latin-1)
    word: str  # a keyword, word or sign in upper case; "" for anything that cannot be one
    at: Place
    start: int
    end: int

    def describe(self) -> str:
        """As BigQuery's syntax errors show it."""
        if self.kind == END:
            return "end of script"
        if self.kind == WORD:
            return f"keyword {self.word}" if self.word in RESERVED else f'identifier "{self.text}"'
        if self.kind == QUOTED:
            return f"identifier `{self.text}`"
        if self.kind in (STRING, BYTES):
            return f"{self.kind} literal {self.text!r}"
        return f'"{self.text}"' if self.kind == SIGN else f'{self.kind} literal "{self.text}"'


@lru_cache(maxsize=256)
def tokenize(text: str) -> tuple[Token, ...]:
    """All tokens of the text and one that is its end; raises InvalidQuery where none begins."""
    found: list[Token] = []
    line, line_start, position, size = 1, 0, 0, len(text)
    match_at, add = TOKEN.match, found.append
    while position < size:
        match = match_at(text, position)
        if match is None:
            raise _unreadable(text, position, (line, position - line_start + 1))
        kind, end = match.lastgroup, match.end()
        at = (line, position - line_start + 1)
        if kind == "word":
            piece = match.group()
            add(Token(WORD, piece, piece.upper(), at, position, end))
        elif kind == "sign":
            piece = match.group()
            add(Token(SIGN, piece, piece, at, position, end))
        elif kind == "number":
            piece = match.group()
            whole = piece.isdigit() or piece[:2] in ("0x", "0X")
            add(Token(INTEGER if whole else FLOAT, piece, "", at, position, end))
        elif kind == "string":
            add(_string(match, at))
        elif kind == "quoted":
            add(Token(QUOTED, unescaped(match["quoted"], at), "", at, position, end))
        if kind in ("space", "string") and (lines := text.count("\n", position, end)):
            line += lines
            line_start = text.rindex("\n", position, end) + 1
        position = end
    shown = text.rstrip()  # where an error at the end is reported
    at = (shown.count("\n") + 1, len(shown) - shown.rfind("\n"))
    add(Token(END, "", "", at, size, size))
    return tuple(found)


def _string(match: re.Match[str], at: Place) -> Token:
    prefix, body = match["prefix"].lower(), match["body"].replace("\r\n", "\n")
    if len(match["quote"]) == 1 and "\n" in body:
        raise InvalidQuery("Syntax error: Unclosed string literal", at=at)
    is_bytes = "b" in prefix
    if "r" not in prefix:
        body = unescaped(body, at, is_bytes=is_bytes)
    elif is_bytes:
        body = body.encode("utf-8").decode("latin-1")
    return Token(BYTES if is_bytes else STRING, body, "", at, match.start(), match.end())


def unescaped(body: str, at: Place, *, is_bytes: bool = False) -> str:
    """The value of a literal's text; bytes as latin-1. Raises InvalidQuery for an escape that does not exist."""
    if "\\" not in body:
        return body.encode("utf-8").decode("latin-1") if is_bytes and not body.isascii() else body

    def character(match: re.Match[str]) -> str:
        two, four, eight, octal, letter = match.groups()
        if (letter is not None and letter not in LETTERS) or (is_bytes and (four or eight)):
            raise InvalidQuery(f"Syntax error: Illegal escape sequence: {match.group()}", at=at)
        code = two or four or eight
        return LETTERS[letter] if letter is not None else chr(int(code, 16) if code else int(octal, 8))

    if is_bytes:
        body = body.encode("utf-8").decode("latin-1")
    return ESCAPE.sub(character, body)


def _unreadable(text: str, position: int, at: Place) -> InvalidQuery:
    rest = text[position : position + 4]
    if rest.startswith("/*"):
        return InvalidQuery("Syntax error: Unclosed comment", at=at)
    if rest[0] == "`":
        return InvalidQuery("Syntax error: Unclosed identifier literal", at=at)
    if rest.lstrip("rRbB")[:1] in ("'", '"'):
        return InvalidQuery("Syntax error: Unclosed string literal", at=at)
    return InvalidQuery(f'Syntax error: Illegal input character "{rest[0]}"', at=at)
