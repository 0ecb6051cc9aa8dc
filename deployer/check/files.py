"""A file of sql/: what it makes known to others, and what can be said of it alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from deployer.check.definitions import KINDS, Path, Procedure, created_name, declared
from deployer.check.findings import Finding
from deployer.check.flow import Flow
from deployer.check.googlesql import GoogleSql, Refusal
from deployer.check.header import ROLES
from deployer.check.house import FOLDERS, SUFFIXES, HouseRules
from deployer.check.outlines import Outline, roles_of
from deployer.check.references import references
from deployer.check.refusals import SYNTAX, WRONG_TYPE
from deployer.check.scopes import Scopes
from deployer.check.syntax import Node, Source, read
from deployer.check.types import UnknownType, message_of

ALLOWED = re.compile(r"--\s*noqa(?::\s*(?P<codes>[\w, ]+))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file that could be read, for those who look further into it."""

    outline: Outline
    source: Source
    statements: Node


def parse(googlesql: GoogleSql, path: PurePath, text: str) -> Parsed:
    """A file that cannot be read as SQL has that as its only finding."""
    source, (name, kind) = Source(text), named_by(path)
    try:
        statements = read(googlesql.parse(text)).parts["statement_list_node"]
    except Refusal as refusal:
        finding = Finding(*source.untabbed(refusal.line, refusal.column), SYNTAX, refusal.message)
        return Parsed(Outline(path, name, kind, None, (), (), (), (finding,)), source, Node("", 0, 0, {}))
    listed = statements.all("statement_list")
    create = next((one for one in listed if one.kind in KINDS), None)
    found = list(references(statements))
    names: dict[str, tuple[str, ...]] = {}
    for role in ROLES:
        paths = {
            ".".join(one.path[-2:])
            for one in found
            if one.role == role and len(one.path) > 1 and not _is_metadata(one.path)
        }
        names[role] = tuple(sorted(paths))
    if create is not None and kind != "PROCEDURE":
        made = created_name(create)
        names["writes"] = tuple(one for one in names["writes"] if made is None or one != ".".join(made.path[-2:]))
    flow, findings = Flow(source), list[Finding]()
    definition = declared(create, source) if create is not None else None
    for one in listed:
        body = one.one("body")
        if one.kind == "CreateProcedureStatement" and body is not None:
            findings += _of_procedure(one, body.parts["statement_list_node"], source, flow, name)
    rules = HouseRules(path, source, listed, found, roles_of(kind, names), flow)
    findings += rules.findings()
    outline = Outline(
        path, name, kind, definition, names["reads"], names["writes"], names["calls"], tuple(allowed(text, findings))
    )
    return Parsed(outline, source, statements)


def _of_procedure(create: Node, body: Node, source: Source, flow: Flow, name: Path) -> list[Finding]:
    made = declared(create, source)
    assert isinstance(made, Procedure)
    findings = Scopes(source, made.parameters).body(create, body)
    if name[-1].endswith(SUFFIXES):
        # A transfer's procedures share one signature, whichever of it they need.
        findings = [one for one in findings if one.code != "SC06" or "OUT" in one.message]
    entries = create.one("parameters")
    for parameter, node in zip(made.parameters, entries.all("parameter_entries") if entries else (), strict=False):
        try:
            if parameter.type:
                message_of(parameter.type)
        except UnknownType:
            kind = node.one("type") or node
            findings.append(Finding(*source.place(kind.start), WRONG_TYPE, f"Type not found: {parameter.type}"))
    return findings + flow.body(body)


def named_by(path: PurePath) -> tuple[Path, str]:
    """Name and kind that a path below the root says."""
    parts = path.with_suffix("").parts
    if len(parts) != 3:
        return (parts[-1],), ""
    return (parts[0], parts[2]), FOLDERS.get(parts[1], "")


def allowed(text: str, findings: Iterable[Finding]) -> list[Finding]:
    """The findings, sorted, but for those that their own line allows by `-- noqa: CODE`."""
    lines = text.split("\n")
    kept = []
    for finding in sorted(set(findings)):
        line = lines[finding.line - 1] if finding.line <= len(lines) else ""
        said = ALLOWED.search(line)
        codes = said["codes"].replace("House_", "").split(",") if said is not None and said["codes"] else None
        if said is None or (codes is not None and finding.code not in (code.strip() for code in codes)):
            kept.append(finding)
    return kept


def _is_metadata(path: Path) -> bool:
    return any(part.lower() == "information_schema" for part in path)
