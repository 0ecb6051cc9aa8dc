"""What a statement reads, writes and calls, found in its syntax tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from deployer.check.definitions import TEMPORARY, created_name
from deployer.check.syntax import Node

Role = Literal["reads", "writes", "calls"]
# What stands before a dot in the name of a function that BigQuery has.
NAMESPACES = frozenset(
    {"safe", "net", "hll_count", "kll_quantiles", "keys", "aead", "deterministic", "ml", "ai", "bq", "obj", "vector"}
    | {"d3a_count", "st", "apache", "hll", "search", "graph", "snowflake"}
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A name of an object, and the node that it stands in."""

    role: Role
    path: tuple[str, ...]
    node: Node


def references(node: Node) -> Iterator[Reference]:
    """Names of tables, routines and table functions below the node, those of one part too; in no special order."""
    yield from _Walk().node(node, frozenset())


Aliases = frozenset[str]


class _Walk:
    """`aliases` are the names that a first part of a path may mean instead of a dataset."""

    def node(self, node: Node, aliases: Aliases) -> Iterator[Reference]:
        handler = getattr(self, f"_at_{node.kind}", None)
        if handler is not None:
            yield from handler(node, aliases)
        elif node.kind.endswith("Statement"):
            yield from self._statement(node, aliases)
        else:
            yield from self._below(node, aliases)

    def _below(self, node: Node, aliases: Aliases, *skipped: str) -> Iterator[Reference]:
        for part, value in node.parts.items():
            if part in skipped:
                continue
            for child in value if isinstance(value, list) else (value,):
                if isinstance(child, Node):
                    yield from self.node(child, aliases)

    # ---- statements

    def _statement(self, node: Node, aliases: Aliases) -> Iterator[Reference]:
        target = node.one("target_path")
        if target is not None:
            yield from _named("writes", target)
            aliases |= {_alias(node, target)}
        elif node.kind.startswith(("Create", "Drop", "Alter", "Undrop", "AuxLoad")):
            yield from self._definition(node)
        tables = node.one("from_clause") or node.one("table_expression")
        if tables is not None:
            found = set(aliases)
            yield from self._tables(tables, found)
            aliases = frozenset(found)
        skipped = "target_path", "from_clause", "table_expression", "name", "path", "function_declaration", "parameters"
        yield from self._below(node, aliases, *skipped)

    def _definition(self, node: Node) -> Iterator[Reference]:
        name = created_name(node) or node.one("path")
        is_routine = "Function" in node.kind or "Procedure" in node.kind or "Schema" in node.kind
        if name is not None and node.value("scope") != TEMPORARY and not is_routine:
            yield from _named("writes", name)
        yield from _named("reads", node.one("like_table_name"))
        for part in ("clone_data_source", "copy_data_source"):
            source = node.one(part)
            yield from _named("reads", source.one("path_expr") if source is not None else None)

    def _at_CallStatement(self, node: Node, aliases: Aliases) -> Iterator[Reference]:
        yield from _named("calls", node.one("procedure_name"))
        yield from self._below(node, aliases, "procedure_name")

    def _at_FunctionCall(self, node: Node, aliases: Aliases) -> Iterator[Reference]:
        function = node.one("function")
        if function is not None and len(function.path) > 1 and function.path[0].lower() not in NAMESPACES:
            yield from _named("calls", function)
        yield from self._below(node, aliases, "function")

    # ---- queries

    def _at_Select(self, node: Node, aliases: Aliases) -> Iterator[Reference]:
        found = set(aliases)
        tables = node.one("from_clause")
        if tables is not None:
            yield from self._tables(tables, found)
        yield from self._below(node, frozenset(found), "from_clause")

    def _from(self, node: Node, aliases: Aliases) -> Iterator[Reference]:
        yield from self._tables(node, set(aliases))

    _at_FromQuery = _at_Join = _at_TVF = _at_TablePathExpression = _from

    def _at_TableClause(self, node: Node, aliases: Aliases) -> Iterator[Reference]:
        path = node.one("table_path")
        if path is not None and not _is_known(path.path, set(aliases)):
            yield from _named("reads", path)
        yield from self._below(node, aliases, "table_path")

    def _at_Query(self, node: Node, aliases: Aliases) -> Iterator[Reference]:
        known = set(aliases)
        clause = node.one("with_clause")
        for entry in clause.find("AliasedQuery") if clause is not None else ():
            name = entry.one("alias")
            known.add(f"with {name.path[0].lower()}" if name is not None else "")
        query = node.one("query_expr")
        if query is not None and query.kind == "FromQuery":
            # What pipes follow sees the tables of FROM.
            yield from self._tables(query, known)
            yield from self._below(node, frozenset(known), "query_expr")
        else:
            yield from self._below(node, frozenset(known))

    def _tables(self, node: Node, aliases: set[str]) -> Iterator[Reference]:
        """The tables of a FROM clause, from left to right; each one's alias is known to those after it."""
        if node.kind == "TablePathExpression":
            path = node.one("path_expr")
            if path is not None and not _is_known(path.path, aliases):
                yield from _named("reads", path)
            yield from self._below(node, frozenset(aliases), "path_expr")
            aliases.add(_alias(node, path))
        elif node.kind == "TVF":
            yield from _named("calls", node.one("name"))
            yield from self._below(node, frozenset(aliases), "name")
            aliases.add(_alias(node, None))
        elif node.kind == "TableSubquery":
            yield from self._below(node, frozenset(aliases))
            aliases.add(_alias(node, None))
        elif node.kind == "Join":
            for part in ("lhs", "rhs"):
                side = node.one(part)
                if side is not None:
                    yield from self._tables(side, aliases)
            yield from self._below(node, frozenset(aliases), "lhs", "rhs")
        else:
            for child in node.children():
                yield from self._tables(child, aliases)


def _is_known(path: tuple[str, ...], aliases: set[str]) -> bool:
    first = path[0].lower()
    return first in aliases if len(path) > 1 else f"with {first}" in aliases


def _alias(node: Node, path: Node | None) -> str:
    alias = node.one("alias")
    name = alias.one("identifier") if alias is not None else None
    if name is not None:
        return name.path[0].lower()
    return path.path[-1].lower() if path is not None and path.path else ""


def _named(role: Role, path: Node | None) -> Iterator[Reference]:
    if path is None or not path.path:
        return
    yield Reference(role, path.path, path)
