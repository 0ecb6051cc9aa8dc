"""Table functions that BigQuery has of its own.

Source: "Range functions", RANGE_SESSIONIZE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.expressions import Columns
from embedded_bigquery.sql.scope import Column

Rows = tuple[str, Columns]
TableFunction = Callable[[Rows, Sequence[nodes.Node]], Rows]


def _range_sessionize(table: Rows, arguments: Sequence[nodes.Node]) -> Rows:
    """The rows with the range of their session: ranges of one partition that overlap, or meet."""
    sql, columns = table
    if len(arguments) not in (2, 3):
        raise InvalidQuery("RANGE_SESSIONIZE takes a table, a range column, partitioning columns and an option")
    option = _text(arguments[2]) if len(arguments) == 3 else "MEETS"
    if option not in ("MEETS", "OVERLAPS"):
        raise InvalidQuery(f"Unrecognized sessionize option {option} in RANGE_SESSIONIZE; use MEETS or OVERLAPS")
    ranges = _column(columns, _text(arguments[0]))
    keys = [_column(columns, name).sql for name in _texts(arguments[1])]
    if ranges.type is None or ranges.type.kind != "RANGE":
        raise InvalidQuery(f"RANGE_SESSIONIZE needs a column of type RANGE, but {ranges.name} has type {ranges.type}")
    start, end = f'({ranges.sql})."start"', f'({ranges.sql})."end"'
    names = ", ".join(column.sql for column in columns)
    part = f"PARTITION BY {', '.join(keys)} " if keys else ""
    order = f"{part}ORDER BY {start}, {end}"
    sign = ">=" if option == "MEETS" else ">"
    before = f"max({end}) OVER ({order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    marked = f"SELECT *, CASE WHEN {before} {sign} {start} THEN 0 ELSE 1 END AS n_ FROM ({sql}) AS _t({names})"
    grouped = f"SELECT *, sum(n_) OVER ({order} ROWS UNBOUNDED PRECEDING) AS g_ FROM ({marked})"
    session = f"OVER (PARTITION BY {', '.join([*keys, 'g_'])})"
    whole = f'struct_pack("start" := min({start}) {session}, "end" := max({end}) {session})'
    last = f"c{len(columns)}"
    text = f"SELECT {names}, CASE WHEN {ranges.sql} IS NOT NULL THEN {whole} END AS {last} FROM ({grouped})"
    return text, (*columns, Column("session_range", ranges.type, last))


def _text(node: nodes.Node) -> str:
    if isinstance(node, nodes.Named):
        node = node.value
    if not isinstance(node, nodes.String):
        raise InvalidQuery("Argument must be a STRING literal", at=node.at)
    return node.value


def _texts(node: nodes.Node) -> list[str]:
    if isinstance(node, nodes.Named):
        node = node.value
    if not isinstance(node, nodes.Array):
        raise InvalidQuery("Argument must be an ARRAY of STRING literals", at=node.at)
    return [_text(item) for item in node.items]


def _column(columns: Columns, name: str) -> Column:
    for column in columns:
        if column.name.lower() == name.lower():
            return column
    raise InvalidQuery(f"Column {name} is not found in the table that is given")


TABLE_FUNCTIONS: Mapping[str, TableFunction] = {"RANGE_SESSIONIZE": _range_sessionize}
