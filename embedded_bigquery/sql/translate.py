"""One GoogleSQL statement -> DuckDB.

One walk of the tree does all: `scope` resolves names (a column beats a variable), `expressions` and `operators`
give each expression its DuckDB text and BigQuery's type, `functions` know what each function means, `queries`
put blocks together, and `dml` the statements that write.
"""

from __future__ import annotations

from sqlglot import exp

from embedded_bigquery.errors import NotSupported
from embedded_bigquery.sql.dialect import parse
from embedded_bigquery.sql.environment import Environment, Relation, Translated
from embedded_bigquery.sql.queries import Queries, result_fields
from embedded_bigquery.sql.scope import Statement


def translate(text: str, environment: Environment) -> Translated:
    """The DuckDB form of a query or DML statement; raises InvalidQuery, NotFound or NotSupported."""
    tree = parse(text)
    for position, node in enumerate(tree.find_all(exp.Placeholder)):
        node.meta["position"] = position
    statement = Statement(environment)
    if isinstance(tree, exp.Query | exp.Subquery | exp.Paren):
        sql, columns = Queries(statement).query(tree, None)
        return Translated("SELECT", sql, result_fields(columns), tuple(statement.binds), reads_of(statement))
    from embedded_bigquery.sql.dml import Dml

    if isinstance(tree, exp.DML | exp.Merge | exp.TruncateTable):
        return Dml(statement).translate(tree)
    raise NotSupported(f"{tree.key} statement")


def reads_of(statement: Statement) -> tuple[tuple[Relation, frozenset[str]], ...]:
    return tuple((relation, frozenset(columns)) for relation, columns in statement.reads.values())
