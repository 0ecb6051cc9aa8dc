"""GoogleSQL's refusals as findings: a code for each kind, and the names that may have been meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

from deployer.check.findings import Finding, nearest
from deployer.check.googlesql import Refusal

SYNTAX, UNKNOWN_NAME, UNKNOWN_TABLE, UNKNOWN_ROUTINE, WRONG_TYPE, REFUSED = (f"GS0{number}" for number in range(6))
KINDS = (
    (re.compile(r"Unrecognized name: (?P<name>[^;]+)"), UNKNOWN_NAME),
    (re.compile(r"Name (?P<name>\S+) not found inside"), UNKNOWN_NAME),
    (re.compile(r"Column (?P<name>\S+) is not present in table"), UNKNOWN_NAME),
    (re.compile(r"Field name (?P<name>\S+) does not exist in"), UNKNOWN_NAME),
    (re.compile(r"Table not found: (?P<name>[^;]+)"), UNKNOWN_TABLE),
    (re.compile(r"(?:Function|Procedure|Table-valued function) not found: (?P<name>[^;]+)"), UNKNOWN_ROUTINE),
    (re.compile(r"No matching signature|.* (?:has|of) type .*|Could not cast|.*should return type"), WRONG_TYPE),
    (re.compile(r".*(?:common supertype|must be type|cannot be coerced|[Ii]ncompatible types|to type )"), WRONG_TYPE),
)
TO_TARGET = re.compile(r"Query column \d+ has type (.+) which cannot be coerced to target type (.+)")
SUGGESTED = re.compile(r"; Did you mean .*")


def finding_of(refusal: Refusal, known: Iterable[str] = (), target: str = "") -> Finding:
    """`known` are the names that can stand there; `target` is what the value is for."""
    message = " ".join(SUGGESTED.sub("", refusal.message).split())
    fits = TO_TARGET.fullmatch(message)
    if fits is not None:
        message = f"{target or 'the value'} must be {fits[2]}, and this is {fits[1]}"
        return Finding(refusal.line, refusal.column, WRONG_TYPE, message)
    for pattern, code in KINDS:
        found = pattern.match(message)
        if found is not None:
            name = found.groupdict().get("name")
            hint = nearest(name.strip("`"), known) if name else ""
            return Finding(refusal.line, refusal.column, code, message + hint)
    return Finding(refusal.line, refusal.column, REFUSED, message)
