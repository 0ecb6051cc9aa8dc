"""Which variables a script has at each of its statements, and what can be said of them without knowing a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from deployer.check.definitions import Parameter
from deployer.check.findings import Finding, nearest
from deployer.check.syntax import Node, Source

LOOPS = ("WhileStatement", "RepeatStatement", "ForInStatement")
# What names the object that a statement works on.
TARGETS = ("target_path", "name", "path", "procedure_name", "like_table_name")


@dataclass(slots=True)
class Name:
    """A variable; `declared` is where."""

    name: str
    kind: str  # IN, OUT, INOUT, DECLARE or FOR
    declared: Node
    reads: int = 0
    writes: int = 0


@dataclass(slots=True)
class Scopes:
    """Walks a body once. `seen` keeps, for each statement by its start, the names that it can see."""

    source: Source
    parameters: tuple[Parameter, ...]
    findings: list[Finding] = field(default_factory=list)
    names: list[Name] = field(default_factory=list)
    _visible: list[dict[str, Name]] = field(default_factory=list)
    _labels: list[tuple[str, bool]] = field(default_factory=list)
    _loops: int = 0
    _handlers: int = 0

    def body(self, create: Node | None, statements: Node) -> list[Finding]:
        """All findings of a procedure's body, or of a script when nothing creates it."""
        self._visible.append({})
        listed = create.one("parameters") if create is not None else None
        for parameter, node in zip(self.parameters, listed.all("parameter_entries") if listed else (), strict=False):
            self._add(parameter.name, parameter.mode, node.one("name") or node)
        self._statements(statements)
        for name in self.names:
            self._unused(name)
        return self.findings

    def _note(self, code: str, node: Node, message: str) -> None:
        self.findings.append(Finding(*self.source.place(node.start), code, message))

    def _unused(self, name: Name) -> None:
        if name.kind == "OUT" and not name.writes:
            self._note("SC06", name.declared, f"OUT parameter {name.name} is never set")
        elif name.kind in ("IN", "INOUT") and not name.reads:
            self._note("SC06", name.declared, f"parameter {name.name} is never used")
        elif name.kind == "DECLARE" and not name.reads:
            verb = "set, but never read" if name.writes else "never used"
            self._note("SC05", name.declared, f"variable {name.name} is {verb}")

    # ---- names

    def _add(self, name: str, kind: str, node: Node) -> None:
        found = Name(name, kind, node)
        self.names.append(found)
        self._visible[-1][name.lower()] = found

    def _find(self, name: str) -> Name | None:
        return next((scope[name.lower()] for scope in reversed(self._visible) if name.lower() in scope), None)

    def _declare(self, node: Node, kind: str) -> None:
        name = node.path[0]
        known = self._find(name)
        if known is not None:
            where = "a parameter" if known.kind in ("IN", "OUT", "INOUT") else "declared already"
            self._note("SC04", node, f"{name} is {where}; a name stands for one variable in all nested blocks")
        self._add(name, kind, node)

    def _write(self, node: Node) -> None:
        name = node.path[0]
        known = self._find(name)
        if known is not None:
            known.writes += 1
            return
        visible = [one.name for scope in self._visible for one in scope.values()]
        self._note("SC01", node, f"{name} is no variable that is declared here{nearest(name, visible)}")

    def _read(self, node: Node | None) -> None:
        for path in expressions(node):
            known = self._find(path.path[0])
            if known is not None:
                known.reads += 1

    # ---- statements

    def _statements(self, statements: Node | None, *, declares: bool = False) -> None:
        for statement in statements.all("statement_list") if statements is not None else ():
            if statement.kind != "VariableDeclaration":
                declares = False
            elif not declares:
                self._note("SC04", statement, "DECLARE stands only at the start of a block or script")
            self._one(statement)

    def _nested(self, statements: Node | None, *, declares: bool = False) -> None:
        self._visible.append({})
        self._statements(statements, declares=declares)
        self._visible.pop()

    def _one(self, node: Node) -> None:
        handler: Callable[[Node], None] | None = getattr(self, f"_at_{node.kind}", None)
        if handler is None:
            self._read(node)
            return
        label = node.one("label")
        name = label.one("name") if label is not None else None
        if name is None or node.kind in ("BreakStatement", "ContinueStatement"):
            handler(node)
            return
        if any(known == name.path[0].lower() for known, _ in self._labels):
            self._note("SC04", name, f"label {name.path[0]} exists already")
        self._labels.append((name.path[0].lower(), node.kind in LOOPS))
        handler(node)
        self._labels.pop()

    def _at_BeginEndBlock(self, node: Node) -> None:
        self._nested(node.one("statement_list_node"), declares=True)
        handlers = node.one("handler_list")
        self._handlers += 1
        for handler in handlers.all("exception_handler_list") if handlers is not None else ():
            self._nested(handler.one("statement_list"))
        self._handlers -= 1

    def _at_IfStatement(self, node: Node) -> None:
        self._read(node.one("condition"))
        self._nested(node.one("then_list"))
        clauses = node.one("elseif_clauses")
        for clause in clauses.all("elseif_clauses") if clauses is not None else ():
            self._read(clause.one("condition"))
            self._nested(clause.one("body"))
        self._nested(node.one("else_list"))

    def _at_CaseStatement(self, node: Node) -> None:
        self._read(node.one("expression"))
        clauses = node.one("when_then_clauses")
        for clause in clauses.all("when_then_clauses") if clauses is not None else ():
            self._read(clause.one("condition"))
            self._nested(clause.one("body"))
        self._nested(node.one("else_list"))

    def _loop(self, node: Node) -> None:
        self._loops += 1
        self._nested(node.one("body"))
        self._loops -= 1

    def _at_WhileStatement(self, node: Node) -> None:
        self._read(node.one("condition"))
        self._loop(node)

    def _at_RepeatStatement(self, node: Node) -> None:
        self._loop(node)
        self._read(node.one("until_clause"))

    def _at_ForInStatement(self, node: Node) -> None:
        self._read(node.one("query"))
        self._visible.append({})
        variable = node.one("variable")
        if variable is not None:
            self._declare(variable, "FOR")
        self._loop(node)
        self._visible.pop()

    def _at_VariableDeclaration(self, node: Node) -> None:
        self._read(node.one("default_value"))
        for name in _listed(node.one("variable_list")):
            self._declare(name, "DECLARE")

    def _at_SingleAssignment(self, node: Node) -> None:
        self._read(node.one("expression"))
        for name in filter(None, [node.one("variable")]):
            self._write(name)

    def _at_AssignmentFromStruct(self, node: Node) -> None:
        self._read(node.one("struct_expression"))
        for name in _listed(node.one("variables")):
            self._write(name)

    def _at_ExecuteImmediateStatement(self, node: Node) -> None:
        self._read(node.one("sql"))
        self._read(node.one("using_clause"))
        into = node.one("into_clause")
        for name in _listed(into.one("identifiers") if into is not None else None):
            self._write(name)

    def _at_CallStatement(self, node: Node) -> None:
        """What a CALL gets may be read or set there."""
        for argument in node.all("arguments"):
            self._read(argument)
            for path in expressions(argument):
                known = self._find(path.path[0])
                if known is not None:
                    known.writes += 1

    def _at_CreateProcedureStatement(self, node: Node) -> None:
        """A body sees nothing of what is around it."""

    def _at_RaiseStatement(self, node: Node) -> None:
        if node.one("message") is None and not self._handlers:
            self._note("SC03", node, "RAISE without a message stands only in an exception handler")
        self._read(node.one("message"))

    def _at_BreakStatement(self, node: Node) -> None:
        self._leave(node, "leaves")

    def _at_ContinueStatement(self, node: Node) -> None:
        self._leave(node, "repeats")

    def _leave(self, node: Node, verb: str) -> None:
        word = self.source.cut(node).split(None, 1)[0].upper()
        label = node.one("label")
        name = label.one("name") if label is not None else None
        if name is None:
            if not self._loops:
                self._note("SC04", node, f"{word} stands only in a loop")
            return
        found = [is_loop for known, is_loop in self._labels if known == name.path[0].lower()]
        if not found:
            self._note("SC04", name, f"{word} {verb} {name.path[0]}, but no statement around it has that label")
        elif verb == "repeats" and not found[-1]:
            self._note("SC04", name, f"{word} repeats {name.path[0]}, which is no loop")


def expressions(node: Node | None) -> Iterator[Node]:
    """The paths in the node that may name a variable: not those of tables, functions, types and assigned columns."""
    if node is None or node.kind == "CreateProcedureStatement":
        return
    if node.kind == "PathExpression":
        yield node
        return
    skipped = {
        "FunctionCall": ("function",),
        "TablePathExpression": ("path_expr",),
        "UpdateSetValue": ("path",),
        "TVF": ("name",),
        "SimpleType": ("type_name",),
        "SimpleColumnSchema": ("type_name",),
        "SystemVariableExpr": ("path",),
        "DotIdentifier": ("name",),
        "NamedArgument": ("name",),
    }.get(node.kind, TARGETS if node.kind.endswith("Statement") else ())
    for part, value in node.parts.items():
        if part in skipped:
            continue
        for child in value if isinstance(value, list) else (value,):
            if isinstance(child, Node):
                yield from expressions(child)


def _listed(node: Node | None) -> list[Node]:
    return node.all("identifier_list") if node is not None else []
