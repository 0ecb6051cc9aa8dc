"""Dynamic SQL: the text of an EXECUTE IMMEDIATE where it can be known, and what varies in it where it cannot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from deployer.check.findings import Finding
from deployer.check.syntax import Node, Source

CONCATENATION = 17  # of GoogleSQL's operators
PLAIN = re.compile(r"[rR]?('''|\"\"\"|'|\")(?P<text>[^\\]*)\1", re.DOTALL)
HOLE = re.compile(r"%(?P<flags>[^%a-zA-Z]*)(?P<kind>[a-zA-Z%])")


def assignments(name: str, root: Node) -> list[Node]:
    """All values that a body gives to a variable."""
    found = []
    for node in root.find("VariableDeclaration", "SingleAssignment", "AssignmentFromStruct", "ExecuteIntoClause"):
        names = node.one("variable_list") or node.one("variables") or node.one("identifiers") or node.one("variable")
        listed = names.all("identifier_list") or [names] if names is not None else []
        if any(one.path[0].lower() == name.lower() for one in listed):
            value = node.one("default_value") or node.one("expression")
            if value is not None or node.kind != "VariableDeclaration":
                found.append(value if value is not None else node)
    return found


def parts(node: Node, root: Node, depth: int = 0) -> Iterator[str | Node]:
    """The text that an expression makes: its fixed pieces, and the nodes of which the value is not known."""
    if node.kind == "StringLiteral":
        yield str(node.value("string_value") or "")
    elif node.kind == "BinaryExpression" and _is_concatenation(node):
        for side in ("lhs", "rhs"):
            yield from parts(node.parts[side], root, depth)
    elif node.kind == "FunctionCall" and _function(node) == "CONCAT":
        for argument in node.all("arguments"):
            yield from parts(argument, root, depth)
    elif node.kind == "FunctionCall" and _function(node) == "FORMAT":
        yield from _formatted(node, root, depth)
    elif node.kind == "PathExpression" and len(node.path) == 1 and depth < 10:
        values = assignments(node.path[0], root)
        if len(values) == 1 and values[0].kind in ("StringLiteral", "BinaryExpression", "FunctionCall"):
            yield from parts(values[0], root, depth + 1)
        else:
            yield node
    else:
        yield node


def _is_concatenation(node: Node) -> bool:
    return bool(node.value("op") == CONCATENATION)


def _function(node: Node) -> str:
    function = node.one("function")
    return function.path[0].upper() if function is not None and len(function.path) == 1 else ""


def _formatted(node: Node, root: Node, depth: int) -> Iterator[str | Node]:
    arguments = node.all("arguments")
    pattern = "".join(one for one in parts(arguments[0], root, depth) if isinstance(one, str)) if arguments else ""
    given, done = iter(arguments[1:]), 0
    for hole in HOLE.finditer(pattern):
        yield pattern[done : hole.start()]
        done = hole.end()
        if hole["kind"] == "%":
            yield "%"
            continue
        argument = next(given, None)
        if argument is None:
            yield node
        elif hole["kind"] == "s" and not hole["flags"]:
            yield from parts(argument, root, depth)
        else:
            yield argument
    yield pattern[done:]


def folded(node: Node | None, root: Node) -> str | None:
    """The whole text that an expression makes; None when a part of it is not known."""
    found = list(parts(node, root)) if node is not None else [Node("", 0, 0, {})]
    return "".join(map(str, found)) if all(isinstance(one, str) for one in found) else None


def unbound(node: Node, root: Node, seen: frozenset[str] = frozenset()) -> Node | None:
    """The first value that stands in dynamic SQL as text, where only a name in backticks may."""
    before = ""
    for part in parts(node, root):
        if isinstance(part, str):
            before += part
            continue
        name = part.path[0].lower() if part.kind == "PathExpression" else ""
        values = assignments(name, root) if name else []
        if name in seen or before.count("`") % 2:
            continue
        if not values:
            return part
        for value in values:
            found = unbound(value, root, seen | {name})
            if found is not None:
                return found
    return None


class Inside:
    """The text of an EXECUTE IMMEDIATE as a source of its own, and where it stands in the file."""

    def __init__(self, source: Source, sql: Node, text: str) -> None:
        self.source = Source(text)
        self._outer, self._sql, self._text = source, sql, text

    def outside(self, finding: Finding) -> Finding:
        """The finding where the literal has it; where the text is put together, its beginning."""
        literal = PLAIN.fullmatch(self._outer.cut(self._sql))
        if literal is None or literal["text"] != self._text:
            line, column = self._outer.place(self._sql.start)
        else:
            lines = self._text.split("\n")[: finding.line]
            before = "\n".join([*lines[:-1], lines[-1][: finding.column - 1]])
            line, column = self._outer.place(self._sql.start + literal.start("text") + len(before.encode()))
        return replace(finding, line=line, column=column, message=f"in dynamic SQL: {finding.message}")
