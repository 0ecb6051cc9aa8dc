"""What an environment should hold: the objects of sql/ with its dataset names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain

from deployer.config import Config
from deployer.errors import UsageError
from deployer.source import Name, SqlObject, in_dependency_order, load_tree
from deployer.source.references import rename

DEPLOYMENTS = Name("ops", "deployments")


@dataclass(frozen=True, slots=True)
class Definition:
    """One object as the environment has it: every byte the file's, but for the dataset names."""

    source: SqlObject
    target: Name
    text: str
    checksum: str  # SHA-256 of the text, hex
    datasets: Mapping[str, str] = field(repr=False, compare=False)  # logical -> the environment's

    @property
    def name(self) -> Name:
        return self.source.name

    @property
    def kind(self) -> str:
        return self.source.kind

    def place_in_file(self, line: int, column: int) -> tuple[int, int]:
        """Where the file has what the text has at that line and column; both count from 1."""
        shift = 0
        for reference in self.source.references:
            if reference.line == line and column > reference.column + shift:
                shift += len(self.datasets[reference.dataset]) - len(reference.dataset)
        return line, column - shift


def load_definitions(config: Config) -> tuple[Definition, ...]:
    """The objects of `config.sql` in dependency order, deployments' own table first; raises UsageError."""
    objects = load_tree(config.sql)
    missing = sorted({name.dataset for name in objects} - config.datasets.keys())
    if missing:
        raise UsageError(f"`datasets` of the config does not map {', '.join(missing)}, which {config.sql} has.")
    if DEPLOYMENTS not in objects:
        raise UsageError(f"{config.sql} has no ops/tables/deployments.sql, the table that deployments are recorded in.")
    ordered = chain.from_iterable(in_dependency_order(objects))
    # Whatever fails later can then be recorded; sorting is stable, so the rest keeps its order.
    return tuple(_mapped(made, config.datasets) for made in sorted(ordered, key=lambda made: made.name != DEPLOYMENTS))


def _mapped(made: SqlObject, datasets: Mapping[str, str]) -> Definition:
    text = rename(made.text, dict(datasets))
    target = Name(datasets[made.name.dataset], made.name.name)
    return Definition(made, target, text, sha256(text.encode()).hexdigest(), datasets)
