"""A script as nested lists, (kind, start, end, parts…) with places in bytes: from our parser and from Google's."""

from __future__ import annotations

import re
from typing import Any

from zetasql import types as google
from zetasql.api import Parser

from embedded_bigquery.script import nodes
from embedded_bigquery.script.parser import read_script

Found = list[Any]


def ours(text: str) -> Found:
    """Raises InvalidQuery."""
    script = read_script(text)
    return _Ours(text).body(script.statements)


def googles(text: str, parser: Parser) -> Found:
    """Raises ServerError."""
    script = parser.parse_script(text)
    return _Google(text.encode()).body(script.statement_list_node)


class _Ours:
    def __init__(self, text: str) -> None:
        self.text = text

    def body(self, statements: tuple[nodes.Node, ...] | None) -> Found | None:
        return None if statements is None else [self.one(statement) for statement in statements]

    def place(self, span: tuple[int, int]) -> tuple[int, int]:
        return tuple(len(self.text[:offset].encode()) for offset in span)  # type: ignore[return-value]

    def value(self, node: nodes.Expression | None) -> tuple[int, int] | None:
        return None if node is None else bare(self.text.encode(), *self.place(node.span))

    def one(self, node: nodes.Node) -> Found:
        return [type(node).__name__, *self.place(node.span), *self.parts(node)]

    def parts(self, node: nodes.Node) -> Found:
        match node:
            case nodes.Declare():
                return [node.names, node.type and self.place(node.type), self.value(node.default)]
            case nodes.Set():
                return [node.targets, self.value(node.value)]
            case nodes.If():
                return [self.branches(node.branches), self.body(node.otherwise)]
            case nodes.Case():
                return [self.value(node.subject), self.branches(node.branches), self.body(node.otherwise)]
            case nodes.Block():
                return [node.label, self.body(node.body), self.body(node.handler)]
            case nodes.Loop():
                return [node.label, self.body(node.body)]
            case nodes.While():
                return [node.label, self.value(node.condition), self.body(node.body)]
            case nodes.Repeat():
                return [node.label, self.body(node.body), self.value(node.until.condition)]
            case nodes.For():
                return [node.label, node.variable, self.value(node.query), self.body(node.body)]
            case nodes.Break() | nodes.Continue():
                return [node.label]
            case nodes.Raise():
                return [self.value(node.message)]
            case nodes.Call():
                return [node.path, [self.value(argument) for argument in node.arguments]]
            case nodes.ExecuteImmediate():
                using = [(self.value(item.value), item.name) for item in node.using]
                return [self.value(node.sql), node.into, using]
            case nodes.Assert():
                return [self.value(node.condition), self.value(node.message)]
            case nodes.CreateProcedure():
                return [node.body and self.one(node.body)]
        return []

    def branches(self, branches: tuple[nodes.Branch, ...]) -> Found:
        return [(self.value(branch.condition), self.body(branch.body)) for branch in branches]


KINDS = {
    "ASTVariableDeclaration": "Declare",
    "ASTSingleAssignment": "Set",
    "ASTAssignmentFromStruct": "Set",
    "ASTSystemVariableAssignment": "Set",
    "ASTIfStatement": "If",
    "ASTCaseStatement": "Case",
    "ASTBeginEndBlock": "Block",
    "ASTWhileStatement": "While",
    "ASTRepeatStatement": "Repeat",
    "ASTForInStatement": "For",
    "ASTBreakStatement": "Break",
    "ASTContinueStatement": "Continue",
    "ASTReturnStatement": "Return",
    "ASTRaiseStatement": "Raise",
    "ASTCallStatement": "Call",
    "ASTExecuteImmediateStatement": "ExecuteImmediate",
    "ASTAssertStatement": "Assert",
    "ASTBeginStatement": "BeginTransaction",
    "ASTCommitStatement": "CommitTransaction",
    "ASTRollbackStatement": "RollbackTransaction",
    "ASTCreateProcedureStatement": "CreateProcedure",
}


