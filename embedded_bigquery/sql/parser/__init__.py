"""GoogleSQL text -> nodes: one query, DML statement or expression.

A recursive descent in layers, each a class on the one before: stream, types, expressions, sources (FROM), queries,
pipes, statements.
"""

from __future__ import annotations

from functools import lru_cache

from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.parser.statements import StatementParser

__all__ = ["parse", "parse_expression", "parse_query"]


@lru_cache(maxsize=512)
def parse(text: str) -> nodes.Statement:
    """The one statement of the text; raises InvalidQuery with the place where reading stopped."""
    return StatementParser(text).whole(StatementParser.statement)


@lru_cache(maxsize=512)
def parse_query(text: str) -> nodes.Query:
    return StatementParser(text).whole(StatementParser.query)


@lru_cache(maxsize=512)
def parse_expression(text: str) -> nodes.Node:
    return StatementParser(text).whole(StatementParser.expression)
