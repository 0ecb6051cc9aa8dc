"""Where a text of BigQuery SQL names something by dataset, found by its place in the grammar.

`raw.flights` can be a table, or the column `flights` of something aliased `raw`. Only the words around
it tell, so the tokens are read in order; comments and strings are never taken for names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from sqlglot.dialects.bigquery import BigQuery
from sqlglot.tokenizer_core import Token, TokenType

# A name that follows one of these is a table's or a routine's; FROM and the comma are handled apart.
INTRODUCERS = frozenset(
    {"JOIN", "INTO", "UPDATE", "MERGE", "DELETE", "TABLE", "VIEW", "PROCEDURE", "FUNCTION", "EXISTS"}
    | {"CALL", "USING", "LIKE", "CLONE", "COPY"}
)
CLAUSE_ENDS = frozenset(
    ["WHERE", "GROUP", "HAVING", "QUALIFY", "ORDER", "LIMIT", "WINDOW", "UNION", "INTERSECT", "EXCEPT", "SELECT"]
)
NO_WORDS = frozenset((TokenType.STRING, TokenType.NUMBER, TokenType.PARAMETER))


class ScriptTokenizer(BigQuery.Tokenizer):
    """sqlglot makes one opaque string of what follows CALL, EXECUTE and their like; here they are words."""

    COMMANDS: ClassVar[set[TokenType]] = set()


def tokenize(text: str) -> list[Token]:
    """Raises sqlglot.errors.TokenError."""
    return list(ScriptTokenizer(dialect="bigquery").tokenize(text))


@dataclass(frozen=True, slots=True)
class Reference:
    """`dataset.name` at text[start:end]; `dataset_end` ends its first part; line and column count from 1."""

    dataset: str
    name: str
    start: int
    dataset_end: int
    end: int
    line: int
    column: int
    quoted: bool  # the whole path stands in one pair of backticks


@dataclass(slots=True)
class _Frame:
    """What is known inside one pair of parentheses."""

    function: str  # the word before the parenthesis
    in_from: bool = False
    aliases: set[str] = field(default_factory=set)  # of the FROM clause that is being read


def references(text: str, datasets: Collection[str]) -> Iterator[Reference]:
    """The references to the given datasets, in order; raises sqlglot.errors.TokenError."""
    tokens = tokenize(text)
    frames = [_Frame("")]
    position = 0
    while position < len(tokens):
        token = tokens[position]
        word = token.text.upper()
        frame = frames[-1]
        if token.token_type == TokenType.L_PAREN:
            frames.append(_Frame(tokens[position - 1].text.upper() if position else ""))
        elif token.token_type == TokenType.R_PAREN and len(frames) > 1:
            frames.pop()
        elif token.token_type == TokenType.SEMICOLON:
            frames = [_Frame("")]
        elif word == "FROM" and _opens_clause(tokens, position, frame):
            frame.in_from, frame.aliases = True, set()
        elif word in CLAUSE_ENDS:
            frame.in_from = False
        path = _path(text, tokens, position)
        if path is None:
            position += 1
            continue
        length, reference = path
        before = tokens[position - 1].text.upper() if position else ""
        after = tokens[position + length].text if position + length < len(tokens) else ""
        if reference.dataset in datasets and _is_reference(reference, tokens, position, before, after, frame):
            yield reference
        if frame.in_from:
            frame.aliases.update(_alias_after(tokens, position + length))
        position += length


def rename(text: str, datasets: dict[str, str]) -> str:
    """The text with logical datasets replaced by the environment's; every other byte stays."""
    parts, done = [], 0
    for reference in references(text, datasets):
        target = datasets[reference.dataset]
        parts += [text[done : reference.start], target]
        done = reference.dataset_end
    return "".join([*parts, text[done:]])


def _opens_clause(tokens: list[Token], position: int, frame: _Frame) -> bool:
    before = tokens[position - 1].text.upper() if position else ""
    is_distinct_from = before == "DISTINCT" and tokens[position - 2].text.upper() in ("IS", "NOT")
    return frame.function != "EXTRACT" and not is_distinct_from


def _is_reference(
    reference: Reference, tokens: list[Token], position: int, before: str, after: str, frame: _Frame
) -> bool:
    if after == "(" and before != "INTO":
        return True  # a routine; an alias cannot be called. (After INTO it is a table and its columns.)
    if before == "FROM":
        return _opens_clause(tokens, position - 1, frame)
    if before in INTRODUCERS:
        return reference.dataset not in frame.aliases
    # In a FROM clause an alias before the comma wins over the dataset: `FROM t AS raw, raw.items`.
    return before == "," and frame.in_from and reference.dataset not in frame.aliases


def _path(text: str, tokens: list[Token], position: int) -> tuple[int, Reference] | None:
    """The dotted path that starts here: how many tokens it takes, and its first two parts."""
    first = tokens[position]
    if position and tokens[position - 1].text == ".":
        return None
    if text[first.start] == "`" and first.text.count(".") == 1:
        dataset, name = first.text.split(".")
        begin = first.start + 1
        return 1, _reference(first, dataset, name, begin, begin + len(dataset), first.end + 1, True)
    following = tokens[position + 1 : position + 3]
    if len(following) < 2 or following[0].text != "." or not _is_word(first) or not _is_word(following[1]):
        return None
    length = 3
    while position + length + 1 < len(tokens) and tokens[position + length].text == ".":
        length += 2
    quote = 1 if text[first.start] == "`" else 0
    begin = first.start + quote
    end = following[1].end + 1
    return length, _reference(first, first.text, following[1].text, begin, begin + len(first.text), end, False)


def _reference(
    token: Token, dataset: str, name: str, start: int, dataset_end: int, end: int, quoted: bool
) -> Reference:
    column = token.col - (token.end - token.start)  # sqlglot's column is that of the token's last character
    return Reference(dataset, name, start, dataset_end, end, token.line, column, quoted)


def _is_word(token: Token) -> bool:
    return token.token_type not in NO_WORDS and token.text[:1].replace("_", "a").isalpha()


def _alias_after(tokens: list[Token], position: int) -> Iterator[str]:
    rest = tokens[position : position + 2]
    if len(rest) == 2 and rest[0].text.upper() == "AS":
        yield rest[1].text
    elif rest and rest[0].token_type in (TokenType.VAR, TokenType.IDENTIFIER):
        yield rest[0].text
