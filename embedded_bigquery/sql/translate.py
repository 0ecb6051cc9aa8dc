"""One GoogleSQL statement -> DuckDB.

One walk of the tree does all: `scope` resolves names (a column beats a variable), `expressions` and `operators`
give each expression its DuckDB text and BigQuery's type, `functions` know what each function means, `queries`
put blocks together, and `dml` the statements that write.
"""

from __future__ import annotations

from sqlglot import exp

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql.dialect import parse
from embedded_bigquery.sql.environment import Environment, Relation, Translated
from embedded_bigquery.sql.functions.registry import converted
from embedded_bigquery.sql.functions.signatures import coerces
from embedded_bigquery.sql.queries import Queries, result_fields
from embedded_bigquery.sql.scope import Scope, Statement
from embedded_bigquery.types import INT64, Field, Type

SELECT = "SELECT "  # stands before an expression that is parsed alone; places in it are that much further right


def translate(text: str, environment: Environment) -> Translated:
    """The DuckDB form of a query or DML statement; raises InvalidQuery, NotFound or NotSupported."""
    tree = parse(text)
    for position, node in enumerate(tree.find_all(exp.Placeholder)):
        node.meta["position"] = position
    statement = Statement(environment)
    if isinstance(tree, exp.Query | exp.Subquery | exp.Paren):
        sql, columns = Queries(statement).query(tree, None)
        unnamed = frozenset(position for position, column in enumerate(columns) if not column.name)
        return Translated(
            "SELECT", sql, result_fields(columns), tuple(statement.binds), reads_of(statement), unnamed=unnamed
        )
    from embedded_bigquery.sql.dml import Dml

    if isinstance(tree, exp.DML | exp.Merge | exp.TruncateTable):
        return Dml(statement).translate(tree)
    raise NotSupported(f"{tree.key} statement")


def translate_expression(text: str, environment: Environment, target: Type | None = None) -> Translated:
    """A scalar expression as a query of one row and column, converted to `target` as an assignment does."""
    tree = parse(f"{SELECT}{text}")
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or tree.args.get("from_") is not None:
        raise InvalidQuery(f"Syntax error: Expected an expression but got: {text}")
    for position, node in enumerate(tree.find_all(exp.Placeholder)):
        node.meta["position"] = position
    statement = Statement(environment)
    node = tree.expressions[0]
    if isinstance(node, exp.Tuple):
        raise InvalidQuery("A struct constructor cannot be used with typeless syntax here")
    value = Queries(statement).expression(node, Scope(statement))
    sql, kind = value.sql, value.type
    if target is not None:
        if kind is not None and coerces(kind, target, literal=True) is None:
            raise InvalidQuery(f"Cannot coerce expression {text} to type {target}")
        sql, kind = converted(sql, kind, target), target
    fields = (Field(value.name, kind or INT64),)
    return Translated("SELECT", f"SELECT {sql} AS c0", fields, tuple(statement.binds), reads_of(statement))


def reads_of(statement: Statement) -> tuple[tuple[Relation, frozenset[str]], ...]:
    return tuple((relation, frozenset(columns)) for relation, columns in statement.reads.values())
