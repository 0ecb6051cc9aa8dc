"""What is wrong with a script whatever its values are: depth, declarations, RAISE, labels.

Source: "Procedural language"; the order of the checks and their words are those of GoogleSQL's own script parser.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.script import nodes
from embedded_bigquery.script.nodes import Node
from embedded_bigquery.sql.tokens import moved

MAXIMUM_NESTING = 50
DEPTH, DECLARATIONS, RAISES, LABELS = range(4)  # the checks, first to last
LOOPS = (nodes.Loop, nodes.While, nodes.Repeat, nodes.For)
COUNTED = (*LOOPS, nodes.Block, nodes.If, nodes.Case)


def validate(script: nodes.Script, arguments: Collection[str] = ()) -> None:
    """Raises InvalidQuery with its place; `arguments` are the names of the routine that the script is the body of."""
    validator = _Validator(script.text, arguments)
    validator.statements(script.statements, declares=True)
    if validator.problems:
        raise validator.problems[min(validator.problems)]


class _Validator:
    def __init__(self, text: str, arguments: Collection[str]) -> None:
        self.text = text
        self.arguments = {name.lower() for name in arguments}
        self.problems: dict[int, InvalidQuery] = {}  # the first of each check
        self.variables: list[set[str]] = []  # of the blocks around
        self.labels: dict[str, bool] = {}  # of the statements around, and whether it is a loop's
        self.depth = self.loops = self.handlers = 0

    def _note(self, check: int, message: str, offset: int) -> None:
        self.problems.setdefault(check, InvalidQuery(message, at=moved((1, 1), self.text, offset)))

    def statements(self, found: Sequence[Node], *, declares: bool = False) -> None:
        self.variables.append(set())
        for node in found:
            if not isinstance(node, nodes.Declare):
                declares = False
            elif not declares:
                message = "Variable declarations are allowed only at the start of a block or script"
                self._note(DECLARATIONS, message, node.span[0])
            self._one(node)
        self.variables.pop()

    def _one(self, node: Node) -> None:
        if isinstance(node, nodes.Declare):
            for name, place in zip(node.names, node.places, strict=True):
                self._declare(name, place)
        elif isinstance(node, nodes.Raise) and node.message is None and not self.handlers:
            message = "Cannot re-raise an existing exception outside of an exception handler"
            self._note(RAISES, message, node.span[0])
        elif isinstance(node, nodes.Break | nodes.Continue):
            self._leave(node)
        elif isinstance(node, COUNTED):
            self.depth += 1
            if self.depth > MAXIMUM_NESTING:
                message = f"Script statement nesting level exceeds maximum supported limit of {MAXIMUM_NESTING}"
                self._note(DEPTH, message, node.span[0])
            self._labelled(node)
            self.depth -= 1

    def _declare(self, name: str, place: int) -> None:
        key = name.lower()
        if any(key in names for names in self.variables):
            self._note(DECLARATIONS, f"Variable '{name}' redeclaration", place)
        elif key in self.arguments:
            self._note(DECLARATIONS, f"Variable '{name}' previously declared as an argument", place)
        self.variables[-1].add(key)

    # ---- what has statements inside

    def _labelled(self, node: Node) -> None:
        label: str | None = getattr(node, "label", None)
        is_loop = isinstance(node, LOOPS)
        outer = self.labels
        if label is not None:
            if label.lower() in outer:
                self._note(LABELS, f"Label {label} already exists", node.span[0])
            self.labels = {**outer, label.lower(): is_loop}
        self.loops += is_loop
        self._bodies(node)
        self.loops -= is_loop
        self.labels = outer

    def _bodies(self, node: Node) -> None:
        if isinstance(node, nodes.If | nodes.Case):
            for branch in node.branches:
                self.statements(branch.body)
            self.statements(node.otherwise or ())
        elif isinstance(node, nodes.Block):
            self.statements(node.body, declares=True)
            self.handlers += 1
            self.statements(node.handler or ())
            self.handlers -= 1
        elif isinstance(node, nodes.For):
            self.variables.append(set())
            self._declare(node.variable, node.place)
            self.statements(node.body)
            self.variables.pop()
        elif isinstance(node, nodes.Loop | nodes.While | nodes.Repeat):
            self.statements(node.body)

    def _leave(self, node: nodes.Break | nodes.Continue) -> None:
        word = self.text[slice(*node.span)].split(None, 1)[0].upper()
        leaves = isinstance(node, nodes.Break)
        if node.label is None:
            if not self.loops:
                without = " without label" if leaves else ""
                self._note(LABELS, f"{word}{without} is only allowed inside of a loop body", node.span[0])
        elif node.label.lower() not in self.labels:
            self._note(LABELS, f"Label {node.label} does not exist or is out of scope", node.span[0])
        elif not leaves and not self.labels[node.label.lower()]:
            self._note(LABELS, f"{word} with label must refer to a loop", node.span[0])
