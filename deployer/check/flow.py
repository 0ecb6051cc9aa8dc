"""The paths through a body: what no path reaches, and which transactions may be open where."""

from __future__ import annotations

from dataclasses import dataclass, field

from deployer.check.definitions import TEMPORARY, Path, created_name
from deployer.check.findings import Finding
from deployer.check.syntax import Node, Source

# The BEGIN TRANSACTION statements of which one may be open; None: none is. An empty set: no path comes here.
State = frozenset[Node | None]
CLOSED: State = frozenset([None])
NOWHERE: State = frozenset()
DML = ("InsertStatement", "UpdateStatement", "DeleteStatement", "MergeStatement", "TruncateStatement")
LEAVES = {
    "ReturnStatement": "RETURN",
    "RaiseStatement": "RAISE",
    "BreakStatement": "BREAK",
    "ContinueStatement": "CONTINUE",
}


@dataclass(slots=True)
class _Loop:
    label: str
    is_block: bool
    left: State = NOWHERE


@dataclass(slots=True)
class Flow:
    """Walks a body once. `writes` are its DML statements with the transactions that may be open there."""

    source: Source
    findings: list[Finding] = field(default_factory=list)
    writes: list[tuple[Node, State]] = field(default_factory=list)
    begins: list[Node] = field(default_factory=list)
    temporary: set[Path] = field(default_factory=set)
    _ended: list[tuple[State, Node | None]] = field(default_factory=list)
    _failed: State = NOWHERE
    _around: list[_Loop] = field(default_factory=list)

    def body(self, statements: Node) -> list[Finding]:
        """All findings of the statements of a body."""
        end = self._statements(statements, CLOSED)
        self._ended.append((end, None))
        reported = set()
        for state, leaving in self._ended:
            for begin in state:
                if begin is not None and begin not in reported:
                    reported.add(begin)
                    where = "at the end" if leaving is None else f"at the RETURN in line {self._line(leaving)}"
                    self._note("SC09", begin, f"this transaction may still be open {where}; commit or roll back there")
        return self.findings

    def _line(self, node: Node) -> int:
        return self.source.place(node.start)[0]

    def _note(self, code: str, node: Node, message: str) -> None:
        self.findings.append(Finding(*self.source.place(node.start), code, message))

    def _statements(self, statements: Node | None, state: State) -> State:
        before: Node | None = None
        told = False
        for statement in statements.all("statement_list") if statements is not None else ():
            if not state and before is not None and not told:
                told = True
                after = (
                    f" after the {LEAVES[before.kind]} in line {self._line(before)}" if before.kind in LEAVES else ""
                )
                self._note("SC08", statement, f"no path comes here{after}")
            self._failed |= state
            state = self._one(statement, state)
            before = statement
        return state

    def _one(self, node: Node, state: State) -> State:
        match node.kind:
            case "BeginEndBlock":
                return self._block(node, state)
            case "IfStatement":
                return self._branches(node, "elseif_clauses", state, self._statements(node.one("then_list"), state))
            case "CaseStatement":
                return self._branches(node, "when_then_clauses", state, NOWHERE)
            case "WhileStatement" | "RepeatStatement" | "ForInStatement":
                return self._loop(node, state)
            case "ReturnStatement":
                self._ended.append((state, node))
                return NOWHERE
            case "RaiseStatement":
                return NOWHERE
            case "BreakStatement" | "ContinueStatement":
                return self._leave(node, state)
            case "BeginStatement" | "CommitStatement" | "RollbackStatement":
                return self._transaction(node, state)
        if node.kind in DML:
            self.writes.append((node, state))
        elif node.kind.startswith(("Create", "Drop", "Alter", "Undrop", "Rename")):
            self._definition(node, state)
        return state

    def _block(self, node: Node, state: State) -> State:
        outer, self._failed = self._failed, NOWHERE
        label = _label(node)
        self._around.append(_Loop(label, True))
        end = self._statements(node.one("statement_list_node"), state)
        failed, self._failed = self._failed | end, outer
        handlers = node.one("handler_list")
        if handlers is None:
            self._failed |= failed
        for handler in handlers.all("exception_handler_list") if handlers is not None else ():
            end |= self._statements(handler.one("statement_list"), failed)
        return end | self._around.pop().left

    def _branches(self, node: Node, part: str, state: State, end: State) -> State:
        clauses = node.one(part)
        for clause in clauses.all(part) if clauses is not None else ():
            end |= self._statements(clause.one("body"), state)
        otherwise = node.one("else_list")
        return end | (state if otherwise is None else self._statements(otherwise, state))

    def _loop(self, node: Node, state: State) -> State:
        condition = node.one("condition")
        endless = node.kind == "WhileStatement" and (condition is None or condition.value("value") is True)
        entered = state
        kept = len(self.findings), len(self.writes), len(self._ended)
        while True:
            self._around.append(_Loop(_label(node), False))
            end = self._statements(node.one("body"), entered)
            left = self._around.pop().left
            if end <= entered:
                break
            # What a turn leaves open is there when the next one begins: look at the body again.
            entered |= end
            del self.findings[kept[0] :], self.writes[kept[1] :], self._ended[kept[2] :]
        if endless:
            return left
        return left | (end if node.kind == "RepeatStatement" else entered)

    def _leave(self, node: Node, state: State) -> State:
        label = _label(node)
        for around in reversed(self._around):
            if around.label == label if label else not around.is_block:
                around.left |= state
                break
        return NOWHERE

    def _transaction(self, node: Node, state: State) -> State:
        if not state:
            return state
        if node.kind == "BeginStatement":
            self.begins.append(node)
            if None not in state:
                self._note("SC09", node, "a transaction is open already, and transactions do not nest")
            return frozenset([node])
        if state == CLOSED:
            word = "COMMIT" if node.kind == "CommitStatement" else "ROLLBACK"
            self._note("SC09", node, f"no transaction is open that this {word} could end")
        return CLOSED

    def _definition(self, node: Node, state: State) -> None:
        path = created_name(node) or node.one("path")
        name = tuple(part.lower() for part in path.path) if path is not None else ()
        if node.value("scope") == TEMPORARY:
            self.temporary.add(name)
        elif name not in self.temporary and name[:1] != ("_session",) and any(begin is not None for begin in state):
            self._note("SC10", node, "permanent objects cannot be created, changed or dropped in a transaction")


def _label(node: Node) -> str:
    label = node.one("label")
    name = label.one("name") if label is not None else None
    return name.path[0].lower() if name is not None else ""
