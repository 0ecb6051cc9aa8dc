"""GoogleSQL's trees, parsed or resolved, in one handy shape: nodes with a kind, a place and named parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Place = tuple[int, int]  # line and column, from 1


class Source:
    """A text with its places; offsets are those of GoogleSQL, which counts bytes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.data = text.encode()

    def place(self, offset: int) -> Place:
        start = self.data.rfind(b"\n", 0, offset) + 1
        return self.data.count(b"\n", 0, start) + 1, len(self.data[start:offset].decode("utf-8", "replace")) + 1

    def cut(self, node: Node) -> str:
        """What the node was parsed from."""
        return self.data[node.start : node.end].decode()

    def blanked(self, start: int, end: int) -> str:
        """The text up to `end` with spaces for all before `start`, so that places stay what they are."""
        before = self.data[:start].decode()
        return "".join("\n" if sign == "\n" else " " for sign in before) + self.data[start:end].decode()

    def untabbed(self, line: int, column: int) -> Place:
        """The place that GoogleSQL means, which widens a tab to the next column that is 1 more than a multiple of 8."""
        lines = self.text.split("\n")
        content = lines[line - 1] if 0 < line <= len(lines) else ""
        seen = 1
        for position, sign in enumerate(content):
            if seen >= column:
                return line, position + 1
            seen = (seen + 7) // 8 * 8 + 1 if sign == "\t" else seen + 1
        return line, len(content) + 1 + max(0, column - seen)


class Node:
    """A node of a tree; its kind is Google's name for it without what all of them share, as in `InsertStatement`."""

    __slots__ = ("end", "kind", "parts", "start")

    def __init__(self, kind: str, start: int, end: int, parts: dict[str, Any]) -> None:
        self.kind, self.start, self.end, self.parts = kind, start, end, parts

    def __repr__(self) -> str:
        return f"{self.kind}[{self.start}:{self.end}]"

    def one(self, part: str) -> Node | None:
        found: Node | None = self.parts.get(part)
        return found

    def all(self, part: str) -> list[Node]:
        found: list[Node] = self.parts.get(part, [])
        return found

    def value(self, part: str) -> Any:
        """A part that is no node: a name, a flag, a number."""
        return self.parts.get(part)

    def children(self) -> Iterator[Node]:
        for part in self.parts.values():
            if isinstance(part, Node):
                yield part
            elif isinstance(part, list):
                for item in part:
                    if isinstance(item, Node):
                        yield item

    def walk(self) -> Iterator[Node]:
        """This node and all below it, from the outside in and, in general, from left to right."""
        yield self
        for child in self.children():
            yield from child.walk()

    def find(self, *kinds: str) -> Iterator[Node]:
        return (node for node in self.walk() if node.kind in kinds)

    @property
    def path(self) -> tuple[str, ...]:
        """The names of a PathExpression or Identifier; one pair of backticks may hold several."""
        if self.kind == "Identifier":
            return (self.parts.get("id_string", ""),)
        return tuple(part for name in self.all("names") for part in name.parts.get("id_string", "").split("."))


def read(message: Any) -> Node:
    """The tree of a message of GoogleSQL's: `Any…` wrappers and the chains of `parent` are gone."""
    descriptor = message.DESCRIPTOR
    while descriptor.name.startswith("Any"):
        [(_, message)] = message.ListFields()
        descriptor = message.DESCRIPTOR
    kind = descriptor.name.removeprefix("AST").removeprefix("Resolved").removesuffix("Proto")
    node = Node(kind, -1, -1, {})
    _fill(node, message)
    return node


def _fill(node: Node, message: Any) -> None:
    parts = node.parts
    for field, value in message.ListFields():
        name = field.name
        if name == "parent":
            _fill(node, value)
        elif name in ("parse_location_range", "parse_location"):
            node.start, node.end = value.start, value.end
        elif (
            field.message_type is None
            or field.message_type.name == "TypeProto"
            or field.message_type.GetOptions().map_entry
        ):
            parts[name] = value
        elif field.is_repeated:
            parts[name] = [read(item) for item in value]
        else:
            parts[name] = read(value)
