"""What an environment holds: its catalog, and its objects as they were last deployed. All names are logical."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deployer.source import Name

RELATIONS = frozenset({"TABLE", "VIEW"})
Key = tuple[Name, str]  # of an object: its logical name and its kind


@dataclass(frozen=True, slots=True)
class Recorded:
    """An object as it was last deployed."""

    checksum: str = ""  # of the definition; "" while every deployment of it is pending
    definition: str | None = None  # None: known by its checksum, so nobody has asked for it
    altered_at: int | None = None  # of a routine: milliseconds since 1970, when the deployment had changed it
    ddl_checksum: str | None = None  # of the ddl that the warehouse had for it then
    pending: frozenset[str] = frozenset()  # checksums that later deployments tried, and nobody knows how it ended


@dataclass(frozen=True, slots=True)
class Live:
    """An object of the warehouse."""

    words: str  # as DROP has them: TABLE, VIEW, TABLE FUNCTION, PROCEDURE, …
    altered_at: int | None = None  # of a routine
    ddl_checksum: str | None = None
    ddl: str | None = None  # None: it is as recorded, so nobody has looked

    @property
    def kind(self) -> str:
        return self.words.split()[-1]


@dataclass(frozen=True, slots=True)
class State:
    """The default is an environment that holds nothing."""

    datasets: frozenset[str] = frozenset()  # those that exist
    targets: Mapping[str, str] = field(default_factory=dict)  # logical dataset -> the environment's
    # Tables and routines are apart: a table and a procedure may share a name.
    relations: Mapping[Name, Live] = field(default_factory=dict)
    routines: Mapping[Name, Live] = field(default_factory=dict)
    recorded: Mapping[Key, Recorded] = field(default_factory=dict)
    filled: frozenset[Name] = frozenset()  # tables with rows, of those that are in sql/ no more
    number: int = 0  # of the latest deployment

    def live(self, name: Name, kind: str) -> Live | None:
        return (self.relations if kind in RELATIONS else self.routines).get(name)


def is_as_recorded(live: Live, recorded: Recorded | None) -> bool:
    """Whether nobody has touched it since it was deployed; False when that takes a look at its definition."""
    if recorded is None:
        return False
    if live.altered_at is not None and live.altered_at == recorded.altered_at:
        return True
    return live.ddl_checksum is not None and live.ddl_checksum == recorded.ddl_checksum
