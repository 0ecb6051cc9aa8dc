"""Every statement of a body put to GoogleSQL's analyzer, with the variables and temporary objects that are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from deployer.check.analyzer import Analyzer, columns_of
from deployer.check.catalogs import SESSION
from deployer.check.definitions import (
    TEMPORARY,
    Parameter,
    Procedure,
    Unknown,
    Variable,
    created_name,
    declared,
    written,
)
from deployer.check.dynamic import Inside, folded
from deployer.check.findings import Finding, nearest
from deployer.check.googlesql import Refusal, Trapped
from deployer.check.names import Names, lower
from deployer.check.objects import definition_of
from deployer.check.references import references
from deployer.check.refusals import SYNTAX, UNKNOWN_NAME, UNKNOWN_ROUTINE, UNKNOWN_TABLE, WRONG_TYPE, finding_of
from deployer.check.syntax import Node, Source, read
from deployer.check.types import UnknownType, message_of

# Functions of BigQuery's that GoogleSQL's analyzer lacks. Source: "Functions (alphabetical)".
BIGQUERYS_OWN = frozenset(
    """APPENDS BAG_OF_WORDS CHANGES CONTAINS_SUBSTR EXTERNAL_OBJECT_TRANSFORM EXTERNAL_QUERY GAP_FILL RANGE_SESSIONIZE
    SEARCH S2_CELLIDFROMPOINT S2_COVERINGCELLIDS ST_HAUSDORFFDISTANCE ST_REGIONSTATS TEXT_ANALYZE TF_IDF
    VECTOR_SEARCH VECTOR_INDEX.STATISTICS""".split()  # noqa: SIM905
)
OWN_NAMESPACES = frozenset({"AI", "BQ", "ML", "OBJ", "DLP_KEY_CHAIN", "DLP_DETERMINISTIC_ENCRYPT"})

# What only the procedural language has: nothing for the analyzer, and nothing for dynamic SQL.
CONTROL = frozenset(
    ("BeginStatement", "CommitStatement", "RollbackStatement", "ReturnStatement", "BreakStatement", "ContinueStatement")
)
UNCALLABLE = CONTROL | {
    *("BeginEndBlock", "IfStatement", "CaseStatement", "WhileStatement", "RepeatStatement", "ForInStatement"),
    *("VariableDeclaration", "SingleAssignment", "AssignmentFromStruct", "SystemVariableAssignment"),
    *("CallStatement", "RaiseStatement", "ExecuteImmediateStatement"),
}


@dataclass(slots=True)
class Body:
    """Walks a body once, in the order of its text. `unchecked` are the places of what only running it would show."""

    source: Source
    analyzer: Analyzer
    names: Names
    findings: list[Finding] = field(default_factory=list)
    unchecked: list[Finding] = field(default_factory=list)
    on_resolved: Callable[[Node, Any], None] | None = None
    _parameters: Sequence[Parameter] = ()  # of dynamic SQL
    _later: frozenset[str] = frozenset()  # temporary tables that the body makes somewhere
    _hidden: bool = False  # whether SQL has run that only running it shows
    _root: Node | None = None

    def run(self, parameters: Sequence[Parameter], statements: Node) -> None:
        """Fills `findings` and `unchecked`."""
        self._root = statements
        creates = (create for create in statements.find("CreateTableStatement") if create.value("scope") == TEMPORARY)
        self._later = frozenset(name.path[-1].lower() for name in map(created_name, creates) if name is not None)
        self.names.scopes.append({one.name.lower(): _variable(one.type) for one in parameters})
        self._statements(statements)
        self.names.scopes.pop()

    # ---- findings

    def _note(self, code: str, node: Node, message: str) -> None:
        self.findings.append(Finding(*self.source.place(node.start), code, message))

    def _pass(self, node: Node, reason: str) -> None:
        self.unchecked.append(Finding(*self.source.place(node.start), "", reason))

    def _refused(self, refusal: Refusal, node: Node, target: str = "") -> None:
        finding = finding_of(refusal, target=target)
        warehouse = self.names.warehouse
        if finding.code == UNKNOWN_NAME:
            finding = finding_of(refusal, self.names.columns_and_variables(node))
        elif finding.code == UNKNOWN_ROUTINE:
            name = refusal.message.split(": ", 1)[1].split(";")[0].upper()
            if name in BIGQUERYS_OWN or name.split(".")[0] in OWN_NAMESPACES:
                self._pass(node, f"GoogleSQL's analyzer does not know {name}, which BigQuery has")
                return
            finding = finding_of(refusal, warehouse.routines)
        elif finding.code == UNKNOWN_TABLE:
            finding = finding_of(refusal, [*warehouse.tables, *(path[-1] for path in self.names.made)])
            name = refusal.message.split(": ", 1)[1].split(";")[0].strip("`").lower()
            if name.removeprefix(f"{SESSION}.") in self._later:
                message = f"temporary table {name} does not exist here: no CREATE of it comes before this statement"
                finding = replace(finding, code="SC11", message=message)
            elif self._hidden and "." not in name:
                self._pass(node, f"{name} may be a table that dynamic SQL makes")
                return
        if any(len(one.path) > 2 and self.names.find(one.path[-2:]) is not None for one in references(node)):
            self._pass(node, "names a project")  # which the house forbids anyway
            return
        self.findings.append(finding)

    @contextmanager
    def _explained(self, node: Node, target: str = "") -> Iterator[None]:
        try:
            yield
        except Refusal as refusal:
            self._refused(refusal, node, target)
        except UnknownType as error:
            self._pass(node, f"BigQuery has no type {error}")
        except Trapped as error:
            self._pass(node, str(error))

    def _is_known(self, node: Node) -> bool:
        unknown = self.names.unknown(node)
        if unknown:
            self._pass(node, f"depends on {unknown}, of which the definition is not known")
            return False
        for path, table in self.names.shadowed(node):
            self._note("SC07", path, f"{path.path[0]} is a column of {table}, which hides the variable of that name")
        for reference, name in self.names.miswritten(node):
            self._note(UNKNOWN_TABLE, reference.node, f"Table not found: its name is written {name}")
        return True

    def _expression(self, node: Node | None, wanted: str = "", target: str = "") -> str:
        """The type of an expression; "" when it has none, which is then noted."""
        if node is None or not self._is_known(node):
            return ""
        with self._explained(node, target):
            return self.analyzer.expression(self.source, node, self.names.local(), wanted)
        return ""

    def _analyze(self, node: Node, wanted: Sequence[str] = ()) -> Any:
        """The resolved statement; None when there is none, which is then noted."""
        if not self._is_known(node):
            return None
        with self._explained(node):
            resolved = self.analyzer.statement(self.source, node, self.names.local(), self._parameters, wanted)
            if self.on_resolved is not None:
                self.on_resolved(node, resolved)
            return resolved
        return None

    # ---- statements

    def _statements(self, statements: Node | None) -> None:
        for statement in statements.all("statement_list") if statements is not None else ():
            self._one(statement)

    def _nested(self, statements: Node | None, **variables: Variable | Unknown) -> None:
        self.names.scopes.append(dict(variables))
        self._statements(statements)
        self.names.scopes.pop()

    def _one(self, node: Node) -> None:
        handler: Callable[[Node], None] | None = getattr(self, f"_at_{node.kind}", None)
        if handler is not None:
            handler(node)
        elif node.kind.startswith("Create"):
            self._create(node)
        elif node.kind not in CONTROL:
            self._analyze(node)
            for _, message in self.names.unpruned(node):
                self._note("HR03", node, message)

    def _at_BeginEndBlock(self, node: Node) -> None:
        self._nested(node.one("statement_list_node"))
        handlers = node.one("handler_list")
        for handler in handlers.all("exception_handler_list") if handlers is not None else ():
            self._nested(handler.one("statement_list"))

    def _condition(self, node: Node | None) -> None:
        self._expression(node, "BOOL", "the condition")

    def _at_IfStatement(self, node: Node) -> None:
        self._condition(node.one("condition"))
        self._nested(node.one("then_list"))
        clauses = node.one("elseif_clauses")
        for clause in clauses.all("elseif_clauses") if clauses is not None else ():
            self._condition(clause.one("condition"))
            self._nested(clause.one("body"))
        self._nested(node.one("else_list"))

    def _at_CaseStatement(self, node: Node) -> None:
        subject, clauses = node.one("expression"), node.one("when_then_clauses")
        self._expression(subject)
        for clause in clauses.all("when_then_clauses") if clauses is not None else ():
            condition = clause.one("condition")
            self._expression(condition) if subject is not None else self._condition(condition)
            self._nested(clause.one("body"))
        self._nested(node.one("else_list"))

    def _at_WhileStatement(self, node: Node) -> None:
        self._condition(node.one("condition"))
        self._nested(node.one("body"))

    def _at_RepeatStatement(self, node: Node) -> None:
        self._nested(node.one("body"))
        clause = node.one("until_clause")
        self._condition(clause.one("condition") if clause is not None else None)

    def _at_ForInStatement(self, node: Node) -> None:
        query, variable = node.parts["query"], node.parts["variable"]
        record: Variable | Unknown = Unknown()
        resolved = self._analyze(query)
        if resolved is not None:
            with self._explained(query):
                fields = ", ".join(f"`{name}` {kind}" for name, kind in columns_of(resolved))
                record = Variable(f"STRUCT<{fields}>")
        self._nested(node.one("body"), **{variable.path[0].lower(): record})

    def _at_VariableDeclaration(self, node: Node) -> None:
        kind, listed = node.one("type"), _listed(node.one("variable_list"))
        wanted = written(kind) if kind is not None else ""
        if kind is not None:
            try:
                message_of(wanted)
            except UnknownType:
                self._note(WRONG_TYPE, kind, f"Type not found: {wanted}")
                wanted = ""
        found = self._expression(node.one("default_value"), wanted, f"variable {listed[0].path[0]}")
        for name in listed:
            self.names.scopes[-1][name.path[0].lower()] = _variable(wanted or found)

    def _at_SingleAssignment(self, node: Node) -> None:
        name = node.parts["variable"].path[0]
        self._expression(node.one("expression"), self.names.type_of(name), f"variable {name}")

    def _at_AssignmentFromStruct(self, node: Node) -> None:
        kinds = [self.names.type_of(name.path[0]) for name in _listed(node.one("variables"))]
        wanted = f"STRUCT<{', '.join(kinds)}>" if all(kinds) else ""
        self._expression(node.one("struct_expression"), wanted, "what is assigned")

    def _at_SystemVariableAssignment(self, node: Node) -> None:
        self._expression(node.one("expression"))

    def _at_RaiseStatement(self, node: Node) -> None:
        self._expression(node.one("message"), "STRING", "the message")

    def _at_CallStatement(self, node: Node) -> None:
        name = node.parts["procedure_name"].path
        known, used, before = self.names.find(name), set[str](), len(self.findings)
        if known is not None and isinstance(known[1], Procedure):
            for parameter, argument in zip(known[1].parameters, node.all("arguments"), strict=False):
                if parameter.mode != "IN":
                    self._output(f"{parameter.mode} argument {parameter.name}", argument, used)
        if name[0].lower() != "bq" and len(self.findings) == before:
            self._analyze(node)

    def _output(self, what: str, argument: Node, used: set[str]) -> None:
        expression, variables = argument.one("expr"), self.names.variables()
        if expression is None or expression.kind != "PathExpression" or len(expression.path) != 1:
            self._note("SC02", argument, f"{what} must be a variable")
            return
        name = expression.path[0].lower()
        if name not in variables:
            self._note("SC02", argument, f"{what} must be a variable{nearest(name, variables)}")
        elif name in used:
            self._note("SC02", argument, f"variable {name} is passed twice to be set")
        used.add(name)

    # ---- dynamic SQL

    def _at_ExecuteImmediateStatement(self, node: Node) -> None:
        sql = node.parts["sql"]
        self._expression(sql, "STRING", "dynamic SQL")
        using, into = node.one("using_clause"), node.one("into_clause")
        given = [self._given(argument) for argument in using.all("arguments")] if using is not None else []
        text = folded(sql, self._root) if self._root is not None else None
        if text is None:
            self._hidden = True
            self._pass(node, "dynamic SQL of which the text is known only when it runs")
            return
        inside = Inside(self.source, sql, text)
        inner = Body(inside.source, self.analyzer, Names(self.names.warehouse, self.names.made))
        inner._parameters, inner._later, inner._root = given, self._later, self._root
        inner._hidden = any(not parameter.type for parameter in given)
        inner._dynamic(_listed(into.one("identifiers")) if into is not None else None, self.names)
        self.findings += map(inside.outside, inner.findings)
        self.unchecked += map(inside.outside, inner.unchecked)

    def _given(self, argument: Node) -> Parameter:
        alias = argument.one("alias")
        name = alias.parts["identifier"].path[0].lower() if alias is not None else ""
        return Parameter(name, self._expression(argument.one("expression")))

    def _dynamic(self, into: list[Node] | None, outer: Names) -> None:
        """The one statement of this text, which is dynamic SQL; `into` are variables of the script around."""
        whole = Node("Script", 0, len(self.source.data), {})
        try:
            statements = read(self.analyzer.googlesql.parse(self.source.text)).parts["statement_list_node"]
        except Refusal as refusal:
            place = self.source.untabbed(refusal.line, refusal.column)
            self.findings.append(Finding(*place, SYNTAX, refusal.message))
            return
        listed = statements.all("statement_list")
        if len(listed) != 1:
            self._note("SC12", whole, f"EXECUTE IMMEDIATE runs one statement, and these are {len(listed)}")
            return
        if listed[0].kind in UNCALLABLE:
            word = self.source.cut(listed[0]).split(None, 1)[0].upper()
            self._note("SC12", listed[0], f"EXECUTE IMMEDIATE cannot run {word}")
            return
        if any(not parameter.type for parameter in self._parameters):
            return
        if into is None:
            self._one(listed[0])
        elif listed[0].kind != "QueryStatement":
            self._note("SC12", listed[0], "INTO takes the row of a query, and this is none")
        else:
            resolved = self._analyze(listed[0])
            self._into(into, listed[0], resolved, outer)

    def _into(self, into: list[Node], query: Node, resolved: Any, outer: Names) -> None:
        if resolved is None:
            return
        with self._explained(query):
            columns = columns_of(resolved)
            if len(columns) != len(into):
                self._note(
                    "SC12", query, f"INTO sets {len(into)} variables, and the query gives {len(columns)} columns"
                )
                return
            wanted = [outer.type_of(name.path[0]) for name in into]
            if all(wanted):
                self.analyzer.statement(self.source, query, self.names.local(), self._parameters, wanted)

    # ---- definitions

    def _create(self, node: Node) -> None:
        name, resolved = created_name(node), self._analyze(node)
        if name is None or node.kind == "CreateSchemaStatement":
            return
        path = lower(name.path[-2:])
        if node.value("scope") == TEMPORARY or len(path) == 1:
            path = (SESSION, path[-1])
        if not (node.value("is_if_not_exists") and path in self.names.made):
            self.names.made[path] = definition_of(node, resolved, self.source, self.names.find)

    def _at_CreateProcedureStatement(self, node: Node) -> None:
        self._create(node)
        body, made = node.one("body"), declared(node, self.source)
        if body is not None and isinstance(made, Procedure):
            names = Names(self.names.warehouse, self.names.made)
            inner = Body(self.source, self.analyzer, names, self.findings, self.unchecked)
            inner.run(made.parameters, body.parts["statement_list_node"])

    def _at_DropStatement(self, node: Node) -> None:
        self._analyze(node)
        path = lower(node.parts["name"].path)
        for dropped in ((SESSION, path[-1]), path[-2:]):
            self.names.made.pop(dropped, None)

    def _at_AlterTableStatement(self, node: Node) -> None:
        self._analyze(node)
        path = node.one("path")
        if path is not None and self.names.find(path.path) is not None:
            self.names.made[lower(path.path[-2:])] = Unknown()  # what it has become is not worked out


def _variable(kind: str) -> Variable | Unknown:
    try:
        message_of(kind)
    except UnknownType:
        return Unknown()
    return Variable(kind)


def _listed(node: Node | None) -> list[Node]:
    return node.all("identifier_list") if node is not None else []
