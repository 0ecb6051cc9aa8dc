"""What a table is, as a CREATE TABLE says it: its file's, or the ddl that the warehouse has for it.

`CREATE TABLE IF NOT EXISTS` passes over a table that exists, so a change of its file must be told from the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deployer.source.create import SAME_TYPE, parse_create
from deployer.source.lexer import NUMBER, QUOTED, STRING, WORD, Token, Unreadable, tokenize, value

INGESTION_TIME = "_PARTITIONTIME"
UNITS = frozenset({"HOUR", "DAY", "MONTH", "YEAR"})
CONSTRAINTS = frozenset({"PRIMARY", "FOREIGN", "CONSTRAINT"})
OPENING = {"(": ")", "<": ">", "[": "]"}


@dataclass(frozen=True, slots=True)
class Column:
    """Texts are SQL in one spelling, so that two spellings of one thing are equal."""

    name: str
    type: str
    required: bool = False
    default: str = ""
    description: str = ""
    inner: str = ""  # options of the fields of a record

    def __str__(self) -> str:
        parts = [
            self.type,
            "NOT NULL" if self.required else "",
            f"DEFAULT {self.default}" if self.default else "",
            f"OPTIONS (description = {literal(self.description)})" if self.description else "",
        ]
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Shape:
    columns: tuple[Column, ...]
    partitioning: str = ""  # `column by UNIT`
    clustering: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    keys: tuple[str, ...] = ()  # `PRIMARY KEY (a)`, `FOREIGN KEY (a) REFERENCES dataset.table (b)`


def shape_of(ddl: str) -> Shape:
    """Raises Unreadable for what is no CREATE TABLE with a list of columns."""
    tokens = tokenize(ddl)
    created = parse_create(ddl, tokens)
    reader = _Reader(ddl, [tokens[place] for place, start in enumerate(tokens.starts) if start >= created.name_at])
    while reader.word != "(":
        if reader.is_over or reader.word in ("AS", "LIKE", "CLONE", "COPY", "PARTITION", "OPTIONS"):
            message = "lists no columns, so a change of it cannot be told from the table that exists; list them"
            raise Unreadable(message, created.start)
        reader.next()
    columns = _columns(reader)
    partitioning = ""
    clustering: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    while not reader.is_over and reader.word not in (";", "AS"):
        word = reader.next()
        if word in ("PARTITION", "CLUSTER"):
            reader.next()
            names = reader.until("CLUSTER", "OPTIONS", "AS", ";")
            if word == "PARTITION":
                partitioning = _partitioning(ddl, names)
            else:
                clustering = tuple(_name(ddl, token) for token in names if token.kind in (WORD, QUOTED))
        elif word == "OPTIONS":
            options = tuple(sorted(_options(reader).items()))
    return Shape(columns, partitioning, clustering, options, tuple(sorted(reader.keys)))


class _Reader:
    """Goes through the tokens of a statement; at its end the words are empty."""

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self.text, self.tokens, self.position = text, tokens, 0
        self.keys: list[str] = []

    @property
    def is_over(self) -> bool:
        return self.position >= len(self.tokens)

    @property
    def token(self) -> Token:
        """Raises Unreadable when there is none."""
        if self.is_over:
            raise Unreadable("ends before the statement does", len(self.text))
        return self.tokens[self.position]

    @property
    def word(self) -> str:
        return "" if self.is_over else self.token.word

    def next(self) -> str:
        word = self.token.word
        self.position += 1
        return word

    def take(self, word: str) -> bool:
        if self.word != word:
            return False
        self.position += 1
        return True

    def expect(self, word: str) -> None:
        """Raises Unreadable."""
        if not self.take(word):
            token = self.token
            raise Unreadable(f"expected {word} but found {self.text[token.start : token.end]}", token.start)

    def until(self, *words: str) -> list[Token]:
        """The tokens before the next of the words, or before what closes the parenthesis that they are in."""
        start, open_ones = self.position, 0
        while not self.is_over:
            word = self.word
            if open_ones == 0 and (word in words or word in OPENING.values()):
                break
            open_ones += (word in ("(", "[")) - (word in (")", "]"))
            self.position += 1
        return list(self.tokens[start : self.position])


def _columns(reader: _Reader) -> tuple[Column, ...]:
    columns = []
    reader.expect("(")
    while not reader.take(")"):
        if reader.word in CONSTRAINTS:
            reader.keys.append(_key(reader.text, reader.until(",")))
        else:
            columns.append(_column(reader))
        if not reader.take(","):
            reader.expect(")")
            break
    return tuple(columns)


def _key(text: str, tokens: Sequence[Token], column: str = "") -> str:
    """A key without its name; `column` is the one that it stands at, when it lists none."""
    words = [token.word for token in tokens]

    def listed(after: int) -> str:
        opening = words.index("(", after)
        inside = tokens[opening + 1 : words.index(")", opening)]
        return ", ".join(_name(text, token) for token in inside if token.word != ",")

    own = column or listed(0)
    if "REFERENCES" not in words:
        return f"PRIMARY KEY ({own})"
    place = words.index("REFERENCES")
    table = text[tokens[place + 1].start : tokens[words.index("(", place) - 1].end].replace("`", "").split(".")
    return f"FOREIGN KEY ({own}) REFERENCES {'.'.join(table[-2:])} ({listed(place)})"


def _column(reader: _Reader) -> Column:
    name = _name(reader.text, reader.token)
    reader.next()
    inner: list[str] = []
    kind = _type(reader, inner, name)
    required, default, options = _attributes(reader, name)
    description = value(options["description"]) if "description" in options else ""
    return Column(name, kind, required, default, description, "; ".join(inner))


def _type(reader: _Reader, inner: list[str], path: str) -> str:
    word = reader.next()
    if not word:
        raise Unreadable("expected the type of a column", reader.tokens[reader.position - 1].start)
    kind = SAME_TYPE.get(word, word)
    if reader.take("<"):
        parts = []
        while not reader.take(">"):
            parts.append(_field(reader, inner, path) if kind == "STRUCT" else _type(reader, inner, path))
            if not reader.take(","):
                reader.expect(">")
                break
        kind = f"{kind}<{', '.join(parts)}>"
    elif reader.take("("):
        kind = f"{kind}({_spelt(reader.text, reader.until())})"
        reader.expect(")")
    if reader.take("COLLATE"):
        kind += f" COLLATE {_spelt(reader.text, [reader.token])}"
        reader.next()
    return kind


def _field(reader: _Reader, inner: list[str], path: str) -> str:
    name = ""
    following = reader.tokens[reader.position + 1 : reader.position + 2]
    if following and following[0].kind == WORD and following[0].word not in ("NOT", "OPTIONS", "COLLATE"):
        name = _name(reader.text, reader.token)
        reader.next()
    place = f"{path}.{name}"
    kind = _type(reader, inner, place)
    required, default, options = _attributes(reader, name)
    inner += [f"{place}: {option} = {text}" for option, text in sorted(options.items())]
    inner += [f"{place}: DEFAULT {default}"] if default else []
    return f"{name} {kind}{' NOT NULL' * required}".strip()


def _attributes(reader: _Reader, column: str) -> tuple[bool, str, dict[str, str]]:
    """NOT NULL, DEFAULT and OPTIONS, in whatever order they stand; a key is noted with those of the table."""
    required, default, options = False, "", {}
    while reader.word not in (",", ")", ">"):
        if reader.take("NOT"):
            reader.expect("NULL")
            required = True
        elif reader.take("DEFAULT"):
            default = _spelt(reader.text, reader.until(",", "OPTIONS", "NOT"))
        elif reader.take("OPTIONS"):
            options = _options(reader)
        elif reader.word in (*CONSTRAINTS, "REFERENCES"):
            reader.keys.append(_key(reader.text, reader.until(",", "OPTIONS", "DEFAULT"), column))
        else:
            reader.expect(",")
    return required, default, options


def _options(reader: _Reader) -> dict[str, str]:
    found = {}
    reader.expect("(")
    while not reader.take(")"):
        name = _name(reader.text, reader.token).lower()
        reader.next()
        reader.expect("=")
        text = _spelt(reader.text, reader.until(","))
        if text != "NULL":
            found[name] = text
        if not reader.take(","):
            reader.expect(")")
            break
    return found


def _partitioning(text: str, tokens: Sequence[Token]) -> str:
    """`column by UNIT`: PARTITION BY ts's DATE(ts) and TIMESTAMP_TRUNC(ts, DAY) are one thing."""
    words = [token.word for token in tokens]
    names = [_name(text, token) for token in tokens if token.kind in (WORD, QUOTED)]
    if words[0] == "RANGE_BUCKET":
        limits = _spelt(text, tokens[words.index("GENERATE_ARRAY") + 2 : -2])
        return f"{names[1]} by {limits}"
    column = names[1] if "(" in words else names[0]
    unit = words[-2] if len(words) > 2 and words[-2] in UNITS else "DAY"
    return f"{INGESTION_TIME if column.upper() == '_PARTITIONDATE' else column} by {unit}"


