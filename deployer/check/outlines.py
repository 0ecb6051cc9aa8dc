"""What is kept of a file between two checks; nothing here needs the analyzer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from deployer.check.definitions import Definition, Path
from deployer.check.findings import Finding


@dataclass(frozen=True, slots=True)
class Outline:
    """Of one file. `definition` is None when only its analysis tells what it makes."""

    path: PurePath  # below the root of its tree
    name: Path
    kind: str
    definition: Definition | None
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    calls: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def needs(self) -> frozenset[str]:
        """All names that it refers to, but its own."""
        return frozenset((*self.reads, *self.writes, *self.calls)) - {".".join(self.name)}

    @property
    def roles(self) -> dict[str, tuple[str, ...]]:
        """What its header has to say."""
        return roles_of(self.kind, {"reads": self.reads, "writes": self.writes, "calls": self.calls})


@dataclass(frozen=True, slots=True)
class Analysed:
    """What the analyzer has to say of a file; `unchecked` are the places of what only running it shows."""

    path: PurePath
    findings: tuple[Finding, ...]
    unchecked: tuple[Finding, ...]


def roles_of(kind: str, names: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The roles that the header of such an object names: all for a procedure, what there is for a view or function."""
    if kind == "PROCEDURE":
        return names
    return {role: found for role, found in names.items() if found and kind in ("VIEW", "FUNCTION")}
