"""Names, types, column lists and OPTIONS as definitions have them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql.definitions import Key, Path
from embedded_bigquery.sql.tokens import Span, Tokens
from embedded_bigquery.types import ALIASES, Field, Type

Constant = Callable[[str], Any]  # evaluates an expression of an OPTIONS list


def parse_type_text(text: str) -> Field:
    """A type with its sizes, such as DECLARE has, as a nameless Field; raises InvalidQuery."""
    parser = ColumnParser(Tokens(text), lambda expression: None)
    found = parser.column_type("")
    if not parser.tokens.at_end:
        raise parser.tokens.unexpected()
    return found


class ColumnParser:
    def __init__(self, tokens: Tokens, constant: Constant) -> None:
        self.tokens = tokens
        self.constant = constant

    # ---- words

    def path(self) -> Path:
        """A name of one to three parts; dashes in an unquoted project are part of it."""
        return self.tokens.table_path()

    def names(self) -> tuple[str, ...]:
        found = [self.tokens.identifier()]
        while self.tokens.take(","):
            found.append(self.tokens.identifier())
        return tuple(found)

    def slice(self, span: Span) -> str:
        return self.tokens.text[span[0] : span[1]]

    def options(self) -> dict[str, Any]:
        """OPTIONS (name = value, …), if it comes next."""
        found: dict[str, Any] = {}
        if not self.tokens.take("OPTIONS"):
            return found
        self.tokens.expect("(")
        while not self.tokens.take(")"):
            name = self.tokens.identifier().lower()
            self.tokens.expect("=")
            found[name] = self.constant(self.slice(self.tokens.until(",", ")")))
            if not self.tokens.take(",") and self.tokens.word() != ")":
                raise self.tokens.unexpected('"," or ")"')
        return found

    # ---- types and columns

    def column_type(self, name: str) -> Field:
        """A type, with what may follow it inside a column list: sizes, COLLATE, NOT NULL, DEFAULT, OPTIONS."""
        at = self.tokens.place(self.tokens.start)
        word = self.tokens.advance().word
        sizes: tuple[int, ...] = ()
        if word in ("ARRAY", "RANGE") and self.tokens.word() in ("<", "<>"):
            self.tokens.expect("<")
            inner = self.column_type("")
            self.tokens.expect(">")
            kind, sizes = Type(word, element=inner.type), inner.parameters
            if word == "ARRAY" and inner.type.is_array:
                raise InvalidQuery("Cannot construct array with element type ARRAY", at=at)
        elif word == "STRUCT":
            kind = Type("STRUCT", fields=self._struct_fields())
        elif word in ALIASES:
            kind = Type(ALIASES[word])
            sizes = self._sizes()
            _check_sizes(kind.kind, sizes, at)
        else:
            raise InvalidQuery(f"Type not found: {word}", at=at)
        made = Field(name, kind, parameters=sizes)
        if self.tokens.take("COLLATE"):
            made = replace(
                made, collation=str(self.constant(self.slice(self.tokens.until(",", ")", "NOT", "OPTIONS"))))
            )
        while True:
            if self.tokens.take("NOT", "NULL"):
                made = replace(made, required=True)
            elif self.tokens.take("DEFAULT"):
                made = replace(made, default=self.slice(self.tokens.until(",", ")", "OPTIONS", "NOT")))
            elif self.tokens.word() == "OPTIONS":
                made = replace(made, description=self.options().get("description"))
            else:
                return made

    def _struct_fields(self) -> tuple[Field, ...]:
        if self.tokens.take("<>"):
            return ()
        self.tokens.expect("<")
        found = []
        while True:
            # `name type`, or a type alone.
            named = self.tokens.word(1) not in (",", ">", "<", "(", "<>")
            found.append(self.column_type(self.tokens.identifier() if named else ""))
            if not self.tokens.take(","):
                self.tokens.expect(">")
                return tuple(found)

    def _sizes(self) -> tuple[int, ...]:
        if not self.tokens.take("("):
            return ()
        text = self.slice(self.tokens.until(")"))
        self.tokens.expect(")")
        if text.upper() == "MAX":
            return ()
        return tuple(int(part, 0) for part in text.split(","))

    def columns(self) -> tuple[tuple[Field, ...], tuple[Key, ...]]:
        """Columns and keys of (name type …, PRIMARY KEY (…) NOT ENFORCED, …)."""
        found: list[Field] = []
        keys: list[Key] = []
        self.tokens.expect("(")
        while not self.tokens.take(")"):
            if self.tokens.word() in ("PRIMARY", "FOREIGN", "CONSTRAINT"):
                keys.append(self.key(()))
            else:
                name = self.tokens.identifier()
                found.append(self.column_type(name))
                while self.tokens.word() in ("PRIMARY", "REFERENCES", "CONSTRAINT"):
                    keys.append(self.key((name,)))
            if not self.tokens.take(",") and self.tokens.word() != ")":
                raise self.tokens.unexpected('"," or ")"')
        names = [column.name.lower() for column in found]
        for position, name in enumerate(names):
            if name in names[:position]:
                raise InvalidQuery(f"Duplicate column name {found[position].name} in CREATE TABLE")
        return tuple(found), tuple(keys)

    def key(self, columns: tuple[str, ...]) -> Key:
        """A key, of `columns` when it stands behind one; BigQuery takes it only NOT ENFORCED."""
        name = ""
        if self.tokens.take("CONSTRAINT"):
            self.tokens.take("IF", "NOT", "EXISTS")
            name = self.tokens.identifier()
        at = self.tokens.place(self.tokens.start)
        if self.tokens.take("PRIMARY", "KEY"):
            made = Key(name, self.parenthesised() if self.tokens.word() == "(" else columns)
        else:
            if self.tokens.take("FOREIGN", "KEY"):
                columns = self.parenthesised()
            self.tokens.expect("REFERENCES")
            made = Key(name, columns, self.path(), self.parenthesised())
        if not self.tokens.take("NOT", "ENFORCED"):
            kind = "foreign" if made.references else "primary"
            raise InvalidQuery(f"Enforcement of {kind} keys is not supported; write NOT ENFORCED", at=at)
        return made

    def parenthesised(self) -> tuple[str, ...]:
        self.tokens.expect("(")
        names = self.names()
        self.tokens.expect(")")
        return names


def _check_sizes(kind: str, sizes: tuple[int, ...], at: tuple[int, int]) -> None:
    """Source: "Parameterized data types"."""
    if not sizes:
        return
    if kind in ("STRING", "BYTES"):
        good = len(sizes) == 1 and sizes[0] > 0
    elif kind in ("NUMERIC", "BIGNUMERIC"):
        limit, most = (9, 29) if kind == "NUMERIC" else (38, 38)
        precision, scale = sizes[0], sizes[1] if len(sizes) > 1 else 0
        if len(sizes) <= 2 and not 0 <= scale <= limit:
            raise InvalidQuery(f"In {kind}(P, S), S must be between 0 and {limit}", at=at)
        low, high = max(1, scale), scale + most
        if len(sizes) <= 2 and not low <= precision <= high:
            shown = f"{kind}(P, {scale})" if len(sizes) == 2 else f"{kind}(P)"
            raise InvalidQuery(f"In {shown}, P must be between {low} and {high}", at=at)
        good = len(sizes) <= 2
    else:
        raise InvalidQuery(f"{kind} does not support type parameters", at=at)
    if not good:
        raise InvalidQuery(f"Invalid type parameters of {kind}: {', '.join(map(str, sizes))}", at=at)
