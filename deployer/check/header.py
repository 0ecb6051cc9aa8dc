"""The comment that a file of sql/ begins with: its name, and what it reads, writes and calls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

ROLES = ("reads", "writes", "calls")
ORDER = ("args", *ROLES, "rerun")
LINE = re.compile(r"--\s?(?:(?P<field>\w+):)?(?P<text>.*)")
WIDTH = 120


@dataclass(frozen=True, slots=True)
class Field:
    """Lines first to last, from 0, of the text."""

    name: str
    text: str
    first: int
    last: int

    @property
    def names(self) -> frozenset[str]:
        """The objects that it lists; `-` stands for none."""
        return frozenset(name.strip() for name in self.text.split(",")) - {"", "-"}


def fields(text: str) -> list[Field]:
    """The fields of the comment before the first statement."""
    found: list[Field] = []
    for number, line in enumerate(text.split("\n")):
        match = LINE.match(line)
        if match is None:
            if line.strip():
                break
            continue
        if match["field"] in ORDER:
            found.append(Field(match["field"], match["text"].strip(), number, number))
        elif found and found[-1].last == number - 1 and match["text"].startswith("  "):
            before = found.pop()
            found.append(Field(before.name, f"{before.text} {match['text'].strip()}", before.first, number))
    return found


def disagreements(text: str, roles: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, int, str]]:
    """The role, its line, from 1, and what is wrong with it; `roles` is what the body says."""
    known = {field.name: field for field in fields(text)}
    for role, names in roles.items():
        field, derived = known.get(role), frozenset(names)
        if field is None:
            yield role, 1, f"the header has no line `{_line(role, names)[0]}`"
            continue
        missing, surplus = sorted(derived - field.names), sorted(field.names - derived)
        said = [f"the body {role} {', '.join(missing)} too"] if missing else []
        said += [f"the body {role} no {', '.join(surplus)}"] if surplus else []
        if said:
            yield role, field.first + 1, f"the header's `{role}` is wrong: {'; '.join(said)}"


def mended(text: str, roles: Mapping[str, Sequence[str]]) -> str:
    """The text with a header that agrees with the roles; every other line stays as it is."""
    lines = text.split("\n")
    for role, _, _ in disagreements(text, roles):
        known = {field.name: field for field in fields("\n".join(lines))}
        if role in known:
            first, end = known[role].first, known[role].last + 1
        else:
            before = [known[name].last + 1 for name in ORDER[: ORDER.index(role)] if name in known]
            first = end = max(before, default=_end_of_comment(lines))
        lines[first:end] = _line(role, roles[role])
    return "\n".join(lines)


def _end_of_comment(lines: Sequence[str]) -> int:
    return next((number for number, line in enumerate(lines) if not line.startswith("--")), len(lines))


def _line(role: str, names: Sequence[str]) -> list[str]:
    """The field, on as many lines as it takes."""
    made, label = [""], f"-- {role}:".ljust(11)
    for name in sorted(names) or ["-"]:
        if made[-1] and len(f"{label}{made[-1]}, {name}") > WIDTH:
            made[-1] += ","
            made.append("")
        made[-1] += f", {name}" if made[-1] else name
    return [(label if number == 0 else "--".ljust(11)) + part for number, part in enumerate(made)]
