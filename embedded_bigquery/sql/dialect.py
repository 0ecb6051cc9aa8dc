"""GoogleSQL as sqlglot reads it here: functions stay calls by BigQuery's own names.

sqlglot's BigQuery dialect turns functions into typed nodes made for transpiling, and loses on the way which
function was written. Here only what has a grammar of its own (CAST, EXTRACT, CASE) becomes a node; all other
calls keep name and arguments, so that `sql/functions` alone decides what they mean.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import TokenType

from embedded_bigquery.errors import InvalidQuery


def _cast(parser: Any, *, safe: bool) -> exp.Expression:
    """CAST(value AS type [FORMAT text [AT TIME ZONE zone]]): sqlglot's own translates the format."""
    value = parser._parse_assignment()
    if not parser._match(TokenType.ALIAS):
        parser.raise_error("Expected AS after CAST")
    target = parser._parse_types(with_collation=True)
    if target is None:
        parser.raise_error("Expected TYPE after CAST")
    form = parser._parse_bitwise() if parser._match(TokenType.FORMAT) else None
    return (exp.TryCast if safe else exp.Cast)(this=value, to=target, format=form)


class GoogleSQL(BigQuery):
    class Parser(BigQuery.Parser):  # type: ignore[valid-type, misc]  # sqlglot makes the name a variable
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parse for name, parse in BigQuery.Parser.FUNCTION_PARSERS.items() if name == "EXTRACT"
        } | {
            "CAST": lambda parser: _cast(parser, safe=False),
            "SAFE_CAST": lambda parser: _cast(parser, safe=True),
        }
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parse for name, parse in BigQuery.Parser.NO_PAREN_FUNCTION_PARSERS.items() if name in ("CASE", "ANY")
        }


def parse(text: str) -> exp.Expression:
    """The one statement of the text; raises InvalidQuery with the place where reading stopped."""
    try:
        found = [statement for statement in GoogleSQL().parse(text) if statement is not None]
    except ParseError as error:
        details = error.errors[0] if error.errors else {}
        place = (details["line"], details["col"] - len(details.get("highlight") or "") + 1) if details else None
        near = details.get("highlight") or "end of statement"
        raise InvalidQuery(f"Syntax error: Unexpected {near}", at=place) from error
    except TokenError as error:
        raise InvalidQuery(f"Syntax error: {re.sub(chr(10), ' ', str(error))}") from error
    if len(found) != 1:
        raise InvalidQuery(f"Expected one statement but found {len(found)}")
    tree = found[0]
    assert isinstance(tree, exp.Expression)
    return tree


def place(node: exp.Expression) -> tuple[int, int] | None:
    """Line and column, from 1, of the first identifier or call in the node."""
    for inner in (node, *node.find_all(exp.Identifier, exp.Anonymous)):
        meta = inner.meta
        if meta.get("end") is not None:  # parts of one quoted path have no place
            return meta["line"], meta["col"] - (meta["end"] - meta["start"])
    return None
