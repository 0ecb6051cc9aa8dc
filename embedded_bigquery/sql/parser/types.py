"""Names of types."""

from __future__ import annotations

from embedded_bigquery.sql.lexer import INTEGER
from embedded_bigquery.sql.parser.stream import Stream
from embedded_bigquery.types import ALIASES, Field, Type, array_of


class TypeParser(Stream):
    def type(self) -> Type:
        return self.sized_type()[0]

    def sized_type(self) -> tuple[Type, tuple[int, ...]]:
        """A type and the sizes in parentheses after it, as in NUMERIC(10, 2)."""
        at, word = self.token.at, self.token.word
        if word == "ARRAY":
            self.advance()
            self.expect("<")
            element = self.type()
            self.expect(">")
            if element.is_array:
                raise self.error("Syntax error: Arrays of arrays are not supported", at)
            return array_of(element), ()
        if word == "STRUCT":
            self.advance()
            self.expect("<")
            fields = [] if self.token.word == ">" else self.comma_list(self._field)
            self.expect(">")
            return Type("STRUCT", fields=tuple(fields)), ()
        if word == "RANGE":
            self.advance()
            self.expect("<")
            element = self.type()
            self.expect(">")
            return Type("RANGE", element=element), ()
        name = self.advance().text if word == "INTERVAL" else self.identifier()
        if name.upper() not in ALIASES:
            raise self.error(f"Type not found: {name}", at)
        sizes: tuple[int, ...] = ()
        if self.take("("):
            sizes = tuple(self.comma_list(self._size))
            self.expect(")")
        return Type(ALIASES[name.upper()]), sizes

    def _size(self) -> int:
        if self.token.kind != INTEGER:
            raise self.unexpected("integer literal")
        return int(self.advance().text)

    def _field(self) -> Field:
        named = self.ahead().word not in (",", ">", "<", "(", ".")
        name = self.member() if named else ""
        kind, sizes = self.sized_type()
        return Field(name, kind, parameters=sizes)
