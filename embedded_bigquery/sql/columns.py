"""Names, types, column lists and OPTIONS as definitions have them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql.definitions import Key, Path
from embedded_bigquery.sql.lexer import INTEGER, QUOTED, RESERVED, WORD
from embedded_bigquery.sql.parser import parse_expression, parse_query
from embedded_bigquery.sql.tokens import Span, Tokens
from embedded_bigquery.types import ALIASES, Field, Type

Constant = Callable[[str], Any]  # evaluates an expression of an OPTIONS list


def parse_type_text(text: str) -> Field:
    """A type with its sizes, such as DECLARE has, as a nameless Field; raises InvalidQuery."""
    parser = ColumnParser(Tokens(text), lambda expression: None)
    found = parser.column_type("")
    parser.end()
    return found


class ColumnParser:
    def __init__(self, tokens: Tokens, constant: Constant) -> None:
        self.tokens = tokens
        self.constant = constant
        self.problem: InvalidQuery | None = None  # the first thing that is wrong and not grammar

    def end(self) -> None:
        """Raises InvalidQuery when the text goes on, or has a problem beyond grammar, which comes first."""
        if not self.tokens.at_end:
            raise self.tokens.unexpected()
        if self.problem is not None:
            raise self.problem

    def _note(self, problem: InvalidQuery) -> None:
        self.problem = self.problem or problem

    # ---- words

    def path(self) -> Path:
        """A name of one to three parts; dashes in an unquoted project are part of it."""
        return self.tokens.table_path()

    def if_exists(self) -> bool:
        return self._after_if("EXISTS")

    def if_not_exists(self) -> bool:
        return self._after_if("NOT", "EXISTS")

    def _after_if(self, *words: str) -> bool:
        found = self.tokens.take("IF")
        if found:
            self.tokens.expect(*words)
        return found

    def names(self) -> tuple[str, ...]:
        found = [self.tokens.identifier()]
        while self.tokens.take(","):
            found.append(self.tokens.identifier())
        return tuple(found)

    def expression(self, *stops: str) -> str:
        """The text of the expression up to one of the words."""
        return self.slice(self.tokens.part(parse_expression, *stops))

    def query(self, *stops: str) -> str:
        return self.slice(self.tokens.part(parse_query, *stops))

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
            found[name] = self.constant(self.expression(",", ")"))
            if not self.tokens.take(",") and self.tokens.word() != ")":
                raise self.tokens.unexpected('"," or ")"')
        return found

    def column_options(self) -> dict[str, Any]:
        """Those of a column: its description."""
        at = self.tokens.place(self.tokens.start)
        found = self.options()
        for name, value in found.items():
            if name in ("data_policies", "rounding_mode") and value != "ROUND_HALF_AWAY_FROM_ZERO":
                self._note(NotSupported(f"option {name} of a column", at=at))
            elif name not in ("description", "rounding_mode"):
                self._note(InvalidQuery(f"Unknown option: {name}", at=at))
        return found

    # ---- types and columns

    def column_type(self, name: str) -> Field:
        """A type, with what may follow it inside a column list: sizes, COLLATE, NOT NULL, DEFAULT, OPTIONS."""
        at = self.tokens.place(self.tokens.start)
        token = self.tokens.token
        word = token.word
        sizes: tuple[int, ...] = ()
        if word in ("ARRAY", "RANGE"):
            self.tokens.advance()
            self.tokens.expect("<")
            inner = self.column_type("")
            self.tokens.expect(">")
            kind, sizes = Type(word, element=inner.type), inner.parameters
            if word == "ARRAY" and inner.type.is_array:
                self._note(InvalidQuery("Cannot construct array with element type ARRAY", at=at))
        elif word == "STRUCT":
            self.tokens.advance()
            kind = Type("STRUCT", fields=self._struct_fields())
        elif word in ALIASES:
            self.tokens.advance()
            kind = Type(ALIASES[word])
            sizes = self._sizes()
            _check_sizes(kind.kind, sizes, at)
        elif token.kind in (WORD, QUOTED) and word not in RESERVED:
            self._note(InvalidQuery(f"Type not found: {'.'.join(self.path())}", at=at))
            kind = Type("STRING")
        else:
            raise self.tokens.unexpected()
        made = Field(name, kind, parameters=sizes)
        if self.tokens.take("COLLATE"):
            self.collation()
        while True:
            if self.tokens.take("NOT", "NULL"):
                made = replace(made, required=True)
            elif self.tokens.take("DEFAULT"):
                made = replace(made, default=self.expression(",", ")", "OPTIONS", "NOT"))
            elif self.tokens.word() == "OPTIONS":
                made = replace(made, description=self.column_options().get("description"))
            else:
                return made

    def collation(self) -> None:
        """The specification after COLLATE: an empty one changes nothing, of others nothing here knows."""
        at = self.tokens.place(self.tokens.start)
        if self.tokens.string():
            raise NotSupported("collation", at=at)

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
        if self.tokens.take("MAX"):
            self.tokens.expect(")")
            return ()
        found = self.tokens.comma_list(self._size)
        self.tokens.expect(")")
        return tuple(found)

    def _size(self) -> int:
        if self.tokens.token.kind != INTEGER:
            raise self.tokens.unexpected("integer literal")
        return int(self.tokens.advance().text, 0)

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
                self._note(InvalidQuery(f"Duplicate column name {found[position].name} in CREATE TABLE"))
        return tuple(found), tuple(keys)

    def key(self, columns: tuple[str, ...]) -> Key:
        """A key, of `columns` when it stands behind one; BigQuery takes it only NOT ENFORCED."""
        name = ""
        if self.tokens.take("CONSTRAINT"):
            self.if_not_exists()
            name = self.tokens.identifier()
        at = self.tokens.place(self.tokens.start)
        if self.tokens.take("PRIMARY"):
            self.tokens.expect("KEY")
            made = Key(name, self.parenthesised() if self.tokens.word() == "(" else columns)
        else:
            if self.tokens.take("FOREIGN"):
                self.tokens.expect("KEY")
                columns = self.parenthesised()
            self.tokens.expect("REFERENCES")
            made = Key(name, columns, self.path(), self.parenthesised())
        if self.tokens.take("NOT"):
            self.tokens.expect("ENFORCED")
        else:
            self.tokens.take("ENFORCED")
            kind = "foreign" if made.references else "primary"
            self._note(InvalidQuery(f"Enforcement of {kind} keys is not supported; write NOT ENFORCED", at=at))
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
