"""A CREATE statement: what it makes, where its body is, and its normal form.

The normal form decides whether an object changed. In the frame around the body comments, white space, quotes and the
spelling of what means the same do not count; the body's text counts whole. A change of the form would make every object
of every environment look changed, so tests/deployer/source/normal_forms.txt fixes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deployer.source.lexer import QUOTED, SIGN, STRING, WORD, Token, Tokens, Unreadable, kind_of, tokenize, value

KINDS = frozenset({"TABLE", "VIEW", "FUNCTION", "PROCEDURE"})
BLOCK_WORDS = frozenset({"BEGIN", "END", "CASE"})
LOOP_WORDS = frozenset({"IF", "WHILE", "LOOP", "FOR", "REPEAT"})  # END IF and its like close no BEGIN
SAME_TYPE = {
    **dict.fromkeys(("INT", "SMALLINT", "INTEGER", "BIGINT", "TINYINT", "BYTEINT"), "INT64"),
    "BOOLEAN": "BOOL",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
}
FRAME_WORDS = frozenset(
    """FUNCTION PROCEDURE TABLE VIEW IN OUT INOUT ANY TYPE RETURNS LANGUAGE DETERMINISTIC NOT NULL AGGREGATE
    OPTIONS AS REMOTE EXTERNAL SECURITY INVOKER DEFINER WITH CONNECTION DEFAULT PARTITION BY CLUSTER COLLATE
    PRIMARY FOREIGN KEY REFERENCES ENFORCED CONSTRAINT TRUE FALSE
    INT64 FLOAT64 NUMERIC BIGNUMERIC BOOL STRING BYTES DATE DATETIME TIME TIMESTAMP INTERVAL JSON GEOGRAPHY
    ARRAY STRUCT RANGE""".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Created:
    """Positions count from 0. `body` is text[start:end] with its parentheses or quotes, empty for a table's columns."""

    kind: str
    name: str  # as written, without backticks
    start: int  # of the word CREATE
    name_at: int
    name_end: int
    replaces: bool  # CREATE OR REPLACE
    skips: bool  # IF NOT EXISTS
    body: tuple[int, int]
    end: int  # of the last token, but for the semicolon


def parse_create(text: str, tokens: Tokens) -> Created:
    """The text's one CREATE statement; raises Unreadable."""
    words, starts = tokens.words, tokens.starts
    if not words or words[0] != "CREATE":
        raise Unreadable("the first statement must be CREATE", starts[0] if words else 0)
    replaces = words[1:3] == ["OR", "REPLACE"]
    position = 3 if replaces else 1
    position += words[position : position + 1] == ["AGGREGATE"]
    kind = words[position] if position < len(words) else ""
    position += 1
    if kind == "TABLE" and words[position : position + 1] == ["FUNCTION"]:
        kind = "FUNCTION"
        position += 1
    skips = words[position : position + 3] == ["IF", "NOT", "EXISTS"]
    position += 3 * skips
    if position >= len(words):
        raise Unreadable("the CREATE names nothing", starts[0])
    last = position + 1
    while last < len(words) and "." in (words[last], words[last - 1]):
        last += 1
    name_at, name_end = starts[position], tokens.end(last - 1)
    name = text[name_at:name_end].replace("`", "")
    first, stop = _body(kind, words, last)
    end = tokens.end(_last(kind, tokens, stop))
    body = (starts[first], tokens.end(stop - 1)) if first < stop else (end, end)
    return Created(kind, name, starts[0], name_at, name_end, replaces, skips, body, end)


def _body(kind: str, words: Sequence[str], position: int) -> tuple[int, int]:
    """The first token of the body and the one after its last; the same for what has none."""
    depth = 0
    for first in range(position, len(words)):
        word = words[first]
        depth += (word == "(") - (word == ")")
        if depth == 0 and word == "BEGIN" and kind == "PROCEDURE":
            return first, _end_of_block(words, first)
        if depth == 0 and word == "AS" and first + 1 < len(words):
            return first + 1, _end_of_expression(kind, words, first + 1)
    return len(words), len(words)


def _end_of_block(words: Sequence[str], first: int) -> int:
    """The position after the END that closes the BEGIN; the end of the text when there is none."""
    depth = 0
    for position in [place for place, word in enumerate(words) if word in BLOCK_WORDS]:
        if position < first:
            continue
        word = words[position]
        after = words[position + 1] if position + 1 < len(words) else ""
        if (word == "BEGIN" and after not in ("TRANSACTION", ";")) or (word == "CASE" and words[position - 1] != "END"):
            depth += 1
        elif word == "END" and after not in LOOP_WORDS:
            depth -= 1
            if depth == 0:
                return position + 1
    return len(words)