class _Google:
    def __init__(self, text: bytes) -> None:
        self.text = text

    def body(self, statements: google.ASTStatementList | None) -> Found | None:
        return None if statements is None else [self.one(statement) for statement in statements.statement_list or ()]

    def place(self, node: Any) -> tuple[int, int]:
        found = node.parse_location_range
        return found.start, found.end

    def value(self, node: Any) -> tuple[int, int] | None:
        return None if node is None else bare(self.text, *self.place(node))

    def names(self, identifiers: Any) -> tuple[str, ...]:
        return tuple(name.id_string for name in identifiers)

    def one(self, node: Any) -> Found:
        name = type(node).__name__
        kind = KINDS.get(name, "Sql")
        if name == "ASTWhileStatement" and node.condition is None:
            kind = "Loop"
        return [kind, *self.place(node), *self.parts(kind, node)]

    def parts(self, kind: str, node: Any) -> Found:
        label = node.label.name.id_string if getattr(node, "label", None) is not None else None
        match kind:
            case "Declare":
                kind_of = None if node.type is None else self.place(node.type)
                return [self.names(node.variable_list.identifier_list), kind_of, self.value(node.default_value)]
            case "Set":
                return self.assignment(node)
            case "If":
                first = (self.value(node.condition), self.body(node.then_list))
                rest = node.elseif_clauses.elseif_clauses if node.elseif_clauses else ()
                branches = [first, *((self.value(other.condition), self.body(other.body)) for other in rest)]
                return [branches, self.body(node.else_list)]
            case "Case":
                whens = node.when_then_clauses.when_then_clauses
                branches = [(self.value(when.condition), self.body(when.body)) for when in whens]
                return [self.value(node.expression), branches, self.body(node.else_list)]
            case "Block":
                handlers = node.handler_list.exception_handler_list if node.handler_list else ()
                handler = next((self.body(one.statement_list) for one in handlers), None)
                return [label, self.body(node.statement_list_node), handler]
            case "Loop":
                return [label, self.body(node.body)]
            case "While":
                return [label, self.value(node.condition), self.body(node.body)]
            case "Repeat":
                return [label, self.body(node.body), self.value(node.until_clause.condition)]
            case "For":
                return [label, node.variable.id_string, self.value(node.query), self.body(node.body)]
            case "Break" | "Continue":
                return [label]
            case "Raise":
                return [self.value(node.message)]
            case "Call":
                path = tuple(".".join(self.names(node.procedure_name.names)).split("."))
                return [path, [self.value(argument) for argument in node.arguments]]
            case "ExecuteImmediate":
                using = node.using_clause.arguments if node.using_clause else ()
                into = node.into_clause.identifiers.identifier_list if node.into_clause else ()
                listed = [(self.value(i.expression), i.alias and i.alias.identifier.id_string) for i in using]
                return [self.value(node.sql), self.names(into), listed]
            case "Assert":
                return [self.value(node.expr), self.value(node.description)]
            case "CreateProcedure":
                inner = self.body(node.body.statement_list_node) if node.body else None
                return [inner and inner[0]]
        return []

    def assignment(self, node: Any) -> Found:
        if isinstance(node, google.ASTSystemVariableAssignment):
            target = "@@" + ".".join(self.names(node.system_variable.path.names))
            return [(target,), self.value(node.expression)]
        if isinstance(node, google.ASTSingleAssignment):
            return [(node.variable.id_string,), self.value(node.expression)]
        return [self.names(node.variables.identifier_list), self.value(node.struct_expression)]


def bare(text: bytes, start: int, end: int) -> tuple[int, int]:
    """The place without parentheses around it: Google's nodes are inside of them, our spans outside."""
    inside = text[start:end]
    while (match := re.fullmatch(rb"\(\s*(.*?)\s*\)", inside, re.DOTALL)) and _is_one(inside):
        start += match.start(1)
        inside = match[1]
    return start, start + len(inside)


def _is_one(text: bytes) -> bool:
    """Whether the first parenthesis is closed by the last character."""
    depth = 0
    for position, sign in enumerate(text):
        depth += (sign == ord("(")) - (sign == ord(")"))
        if depth == 0:
            return position == len(text) - 1
    return False