def _name(text: str, token: Token) -> str:
    return text[token.start : token.end].strip("`")


def literal(text: str) -> str:
    """A string literal of that value."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def _spelt(text: str, tokens: Sequence[Token]) -> str:
    """An expression in one spelling of its spaces, quotes and keywords."""
    found = ""
    for token in tokens:
        written = _piece(text, token)
        if token.word == "STRUCT" or not written:  # labels = [STRUCT('a', 'b')] is [('a', 'b')]
            continue
        tight = token.word in (",", ")", "]", ".", ">") or found.endswith(("(", "[", ".", "<"))
        called = token.word in ("(", "<") and re.search(r"\w$", found)
        found += written if tight or called or not found else f" {written}"
    return found


def _piece(text: str, token: Token) -> str:
    written = text[token.start : token.end]
    if token.kind == STRING:
        return literal(value(written))
    if token.kind == NUMBER:
        return re.sub(r"\.0*$", "", written)
    if token.kind == WORD and token.word in ("TRUE", "FALSE", "NULL"):
        return token.word
    return written


def describe(shape: Shape) -> Iterator[str]:
    """The shape as lines, for a diff."""
    for column in shape.columns:
        yield f"{column.name} {column}"
    if shape.partitioning:
        yield f"PARTITION BY {shape.partitioning}"
    if shape.clustering:
        yield f"CLUSTER BY {', '.join(shape.clustering)}"
    yield from (f"{name} = {text}" for name, text in shape.options)
    yield from shape.keys