def _end_of_expression(kind: str, words: Sequence[str], first: int) -> int:
    """A function's options may follow its expression; whatever else begins with AS goes on to the end."""
    if kind in ("FUNCTION", "PROCEDURE"):
        if kind_of(words[first]) == STRING:
            return first + 1
        if words[first] == "(":
            after = _closing(words, first) + 1
            if after >= len(words) or words[after] in ("OPTIONS", ";"):
                return after
    return next((at for at in range(first, len(words)) if words[at] == ";"), len(words))


def _closing(words: Sequence[str], opening: int) -> int:
    depth = 0
    for position in range(opening, len(words)):
        word = words[position]
        depth += (word == "(") - (word == ")")
        if depth == 0:
            return position
    return len(words) - 1


def _last(kind: str, tokens: Tokens, stop: int) -> int:
    """The statement's last token, but for the semicolon; raises Unreadable when another statement follows."""
    words = tokens.words
    first = stop if kind == "PROCEDURE" else 0
    if ";" not in words[first:]:
        return len(words) - 1
    end = words.index(";", first)
    if end + 1 < len(words):
        raise Unreadable("a second statement; a file holds one CREATE", tokens.starts[end + 1])
    return end - 1


def normal_form(text: str, body: tuple[int, int] | None = None) -> str:
    """The normal form of a CREATE statement; `body` saves reading it once more. Raises Unreadable."""
    if body is None:
        body = parse_create(text, tokenize(text)).body
    start, end = body
    frame = f"{text[:start]} {text[end:]}"
    return f"{_frame(frame)}\n{_inside(text[start:end])}".rstrip("\n")


def _inside(body: str) -> str:
    """The body without what only encloses it; ddl of a warehouse has its own idea of that."""
    if body.startswith("("):
        words = tokenize(body).words
        if _closing(words, 0) == len(words) - 1:
            return body[1:-1].strip()
    if re.match("[rRbB]{0,2}['\"]", body):
        return value(body)
    return body


def _frame(text: str) -> str:
    tokens = tokenize(text)
    created = parse_create(text, tokens)
    before = [word for word, start in zip(tokens.words, tokens.starts, strict=True) if start < created.name_at]
    kinds = [word for word in before if word in KINDS or word == "AGGREGATE"]
    rest = [tokens[place] for place, start in enumerate(tokens.starts) if start >= created.name_end]
    name = ".".join(created.name.split(".")[-2:])
    return " ".join([*kinds, name, *_spelt(text, [token for token in rest if token.word != ";"], created.kind)])


def _spelt(text: str, tokens: Sequence[Token], kind: str) -> Iterator[str]:
    words = [token.word for token in tokens]
    position, depth = 0, 0
    while position < len(tokens):
        token = tokens[position]
        if token.word == "OPTIONS" and words[position + 1 : position + 2] == ["("]:
            end = _closing(words, position + 1)
            yield from _options(text, tokens[position + 2 : end])
            position = end + 1
            continue
        depth += (token.word == "(") - (token.word == ")")
        is_mode = kind == "PROCEDURE" and depth == 1 and token.word == "IN" and words[position - 1] in ("(", ",")
        if not is_mode:
            yield _spelling(text, token)
        position += 1


def _options(text: str, tokens: Sequence[Token]) -> Iterator[str]:
    """The options in order of their names; what every procedure is without asking for it does not count."""
    found: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.word in ("(", "[")) - (token.word in (")", "]"))
        if token.word == "," and depth == 0:
            found.append([])
        elif token.word != "STRUCT":  # labels = [("a", "b")] is [STRUCT("a", "b")]
            found[-1].append(_spelling(text, token))
    pairs = sorted(" ".join([item[0].lower(), *item[1:]]) for item in found if item)
    counting = [pair for pair in pairs if pair != "strict_mode = TRUE"]
    if counting:
        yield f"OPTIONS ( {' , '.join(counting)} )"


def _spelling(text: str, token: Token) -> str:
    written = text[token.start : token.end]
    if token.kind == WORD:
        word = SAME_TYPE.get(token.word, token.word)
        return word if word in FRAME_WORDS else written
    if token.kind == QUOTED:
        return written[1:-1] if re.fullmatch(r"[A-Za-z_]\w*", written[1:-1]) else written
    if token.kind == STRING:
        return json.dumps(value(written), ensure_ascii=False)
    return token.word if token.kind == SIGN else written
