"""What an environment should hold: the objects of sql/ with its dataset names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path

from deployer.config import Config
from deployer.errors import SourceError, UsageError
from deployer.source import Name, SqlObject, dependencies, in_dependency_order, load_tree
from deployer.source.create import Created, normal_form, parse_create
from deployer.source.lexer import place, tokenize
from deployer.source.references import Reference, Role

DEPLOYMENTS, LOCKS = Name("ops", "deployments"), Name("ops", "deploy_locks")
PROVIDE_LEASES = Name("ops", "provide_leases")
LABEL = "deployer_suffix"  # of each dataset of a sandbox
LENIENT = re.compile(r"\bstrict_mode\s*=\s*false\b", re.IGNORECASE)
FIRST = (DEPLOYMENTS, LOCKS)  # whatever fails later can then be recorded


@dataclass(frozen=True, slots=True)
class Edit:
    """text[start:end] is replaced."""

    start: int
    end: int
    text: str

    @property
    def longer(self) -> int:
        return len(self.text) - (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Definition:
    """One object as the environment has it: every byte the file's, but for the edits."""

    source: SqlObject
    target: Name
    text: str
    checksum: str  # SHA-256 of the text's normal form, hex
    edits: tuple[Edit, ...]
    needs: frozenset[Name]  # logical names, of those that are defined as well
    foreign: tuple[Reference, ...]  # what it uses or calls and sql/ does not define

    @property
    def name(self) -> Name:
        return self.source.name

    @property
    def kind(self) -> str:
        return self.source.kind

    @property
    def path(self) -> Path:
        return self.source.path

    def place_in_file(self, line: int, column: int) -> tuple[int, int]:
        """Where the file has what the text has at that line and column; both count from 1."""
        lines = self.text.split("\n")
        position = sum(len(each) + 1 for each in lines[: line - 1]) + column - 1
        for edit in self.edits:
            if position <= edit.start:
                break
            position = max(edit.start, position - edit.longer)
        return place(self.source.text, position)


def load_definitions(config: Config) -> tuple[Definition, ...]:
    """The objects of `config.sql` in dependency order, the deployments' own tables first; raises UsageError."""
    objects = load_tree(config.sql, config.datasets.keys())
    for made in objects.values():
        missing = made.strangers[0].dataset if made.strangers else made.name.dataset
        if missing not in config.datasets:
            place = made.place(made.strangers[0].start) if made.strangers else (1, 1)
            message = f"`datasets` of the config does not map {missing}; add a line for it"
            raise SourceError(message, made.path, *place)
    for name in FIRST:
        if name not in objects:
            file = f"{name.dataset}/tables/{name.name}.sql"
            raise UsageError(f"{config.sql} has no {file}, a table that deployments need; copy it from the package.")
    return in_order(objects, config.datasets)


def in_order(objects: Mapping[Name, SqlObject], datasets: Mapping[str, str]) -> tuple[Definition, ...]:
    """The objects with the environment's names in dependency order; raises CycleError."""
    ordered = chain.from_iterable(in_dependency_order(objects))
    needs, known = dependencies(objects), {str(name).casefold() for name in objects}
    # Sorting is stable, so the rest keeps its order.
    first = sorted(ordered, key=lambda made: made.name not in FIRST)
    return tuple(_mapped(made, datasets, needs[made.name], tuple(_foreign(made, known))) for made in first)


def _foreign(made: SqlObject, known: Collection[str]) -> Iterator[Reference]:
    """What must be there beside sql/; a body that is not checked when it is made needs nothing."""
    if LENIENT.search(made.text, made.created.name_end, made.created.body[0]):
        return
    own = {(each.dataset, each.name) for each in made.references if each.role is Role.DEFINE}
    for each in made.references:
        is_known = (each.dataset, each.name) in own or f"{each.dataset}.{each.name}".casefold() in known
        if not is_known and not each.name.startswith(("INFORMATION_SCHEMA", "__")) and each.name[-1] != "*":
            yield each


def _mapped(
    made: SqlObject, datasets: Mapping[str, str], needs: frozenset[Name], foreign: tuple[Reference, ...]
) -> Definition:
    edits = tuple(
        sorted([*_repeatable(made.created, made.kind), *_renamed(made, datasets)], key=lambda edit: edit.start)
    )
    text = edited(made.text, edits)
    start, end = (at + sum(edit.longer for edit in edits if edit.start < at) for at in made.created.body)
    checksum = sha256(normal_form(text, (start, end)).encode()).hexdigest()
    target = Name(datasets[made.name.dataset], made.name.name)
    return Definition(made, target, text, checksum, edits, needs, foreign)


def _renamed(made: SqlObject, datasets: Mapping[str, str]) -> Iterator[Edit]:
    for reference in made.references:
        target = datasets[reference.dataset]
        if target != reference.dataset:
            yield Edit(reference.start, reference.dataset_end, target)


def repeatable(text: str) -> str:
    """A CREATE that the server may get a second time; raises Unreadable."""
    created = parse_create(text, tokenize(text))
    return edited(text, _repeatable(created, created.kind))


def _repeatable(created: Created, kind: str) -> Iterator[Edit]:
    """A statement may reach the server twice: the second time must neither fail nor lose rows."""
    if kind == "TABLE" and not created.skips:
        yield Edit(created.name_at, created.name_at, "IF NOT EXISTS ")
    elif kind != "TABLE" and not created.replaces:
        after = created.start + len("CREATE")
        yield Edit(after, after, " OR REPLACE")


def edited(text: str, edits: Iterable[Edit]) -> str:
    parts, done = [], 0
    for edit in edits:
        parts += [text[done : edit.start], edit.text]
        done = edit.end
    return "".join([*parts, text[done:]])
