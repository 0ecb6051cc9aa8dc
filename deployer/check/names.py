"""What the names of a body mean at one of its statements: variables, objects that it made, objects of the warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from deployer.check.catalogs import SESSION
from deployer.check.definitions import Definition, Path, Table, Unknown, Variable
from deployer.check.partitions import PSEUDO, Pruning
from deployer.check.references import Reference, references
from deployer.check.scopes import expressions
from deployer.check.syntax import Node


@dataclass(slots=True)
class Warehouse:
    """The objects by their paths as they are written there; `tables` and `routines` are the names of all there are."""

    objects: Mapping[Path, Definition]
    tables: Sequence[str] = ()
    routines: Sequence[str] = ()
    lowered: dict[Path, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lowered = {lower(path): path for path in self.objects}


@dataclass(slots=True)
class Names:
    """Of a body; `scopes` are the variables of the blocks around, the innermost last."""

    warehouse: Warehouse
    made: dict[Path, Definition] = field(default_factory=dict)
    scopes: list[dict[str, Variable | Unknown]] = field(default_factory=list)

    def local(self) -> dict[Path, Definition]:
        """All that the warehouse has not."""
        return {**self.made, **{(name,): kind for name, kind in self.variables().items()}}

    def variables(self) -> dict[str, Variable | Unknown]:
        """By their names in lower case."""
        return {name: kind for scope in self.scopes for name, kind in scope.items()}

    def type_of(self, variable: str) -> str:
        """The type of a variable; "" when there is none or it is not known."""
        found = self.variables().get(variable.lower())
        return found.type if isinstance(found, Variable) else ""

    def find(self, path: Path) -> tuple[Path, Definition] | None:
        """What a path of a table or routine names, and how it is written there."""
        lowered = lower(path)
        if len(path) == 1 or lowered[0] == SESSION:
            lowered = (SESSION, lowered[-1])
        if lowered in self.made:
            return lowered, self.made[lowered]
        known = path if path in self.warehouse.objects else self.warehouse.lowered.get(lowered)
        return (known, self.warehouse.objects[known]) if known is not None else None

    def tables(self, node: Node) -> Iterator[tuple[Reference, Path, Table]]:
        """The tables that a statement names, as far as their columns are known."""
        for reference in references(node):
            known = self.find(reference.path)
            if known is not None and isinstance(known[1], Table):
                yield reference, known[0], known[1]

    def columns_and_variables(self, node: Node) -> list[str]:
        """What an expression in the statement can name."""
        columns = [column for _, _, table in self.tables(node) for column, _ in table.columns]
        return [*self.variables(), *columns]

    def unknown(self, node: Node) -> str:
        """What the node names of which the definition cannot be said; "" when there is nothing of the kind."""
        for reference in references(node):
            known = self.find(reference.path)
            is_metadata = "information_schema" in lower(reference.path) or reference.path[-1].endswith("*")
            if is_metadata or (known is not None and isinstance(known[1], Unknown)):
                return ".".join(reference.path)
        variables = self.variables()
        paths = (path.path[0] for path in expressions(node))
        return next((name for name in paths if isinstance(variables.get(name.lower()), Unknown)), "")

    def shadowed(self, node: Node) -> Iterator[tuple[Node, str]]:
        """Where the node names a variable that a column of its tables hides, and the table."""
        variables = self.variables()
        columns: dict[str, str] = {}
        for reference, path, table in self.tables(node):
            # What is inserted cannot name the columns of the table that it goes to.
            if node.kind != "InsertStatement" or node.one("target_path") is not reference.node:
                columns |= {column.lower(): shown(path) for column, _ in table.columns}
        told = set()
        for used in sorted(expressions(node), key=lambda one: one.start):
            name = used.path[0].lower()
            if name in variables and name in columns and name not in told:
                told.add(name)
                yield used, columns[name]

    def unpruned(self, node: Node) -> Iterator[tuple[Reference, str]]:
        """The partitioned table that a statement changes without saying in which partitions, and what is missing."""
        columns = frozenset(column.lower() for _, _, table in self.tables(node) for column, _ in table.columns)
        for reference, path, table in self.tables(node):
            if reference.role == "writes" and table.partition:
                partition = PSEUDO | {table.partition.lower()}
                missing = Pruning(partition, columns | partition, frozenset(self.variables())).missing(node)
                if missing:
                    yield reference, f"{shown(path)} is partitioned by {table.partition}, and {missing}"

    def miswritten(self, node: Node) -> Iterator[tuple[Reference, str]]:
        """Tables that are written in another case than their own: BigQuery does not find them."""
        for reference, path, _ in self.tables(node):
            if path[0] != SESSION and reference.path[-len(path) :] != path and path not in self.made:
                yield reference, shown(path)


def shown(path: Path) -> str:
    return ".".join(path[path[0] == SESSION :])


def lower(path: Path) -> Path:
    return tuple(part.lower() for part in path)
