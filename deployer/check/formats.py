"""The ways to print what a check found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from deployer.check.checker import Report
from deployer.check.rules import BY_CODE, RULES

URL = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"


def text(reports: Sequence[Report]) -> Iterator[str]:
    """`file:line:column: code message`, then what nobody could check."""
    for report in reports:
        for finding in report.findings:
            yield f"{report.path}:{finding.line}:{finding.column}: {finding.code} {finding.message}"
    for report in reports:
        for finding in report.unchecked:
            yield f"{report.path}:{finding.line}:{finding.column}: unchecked: {finding.message}"
    found = sum(len(report.findings) for report in reports)
    unchecked = sum(len(report.unchecked) for report in reports)
    files = f"{len(reports)} file{'s' * (len(reports) != 1)}"
    yield f"{files}: {found or 'no'} finding{'s' * (found != 1)}" + (f", {unchecked} unchecked" if unchecked else "")


def as_json(reports: Sequence[Report]) -> Iterator[str]:
    """One object: a list of findings, and one of what is unchecked."""
    both: dict[str, list[dict[str, Any]]] = {"findings": [], "unchecked": []}
    for report in reports:
        for finding in report.findings:
            place = {"file": str(report.path), "line": finding.line, "column": finding.column}
            both["findings"].append({**place, "code": finding.code, "message": finding.message})
        for finding in report.unchecked:
            place = {"file": str(report.path), "line": finding.line, "column": finding.column}
            both["unchecked"].append({**place, "message": finding.message})
    yield json.dumps(both, indent=2, ensure_ascii=False)


def github(reports: Sequence[Report]) -> Iterator[str]:
    """Workflow commands, which GitHub shows at the lines of a pull request."""
    for report in reports:
        for finding in report.findings:
            message = finding.message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
            title = f"{finding.code} {BY_CODE[finding.code].name}".replace(",", "%2C").replace(":", "%3A")
            place = f"file={report.path},line={finding.line},col={finding.column}"
            yield f"::error {place},title={title}::{message}"


def sarif(reports: Sequence[Report]) -> Iterator[str]:
    """SARIF 2.1.0, for code scanning."""
    rules = [{"id": rule.code, "name": rule.name, "shortDescription": {"text": rule.reason}} for rule in RULES]
    results = [
        {
            "ruleId": finding.code,
            "ruleIndex": [rule.code for rule in RULES].index(finding.code),
            "level": "error",
            "message": {"text": finding.message},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": report.path.as_posix()},
                        "region": {"startLine": finding.line, "startColumn": finding.column},
                    }
                }
            ],
        }
        for report in reports
        for finding in report.findings
    ]
    driver = {"name": "deployer check", "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    yield json.dumps({"$schema": URL, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


FORMATS: dict[str, Callable[[Sequence[Report]], Iterator[str]]] = {
    "text": text,
    "json": as_json,
    "github": github,
    "sarif": sarif,
}
