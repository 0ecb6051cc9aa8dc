"""SQL statements by the word that they begin with, and their grammar."""

from __future__ import annotations

from embedded_bigquery.sql.ddl import parse_definition
from embedded_bigquery.sql.parser import parse, parse_expression
from embedded_bigquery.sql.tokens import Tokens

QUERIES = ("SELECT", "WITH", "(", "FROM")
WRITES = ("INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE")
DEFINITIONS = ("CREATE", "DROP", "ALTER", "UNDROP")
UNSUPPORTED = ("EXPORT", "LOAD", "GRANT", "REVOKE", "DESCRIBE", "SHOW", "EXPLAIN", "ANALYZE")


def check_statement(text: str) -> None:
    """Reads a SQL statement; raises InvalidQuery."""
    tokens = Tokens(text)
    word = tokens.word()
    if word in DEFINITIONS:
        parse_definition(text, parse_expression)
    elif word in QUERIES + WRITES:
        parse(text)
    elif word not in UNSUPPORTED:
        raise tokens.unexpected()
