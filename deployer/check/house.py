"""The rules of this house that a file decides by itself. Each has its reason in the table of rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from deployer.check.definitions import KINDS, TEMPORARY, Parameter, Procedure, created_name, declared
from deployer.check.dynamic import unbound
from deployer.check.findings import Finding
from deployer.check.flow import Flow
from deployer.check.header import disagreements
from deployer.check.references import Reference
from deployer.check.syntax import Node, Source

FOLDERS = {"tables": "TABLE", "views": "VIEW", "functions": "FUNCTION", "procedures": "PROCEDURE"}
STARS = ("Star", "DotStar", "StarWithModifiers", "DotStarWithModifiers")
INSERT = 1  # the action of a WHEN clause
SUFFIXES = ("_cleanse", "_publish", "_cleanup")  # of the procedures of a transfer
SIGNATURE = (
    Parameter("window_start", "DATE"),
    Parameter("window_end", "DATE"),
    Parameter("write_mode", "STRING"),
    Parameter("run_id", "STRING"),
    Parameter("rows_affected", "INT64", "OUT"),
)
SHAPE = f"<dataset>/{'|'.join(FOLDERS)}/<name>.sql"


@dataclass(frozen=True, slots=True)
class HouseRules:
    """Of one file: where it is below the root of its tree, what it says, and what was found in it before."""

    path: PurePath
    source: Source
    statements: Sequence[Node]
    references: Sequence[Reference]
    roles: Mapping[str, Sequence[str]]
    flow: Flow

    def findings(self) -> Iterator[Finding]:
        """All of them."""
        yield from self._identity()
        yield from self._header()
        for statement in self.statements:
            for node in statement.walk():
                yield from self._columns(node)
                yield from self._dynamic(node)
        yield from self._projects()
        if self.path.stem.endswith("_publish"):
            yield from self._publish()
        if self.path.stem.endswith(SUFFIXES):
            yield from self._signature()

    def _at(self, code: str, node: Node, message: str) -> Finding:
        return Finding(*self.source.place(node.start), code, message)

    def _identity(self) -> Iterator[Finding]:
        parts = self.path.with_suffix("").parts
        if len(parts) != 3 or parts[1] not in FOLDERS:
            yield Finding(1, 1, "HR01", f"the path says nothing that can be created; expected {SHAPE}")
            return
        name, kind = f"{parts[0]}.{parts[2]}", FOLDERS[parts[1]]
        if self.source.text.split("\n", 1)[0].rstrip() != f"-- {name}":
            yield Finding(1, 1, "HR01", f"the first line must be `-- {name}`, as the path says")
        creates = self.statements[0] if self.statements else None
        path = created_name(creates) if creates is not None and creates.kind in KINDS else None
        if creates is None or path is None:
            place = self.source.place(creates.start) if creates is not None else (1, 1)
            yield Finding(*place, "HR01", f"the file must create {kind} {name}, as the path says")
        else:
            said = KINDS[creates.kind], ".".join(path.path)
            if said != (kind, name):
                yield self._at("HR01", path, f"creates {' '.join(said)}, but the path says {kind} {name}")
        for extra in self.statements[1:2]:
            yield self._at("HR01", extra, "a second statement; a file holds one CREATE")

    def _header(self) -> Iterator[Finding]:
        for _, line, message in disagreements(self.source.text, self.roles):
            yield Finding(line, 1, "HR02", f"{message}; `deployer check --fix` rewrites it")

    def _columns(self, node: Node) -> Iterator[Finding]:
        query = node.one("query")
        if node.kind == "InsertStatement":
            if node.one("column_list") is None:
                yield self._at("HR05", node, "INSERT without a list of columns")
            yield from self._stars(query)
        elif node.kind == "CreateTableStatement" and node.value("scope") != TEMPORARY:
            yield from self._stars(query)
        elif node.kind == "MergeAction" and node.value("action_type") == INSERT and not node.one("insert_column_list"):
            yield self._at("HR05", node, "INSERT without a list of columns")

    def _stars(self, query: Node | None) -> Iterator[Finding]:
        """In what a query gives, not in what it reads."""
        if query is None:
            return
        if query.kind == "Select":
            selected = query.one("select_list")
            for column in selected.all("columns") if selected is not None else ():
                expression = column.one("expression")
                if expression is not None and expression.kind in STARS:
                    yield self._at("HR04", expression, "* into a table: name the columns")
        for part in (query.one("query_expr"), query.one("query"), *query.all("inputs")):
            yield from self._stars(part)

    def _dynamic(self, node: Node) -> Iterator[Finding]:
        sql = node.one("sql") if node.kind == "ExecuteImmediateStatement" else None
        if sql is not None:
            found = unbound(sql, self.statements[0])
            if found is not None:
                message = "a value becomes text of dynamic SQL; bind it by USING, or put a name in backticks"
                yield self._at("HR07", found, message)

    def _projects(self) -> Iterator[Finding]:
        for reference in self.references:
            path = reference.path
            parts = [part.lower() for part in path]
            metadata = parts.index("information_schema") if "information_schema" in parts else len(parts) - 1
            if metadata > 1:
                message = f"{'.'.join(path)} names a project; the config says which one"
                yield self._at("HR08", reference.node, message)

    def _publish(self) -> Iterator[Finding]:
        writes = [
            (node, state)
            for node, state in self.flow.writes
            if tuple(part.lower() for part in node.parts["target_path"].path) not in self.flow.temporary
        ]
        for node, state in writes:
            if None in state:
                yield self._at("HR06", node, "a publish writes in its transaction, and none is open here on every path")
        for begin in self.flow.begins[1:2]:
            yield self._at("HR06", begin, "a second transaction: readers may see what is between the two")

    def _signature(self) -> Iterator[Finding]:
        for create in self.statements:
            made = declared(create, self.source) if create.kind == "CreateProcedureStatement" else None
            if isinstance(made, Procedure) and made.parameters != SIGNATURE:
                wanted = ", ".join(map(str, SIGNATURE))
                yield self._at("HR09", create.one("parameters") or create, f"a transfer's procedures have ({wanted})")
