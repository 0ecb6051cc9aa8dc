"""The order of work: whatever an object needs comes before it."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError as GraphCycle
from graphlib import TopologicalSorter

from deployer.errors import UsageError
from deployer.source.tree import Name, SqlObject

# strict_mode checks a body's tables when the procedure is made, so tables come before routines.
RANK = {"TABLE": 0, "VIEW": 1, "FUNCTION": 2, "PROCEDURE": 3}


class CycleError(UsageError):
    def __init__(self, cycle: list[Name]) -> None:
        super().__init__(
            "These objects need each other, so none can be created first: "
            + " -> ".join(str(name) for name in cycle)
            + ". Move what they share into an object of its own."
        )
        self.cycle = cycle


def dependencies(objects: Mapping[Name, SqlObject]) -> dict[Name, frozenset[Name]]:
    """What each object needs of the others, under the names that they have here."""
    # A routine may be called in any case.
    known = {str(name).casefold(): name for name in objects}
    return {
        name: frozenset(known[key] for need in made.needs if (key := str(need).casefold()) in known) - {name}
        for name, made in objects.items()
    }


def in_dependency_order(objects: Mapping[Name, SqlObject]) -> list[list[SqlObject]]:
    """Levels: the objects of one level need only those of earlier levels. Raises CycleError."""
    sorter = TopologicalSorter(dependencies(objects))
    try:
        sorter.prepare()
    except GraphCycle as error:
        # graphlib lists each node after the one that needs it.
        raise CycleError(list(reversed(error.args[1]))) from error
    levels = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=lambda name: (RANK[objects[name].kind], name))
        sorter.done(*ready)
        levels.append([objects[name] for name in ready])
    return levels
