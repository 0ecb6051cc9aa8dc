"""What an environment holds: its catalog, and its objects as they were last deployed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deployer.source import Name
from deployer.sync.definitions import Definition
from deployer.sync.tables import Shape

RELATIONS = frozenset({"TABLE", "VIEW"})


@dataclass(frozen=True, slots=True)
class State:
    """All names are logical. The default is an environment that holds nothing."""

    datasets: frozenset[str] = frozenset()
    relations: Mapping[Name, str] = field(default_factory=dict)  # -> TABLE, VIEW, EXTERNAL, …
    routines: Mapping[Name, str] = field(default_factory=dict)  # -> FUNCTION or PROCEDURE
    checksums: Mapping[Name, str] = field(default_factory=dict)  # as last deployed
    shapes: Mapping[Name, Shape] = field(default_factory=dict)  # of the tables that were last deployed differently

    def kind(self, definition: Definition) -> str | None:
        """What the warehouse has under the object's name; None if nothing."""
        # Tables and routines are apart: a table and a procedure may share a name.
        return (self.relations if definition.kind in RELATIONS else self.routines).get(definition.name)
