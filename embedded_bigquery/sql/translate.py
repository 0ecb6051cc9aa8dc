"""One GoogleSQL statement -> DuckDB.

`parser` reads it. One walk of its nodes does the rest: `scope` resolves names (a column beats a variable),
`expressions` and its topics give each expression its DuckDB text and BigQuery's type, `functions` know what each
function means, `sources`, `selects`, `pivots`, `routines`, `pipes` and `queries` put queries together, each a class
on the one before, and `dml` the statements that write.
"""

from __future__ import annotations

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.dml import Dml
from embedded_bigquery.sql.environment import Environment, Translated
from embedded_bigquery.sql.expressions import settled
from embedded_bigquery.sql.functions.duckdb_text import default_zone
from embedded_bigquery.sql.functions.registry import converted
from embedded_bigquery.sql.functions.signatures import coerces
from embedded_bigquery.sql.parser import parse, parse_expression
from embedded_bigquery.sql.queries import Queries, result_fields
from embedded_bigquery.sql.scope import Scope, Statement
from embedded_bigquery.types import INT64, Field, Type

SELECT = "SELECT "  # what an expression's DuckDB text begins with


def translate(text: str, environment: Environment) -> Translated:
    """The DuckDB form of a query or DML statement; raises InvalidQuery, NotFound or NotSupported."""
    with default_zone(environment.time_zone):
        return _translated(parse(text), Statement(environment))


def _translated(node: nodes.Statement, statement: Statement) -> Translated:
    if not isinstance(node, nodes.Query):
        return Dml(statement).translate(node)
    sql, columns = Queries(statement).result(node)
    unnamed = frozenset(position for position, column in enumerate(columns) if not column.name)
    fields, binds = result_fields(columns), tuple(statement.binds)
    return Translated("SELECT", sql, fields, binds, statement.reads(), unnamed=unnamed)


def translate_expression(text: str, environment: Environment, target: Type | None = None) -> Translated:
    """A scalar expression as a query of one row and column, converted to `target` as an assignment does."""
    with default_zone(environment.time_zone):
        return _expression(text, Statement(environment), target)


def _expression(text: str, statement: Statement, target: Type | None) -> Translated:
    node = parse_expression(text)
    queries = Queries(statement)
    scope = Scope(statement)
    value = queries.expression(node, scope) if target is None else queries.typed(node, scope, target)
    if target is None:
        value = settled(node, value)
    sql, kind = value.sql, value.type
    if target is not None:
        if kind is not None and coerces(kind, target, literal=True) is None:
            raise InvalidQuery(f"Cannot coerce expression {text} to type {target}", at=node.at)
        sql, kind = converted(sql, kind, target), target
    fields = (Field(value.name, kind or INT64),)
    return Translated("SELECT", f"{SELECT}{sql} AS c0", fields, tuple(statement.binds), statement.reads())
