"""Whether a DML statement says which partitions of its table it touches.

Source: "Query partitioned tables" and "Using DML with partitioned tables": constants prune, subqueries and columns
do not, and the partitioning column must stand alone on its side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from deployer.check.syntax import Node

LIKE, IS, EQUAL, NOT_EQUAL, NOT_EQUAL_2, GREATER, LESS, GREATER_EQUAL, LESS_EQUAL = range(1, 10)
PRUNING = (IS, EQUAL, GREATER, LESS, GREATER_EQUAL, LESS_EQUAL)
# Functions of the column that BigQuery still prunes by: they cut a time into its days.
CUTTING = frozenset({"DATE", "TIMESTAMP_TRUNC", "DATE_TRUNC", "DATETIME_TRUNC", "CAST"})
PSEUDO = frozenset({"_partitiontime", "_partitiondate"})


@dataclass(frozen=True, slots=True)
class Pruning:
    """`partition` are the names of the column that cuts the table; `columns` those that vary from row to row."""

    partition: frozenset[str]
    columns: frozenset[str]
    variables: frozenset[str]

    def missing(self, statement: Node) -> str:
        """What a statement that changes rows lacks; "" when it says which partitions."""
        if statement.kind == "MergeStatement":
            return "" if self._merge(statement) else "neither ON, the source nor every WHEN filters it by constants"
        if statement.kind in ("UpdateStatement", "DeleteStatement"):
            return "" if self._prunes(statement.one("where")) else "WHERE does not filter it by constants"
        return ""

    def _merge(self, statement: Node) -> bool:
        condition = statement.one("merge_condition")
        if self._prunes(condition):
            return True
        clauses = statement.one("when_clauses")
        listed = clauses.all("clause_list") if clauses is not None else []
        if listed and all(self._prunes(clause.one("search_condition")) for clause in listed):
            return True
        # ON ties the column to one of the source, which the source's own WHERE filters.
        source = statement.one("table_expression")
        tied = replace(self, partition=self.partition | set(self._tied(condition)))
        wheres = source.find("WhereClause", "PipeWhere") if source is not None else ()
        return any(tied._prunes(where.one("expression")) for where in wheres)

    def _tied(self, condition: Node | None) -> Iterator[str]:
        for conjunct in _conjuncts(condition):
            if conjunct.kind == "BinaryExpression" and conjunct.value("op") == EQUAL:
                names = [_column(conjunct.one("lhs")), _column(conjunct.one("rhs"))]
                if any(name in self.partition for name in names):
                    yield from filter(None, names)

    def _prunes(self, condition: Node | None) -> bool:
        return any(self._limits(conjunct) for conjunct in _conjuncts(condition))

    def _limits(self, node: Node) -> bool:
        if node.kind == "OrExpr":
            return all(self._prunes(one) for one in node.all("disjuncts"))
        if node.kind == "BinaryExpression" and node.value("op") in PRUNING:
            left, right = node.one("lhs"), node.one("rhs")
            return (self._is(left) and self._constant(right)) or (self._is(right) and self._constant(left))
        if node.kind == "BetweenExpression":
            return self._is(node.one("lhs")) and self._constant(node.one("low")) and self._constant(node.one("high"))
        if node.kind == "InExpression" and not node.value("is_not"):
            return self._is(node.one("lhs")) and self._constant(node.one("in_list") or node.one("unnest_expr"))
        return False

    def _is(self, node: Node | None) -> bool:
        return _column(node) in self.partition

    def _constant(self, node: Node | None) -> bool:
        if node is None or any(True for _ in node.find("Query")):
            return False
        functions = {id(call.one("function")) for call in node.find("FunctionCall")}
        for path in node.find("PathExpression"):
            first = path.path[0].lower()
            varies = first in self.columns or (len(path.path) > 1 and first not in self.variables)
            if varies and id(path) not in functions:
                return False
        return True


def _conjuncts(condition: Node | None) -> Iterator[Node]:
    if condition is not None and condition.kind == "AndExpr":
        for one in condition.all("conjuncts"):
            yield from _conjuncts(one)
    elif condition is not None:
        yield condition


def _column(node: Node | None) -> str:
    """The column that the node is, or cuts into days; "" when it is anything else."""
    if node is None:
        return ""
    if node.kind == "PathExpression" and len(node.path) <= 2:
        return node.path[-1].lower()
    if node.kind == "FunctionCall":
        function, arguments = node.one("function"), node.all("arguments")
        if function is not None and function.path[-1].upper() in CUTTING and arguments:
            return _column(arguments[0])
    if node.kind == "CastExpression":
        return _column(node.one("expr"))
    return ""
