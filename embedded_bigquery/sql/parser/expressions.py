"""Expressions, by the precedence of their operators.

Source: "Operators", docs.cloud.google.com/bigquery/docs/reference/standard-sql/operators.
"""

from __future__ import annotations

from abc import abstractmethod

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.lexer import BYTES, FLOAT, INTEGER, QUOTED, RESERVED, STRING, WORD
from embedded_bigquery.sql.parser.calls import CallParser
from embedded_bigquery.types import ALIASES, Type

OR, AND, NOT, COMPARE, UNARY = 1, 2, 3, 4, 11
LEVELS = {"|": 5, "^": 6, "&": 7, "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "||": 10}
COMPARISONS = {"=": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "!=": "<>", "<>": "<>"}
TYPED = ("DATE", "DATETIME", "TIME", "TIMESTAMP", "NUMERIC", "DECIMAL", "BIGNUMERIC", "BIGDECIMAL", "JSON")
WITHOUT_PARENTHESES = ("CURRENT_DATE", "CURRENT_DATETIME", "CURRENT_TIME", "CURRENT_TIMESTAMP")
# Reserved words that are functions when a parenthesis follows.
FUNCTION_WORDS = ("IF", "LEFT", "RIGHT", "GROUPING", "RANGE", "COLLATE", "CONTAINS", "HASH")
SUBSCRIPTS = ("OFFSET", "ORDINAL", "SAFE_OFFSET", "SAFE_ORDINAL")


class ExpressionParser(CallParser):
    def expression(self) -> nodes.Node:
        return self._binary(OR)

    # ---- operators

    def _binary(self, level: int) -> nodes.Node:
        at = self.token.at
        if level <= NOT and self.token.word == "NOT":
            self.advance()
            left: nodes.Node = nodes.Unary(at, "NOT", self._binary(NOT))
        else:
            left = self._unary()
        while True:
            word = self.token.word
            if word == ">" and self.ahead().word == ">" and self.token.end == self.ahead().start:
                word = ">>"
            own = LEVELS.get(word)
            if own is not None:
                if own < level:
                    return left
                self.advance()
                if word == ">>":
                    self.advance()
                left = nodes.Binary(at, word, left, self._binary(own + 1))
            elif word == "AND" and level <= AND:
                self.advance()
                left = nodes.Binary(at, "AND", left, self._binary(NOT))
            elif word == "OR" and level <= OR:
                self.advance()
                left = nodes.Binary(at, "OR", left, self._binary(AND))
            else:
                compared = self._comparison(left, at) if level <= COMPARE else None
                if compared is None:
                    return left
                left = compared
                if self.token.word in COMPARISONS:
                    raise self.unexpected("end of input")

    def _comparison(self, left: nodes.Node, at: nodes.Place) -> nodes.Node | None:
        word = self.token.word
        operator = COMPARISONS.get(word)
        if operator is not None:
            self.advance()
            return nodes.Binary(at, operator, left, self._binary(COMPARE + 1))
        if word == "IS":
            self.advance()
            return self._is(left, at)
        negated = word == "NOT"
        if negated:
            word = self.ahead().word
        if word not in ("LIKE", "BETWEEN", "IN"):
            return None
        if negated:
            self.advance()
        self.advance()
        found = {"LIKE": self._like, "BETWEEN": self._between, "IN": self._in}[word](left, at)
        return nodes.Unary(at, "NOT", found) if negated else found

    def _is(self, left: nodes.Node, at: nodes.Place) -> nodes.Node:
        negated = self.take("NOT")
        if self.take("DISTINCT", "FROM"):
            operator = "IS NOT DISTINCT FROM" if negated else "IS DISTINCT FROM"
            return nodes.Binary(at, operator, left, self._binary(COMPARE + 1))
        if self.token.word not in ("NULL", "TRUE", "FALSE", "UNKNOWN"):
            raise self.unexpected()
        found = nodes.Is(at, left, self.advance().word)
        return nodes.Unary(at, "NOT", found) if negated else found

    def _between(self, left: nodes.Node, at: nodes.Place) -> nodes.Node:
        low = self._binary(COMPARE + 1)
        self.expect("AND")
        return nodes.Between(at, left, low, self._binary(COMPARE + 1))

    def _in(self, left: nodes.Node, at: nodes.Place) -> nodes.Node:
        items, query, array = self._candidates()
        return nodes.In(at, left, items, query, array)

    def _like(self, left: nodes.Node, at: nodes.Place) -> nodes.Node:
        if self.token.word not in ("ANY", "SOME", "ALL"):
            return nodes.Binary(at, "LIKE", left, self._binary(COMPARE + 1))
        every = self.advance().word == "ALL"
        items, query, array = self._candidates()
        return nodes.Like(at, left, every, items, query, array)

    def _candidates(self) -> tuple[list[nodes.Node], nodes.Query | None, nodes.Node | None]:
        """What stands after IN or LIKE ANY."""
        if self.take("UNNEST"):
            self.expect("(")
            array = self.expression()
            self.expect(")")
            return [], None, array
        self.expect("(")
        query = self.closed_query()
        if query is not None:
            return [], query, None
        items = self.comma_list(self.expression)
        self.expect(")")
        return items, None, None

    def _unary(self) -> nodes.Node:
        at, word = self.token.at, self.token.word
        if word not in ("-", "+", "~"):
            return self._postfix(self._primary())
        self.advance()
        if word == "-" and self.token.kind in (INTEGER, FLOAT) and self.ahead().word not in (".", "["):
            return nodes.Number(at, f"-{self.advance().text}")
        operand = self._unary()
        return operand if word == "+" and isinstance(operand, nodes.Number) else nodes.Unary(at, word, operand)

    def _postfix(self, base: nodes.Node) -> nodes.Node:
        while True:
            at = self.token.at
            if self.token.word == "." and self.ahead().kind in (WORD, QUOTED):
                self.advance()
                base = self._member_of(base)
            elif self.take("["):
                base = self._subscript(base, at)
            else:
                return base

    def _member_of(self, base: nodes.Node) -> nodes.Node:
        at, name = self.token.at, self.member()
        if isinstance(base, nodes.Path):
            return nodes.Path(base.at, (*base.parts, name))
        if self.token.word != "(":
            return nodes.FieldOf(at, base, name)
        call = self.call(at, (name,))  # value.f(x) is f(value, x)
        call.arguments.insert(0, base)
        return call

    def _subscript(self, base: nodes.Node, at: nodes.Place) -> nodes.Node:
        mode = ""
        if self.token.word in SUBSCRIPTS and self.ahead().word == "(":
            mode = self.advance().word
            self.expect("(")
        index = self.expression()
        if mode:
            self.expect(")")
        self.expect("]")
        return nodes.Subscript(at, base, index, mode)

    # ---- what stands alone

    def _primary(self) -> nodes.Node:
        token = self.token
        if token.kind in (INTEGER, FLOAT):
            return nodes.Number(token.at, self.advance().text)
        if token.kind == STRING:
            self.advance()
            if self.token.kind == STRING:
                raise self.unexpected()
            return nodes.String(token.at, token.text)
        if token.kind == BYTES:
            self.advance()
            return nodes.Bytes(token.at, token.text.encode("latin-1"))
        if token.word in ("(", "[", "@", "@@", "?"):
            return self._sign()
        if token.kind == QUOTED:
            return self._named()
        if token.kind != WORD:
            raise self.unexpected()
        word = token.word
        special = self._special(word)
        if special is not None:
            return special
        if word in RESERVED and not (word in FUNCTION_WORDS and self.ahead().word == "("):
            raise self.unexpected()
        if word in TYPED and self.ahead().kind == STRING:
            self.advance()
            return nodes.TypedLiteral(token.at, Type(ALIASES[word]), self.advance().text)
        if word in WITHOUT_PARENTHESES and self.ahead().word != "(":
            self.advance()
            return nodes.Call(token.at, (word,), [])
        return self._named()

    def _sign(self) -> nodes.Node:
        at, word = self.token.at, self.advance().word
        if word == "(":
            return self._parenthesized(at)
        if word == "[":
            items = [] if self.token.word == "]" else self.comma_list(self.expression, trailing="]")
            self.expect("]")
            return nodes.Array(at, items)
        if word == "?":
            self.placeholders += 1
            return nodes.Parameter(at, self.placeholders - 1)
        if word == "@":
            return nodes.Parameter(at, self.member().lower())
        parts = [self.member()]
        while self.token.word == "." and self.ahead().kind in (WORD, QUOTED):
            self.advance()
            parts.append(self.member())
        return nodes.SystemVariable(at, tuple(parts))

    def _parenthesized(self, at: nodes.Place) -> nodes.Node:
        query = self.closed_query()
        if query is not None:
            return nodes.Scalar(at, query)
        items = self.comma_list(self.expression)
        self.expect(")")
        return items[0] if len(items) == 1 else nodes.Struct(at, [("", item) for item in items])

    def _special(self, word: str) -> nodes.Node | None:
        at = self.token.at
        if word == "NULL":
            self.advance()
            return nodes.Null(at)
        if word in ("TRUE", "FALSE"):
            self.advance()
            return nodes.Boolean(at, word == "TRUE")
        if word == "CASE":
            return self._case()
        if word == "INTERVAL":
            return self._interval()
        if word == "ARRAY":
            return self._array()
        if word == "STRUCT":
            return self._struct()
        if word == "RANGE" and self.ahead().word == "<":
            kind = self.type()
            return nodes.TypedLiteral(at, kind, self.string())
        if self.ahead().word != "(":
            return None
        if word in ("CAST", "SAFE_CAST"):
            return self._cast()
        if word == "EXTRACT":
            return self._extract()
        if word == "WITH":
            return self._with()
        if word == "EXISTS":
            self.advance()
            self.expect("(")
            query = self.query()
            self.expect(")")
            return nodes.Exists(at, query)
        if word == "NEW" or word == "TREAT":
            raise NotSupported(f"{word} expression", at=at)
        return None

    def _case(self) -> nodes.Node:
        at = self.advance().at
        subject = None if self.token.word == "WHEN" else self.expression()
        branches = []
        while self.take("WHEN"):
            condition = self.expression()
            self.expect("THEN")
            branches.append((condition, self.expression()))
        if not branches:
            raise self.unexpected("keyword WHEN")
        default = self.expression() if self.take("ELSE") else None
        self.expect("END")
        return nodes.Case(at, subject, branches, default)

    def _interval(self) -> nodes.Node:
        at = self.advance().at
        value = self.expression()
        part = self.identifier().upper()
        return nodes.Interval(at, value, part, self.identifier().upper() if self.take("TO") else "")

    def _array(self) -> nodes.Node:
        at, ahead = self.token.at, self.ahead().word
        if ahead == "(":
            self.advance()
            self.advance()
            query = self.query()
            self.expect(")")
            return nodes.ArrayQuery(at, query)
        kind = self.type() if ahead == "<" else None
        if kind is None:
            self.advance()
        self.expect("[")
        items = [] if self.token.word == "]" else self.comma_list(self.expression, trailing="]")
        self.expect("]")
        return nodes.Array(at, items, kind.element if kind is not None else None)

    def _struct(self) -> nodes.Node:
        at = self.token.at
        kind = self.type() if self.ahead().word == "<" else None
        if kind is None:
            self.advance()
        self.expect("(")
        items = [] if self.token.word == ")" else self.comma_list(self._struct_item)
        self.expect(")")
        return nodes.Struct(at, items, kind)

    def _struct_item(self) -> tuple[str, nodes.Node]:
        value = self.expression()
        return (self.identifier() if self.take("AS") else ""), value

    def _cast(self) -> nodes.Node:
        at, word = self.token.at, self.advance().word
        self.expect("(")
        value = self.expression()
        self.expect("AS")
        kind, sizes = self.sized_type()
        form = self.expression() if self.take("FORMAT") else None
        zone = self.expression() if self.take("AT", "TIME", "ZONE") else None
        self.expect(")")
        return nodes.Cast(at, value, kind, sizes, word == "SAFE_CAST", form, zone)

    def _extract(self) -> nodes.Node:
        at = self.advance().at
        self.expect("(")
        part = self._named()
        self.expect("FROM")
        value = self.expression()
        zone = self.expression() if self.take("AT", "TIME", "ZONE") else None
        self.expect(")")
        return nodes.Extract(at, part, value, zone)

    def _with(self) -> nodes.Node:
        at = self.advance().at
        self.expect("(")
        bindings = []
        while self.is_identifier and self.ahead().word == "AS":
            name = self.identifier()
            self.expect("AS")
            bindings.append((name, self.expression()))
            self.expect(",")
        body = self.expression()
        self.expect(")")
        return nodes.With(at, bindings, body)

    def _named(self) -> nodes.Node:
        """A path, or a call of what the path names."""
        at, is_quoted = self.token.at, self.token.kind == QUOTED
        parts = [self.advance().text]
        while self.token.word == "." and self.ahead().kind in (WORD, QUOTED):
            self.advance()
            parts.append(self.member())
        if self.token.word != "(":
            return nodes.Path(at, tuple(parts))
        if is_quoted:
            parts[:1] = parts[0].split(".")
        return self.call(at, tuple(parts))

    def closed_query(self) -> nodes.Query | None:
        """A query and the parenthesis that ends it; None where what stands here only begins like one."""
        if not self.starts_query():
            return None
        start, placeholders, is_nested = self.position, self.placeholders, self.token.word == "("
        try:
            query = self.query()
            self.expect(")")
        except InvalidQuery:
            if not is_nested:
                raise
            self.back_to(start)
            self.placeholders = placeholders
            return None
        return query

    @abstractmethod
    def starts_query(self) -> bool:
        """Whether a query may begin here, after an opening parenthesis."""
