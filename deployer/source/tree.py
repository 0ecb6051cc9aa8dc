"""Reads sql/: the path is the identity, and a file whose CREATE disagrees with it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from deployer.errors import SourceError
from deployer.source.references import Reference, references, tokenize

LOOP_WORDS = frozenset(("IF", "LOOP", "WHILE", "REPEAT", "FOR"))  # what END IF and its like close, nothing else opens
NO_KEYWORDS = frozenset((TokenType.IDENTIFIER, TokenType.STRING))
KINDS = {"tables": "TABLE", "views": "VIEW", "functions": "FUNCTION", "procedures": "PROCEDURE"}


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """A logical name: `dataset.name`."""

    dataset: str
    name: str

    def __str__(self) -> str:
        return f"{self.dataset}.{self.name}"


@dataclass(frozen=True, slots=True)
class SqlObject:
    """One file: what it creates, and what its text refers to (without itself)."""

    name: Name
    kind: str  # TABLE, VIEW, FUNCTION or PROCEDURE
    path: Path
    text: str
    references: tuple[Reference, ...]

    @property
    def needs(self) -> frozenset[Name]:
        return frozenset(Name(r.dataset, r.name) for r in self.references) - {self.name}


def load_tree(root: Path) -> dict[Name, SqlObject]:
    """All objects below `root` by name. Raises SourceError for a file that is not one good CREATE."""
    if not root.is_dir():
        raise SourceError("there is no such folder; `sql:` of the config names it", root)
    files = sorted(file for file in root.rglob("*.sql") if not file.name.endswith(".test.sql"))
    datasets = frozenset(file.relative_to(root).parts[0] for file in files)
    objects: dict[Name, SqlObject] = {}
    written: dict[str, SqlObject] = {}
    for file in files:
        loaded = _load(root, file, datasets)
        # Routine names are not case-sensitive, and nobody means two tables whose names differ by case alone.
        twin = written.setdefault(str(loaded.name).casefold(), loaded)
        if twin is not loaded:
            raise SourceError(f"{loaded.name} is also created by {twin.path}; keep one of the two", file)
        objects[loaded.name] = loaded
    return objects


def _load(root: Path, file: Path, datasets: frozenset[str]) -> SqlObject:
    parts = file.relative_to(root).with_suffix("").parts
    if len(parts) != 3 or parts[1] not in KINDS:
        expected = "<dataset>/" + "|".join(KINDS) + "/<name>.sql"
        raise SourceError(f"the path says nothing that can be created; expected {expected}", file)
    name, kind = Name(parts[0], parts[2]), KINDS[parts[1]]
    try:
        text = file.read_text(encoding="utf-8")
        found = tuple(references(text, datasets))
        created = _created(text, file)
    except UnicodeDecodeError as error:
        raise SourceError(f"is not UTF-8: {error.reason} at byte {error.start}", file) from error
    except TokenError as error:
        raise SourceError(f"cannot be read as SQL: {error}", file) from error
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", file) from error
    said, place = created
    if said != (kind, str(name)):
        message = f"creates {said[0]} {said[1]}, but the path says {kind} {name}; rename one of the two"
        raise SourceError(message, file, *place)
    return SqlObject(name, kind, file, text, found)


def _created(text: str, file: Path) -> tuple[tuple[str, str], tuple[int, int]]:
    """Kind and name that the file's one CREATE gives, and the name's line and column."""
    tokens = tokenize(text)
    words = [token.text.upper() for token in tokens]
    if not words or words[0] != "CREATE":
        line = tokens[0].line if tokens else 1
        raise SourceError("the first statement must be CREATE", file, line)
    position = 3 if words[1:3] == ["OR", "REPLACE"] else 1
    kind = words[position] if position < len(words) else ""
    position += 1
    if kind == "TABLE" and words[position : position + 1] == ["FUNCTION"]:
        kind = "FUNCTION"
        position += 1
    if words[position : position + 3] == ["IF", "NOT", "EXISTS"]:
        position += 3
    name, last = "", position
    while last < len(tokens) and (last == position or tokens[last].text == "." or tokens[last - 1].text == "."):
        name += tokens[last].text
        last += 1
    if not name:
        raise SourceError("the CREATE names nothing", file, tokens[0].line)
    _refuse_second_statement(tokens, kind, file)
    token = tokens[position]
    return (kind, name), (token.line, token.col - (token.end - token.start))


def _end_of_body(tokens: list[Token]) -> int:
    """The position after the END that closes a procedure's BEGIN; the end of the text when there is none."""
    words = [token.text.upper() if token.token_type not in NO_KEYWORDS else "" for token in tokens] + [""]
    depth = 0
    for position, word in enumerate(words):
        after = words[position + 1] if position + 1 < len(words) else ""
        if (word == "BEGIN" and after not in ("TRANSACTION", ";")) or (word == "CASE" and words[position - 1] != "END"):
            depth += 1
        elif word == "END" and after not in LOOP_WORDS:
            depth -= 1
            if depth == 0:
                return position + 1
    return len(tokens)


def _refuse_second_statement(tokens: list[Token], kind: str, file: Path) -> None:
    """A procedure's body holds many statements and ends with its END; whatever else has one, up to a semicolon."""
    first = _end_of_body(tokens) if kind == "PROCEDURE" else 0
    for position, token in enumerate(tokens[:-1]):
        if position >= first and token.token_type == TokenType.SEMICOLON:
            extra = tokens[position + 1]
            column = extra.col - (extra.end - extra.start)
            raise SourceError("a second statement; a file holds one CREATE", file, extra.line, column)
