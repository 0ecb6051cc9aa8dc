"""Reads sql/: the path is the identity, and a file whose CREATE disagrees with it is refused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from deployer.errors import SourceError
from deployer.source.create import Created, parse_create
from deployer.source.lexer import Unreadable, place, tokenize
from deployer.source.references import Reference, references

KINDS = {"tables": "TABLE", "views": "VIEW", "functions": "FUNCTION", "procedures": "PROCEDURE"}


class Name(NamedTuple):
    """A logical name: `dataset.name`."""

    dataset: str
    name: str

    def __str__(self) -> str:
        return f"{self.dataset}.{self.name}"


@dataclass(frozen=True, slots=True)
class SqlObject:
    """One file: what it creates, and what its text refers to."""

    name: Name
    kind: str  # TABLE, VIEW, FUNCTION or PROCEDURE
    path: Path
    text: str
    created: Created
    references: tuple[Reference, ...]  # to known datasets
    strangers: tuple[Reference, ...] = ()  # to others

    @property
    def needs(self) -> frozenset[Name]:
        """What it refers to, without itself."""
        return frozenset(Name(r.dataset, r.name) for r in self.references) - {self.name}

    def place(self, position: int) -> tuple[int, int]:
        """Line and column, from 1, of a position in the text."""
        return place(self.text, position)


def load_tree(root: Path, datasets: Collection[str] = ()) -> dict[Name, SqlObject]:
    """All objects below `root` by name; `datasets` are those that are known beside the folders.

    Raises SourceError for a file that is not one good CREATE.
    """
    if not root.is_dir():
        raise SourceError("there is no such folder; `sql:` of the config names it", root)
    files = sorted(file for file in root.rglob("*.sql") if not file.name.endswith(".test.sql"))
    known = frozenset(file.relative_to(root).parts[0] for file in files).union(datasets)
    objects: dict[Name, SqlObject] = {}
    written: dict[str, SqlObject] = {}
    for file in files:
        loaded = _load(root, file, known)
        # Routine names are not case-sensitive, and nobody means two tables whose names differ by case alone.
        twin = written.setdefault(str(loaded.name).casefold(), loaded)
        if twin is not loaded:
            raise SourceError(f"{loaded.name} is also created by {twin.path}; keep one of the two", file)
        objects[loaded.name] = loaded
    return objects


def _load(root: Path, file: Path, datasets: Collection[str]) -> SqlObject:
    parts = file.relative_to(root).with_suffix("").parts
    if len(parts) != 3 or parts[1] not in KINDS:
        expected = "<dataset>/" + "|".join(KINDS) + "/<name>.sql"
        raise SourceError(f"the path says nothing that can be created; expected {expected}", file)
    name, kind = Name(parts[0], parts[2]), KINDS[parts[1]]
    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise SourceError(f"is not UTF-8: {error.reason} at byte {error.start}", file) from error
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", file) from error
    made = read_object(text, name, file, datasets)
    if (made.kind, made.created.name) != (kind, str(name)):
        message = f"creates {made.kind} {made.created.name}, but the path says {kind} {name}; rename one of the two"
        raise SourceError(message, file, *made.place(made.created.name_at))
    problem = ""
    if kind == "TABLE" and made.created.replaces:
        problem = "CREATE OR REPLACE TABLE would drop the rows; write CREATE TABLE IF NOT EXISTS"
    elif kind != "TABLE" and made.created.skips:
        problem = f"IF NOT EXISTS would never replace it; write CREATE OR REPLACE {kind}"
    if problem:
        raise SourceError(problem, file, *made.place(made.created.start))
    return made


def read_object(text: str, name: Name, path: Path, datasets: Collection[str]) -> SqlObject:
    """The object that a text creates; raises SourceError."""
    try:
        tokens = tokenize(text)
        created = parse_create(text, tokens)
    except Unreadable as error:
        raise SourceError(str(error), path, *place(text, error.position)) from error
    found = references(text, tokens, datasets)
    strangers = tuple(each for each in found if each.dataset not in datasets)
    known = tuple(each for each in found if each.dataset in datasets) if strangers else tuple(found)
    return SqlObject(name, created.kind, path, text, created, known, strangers)
