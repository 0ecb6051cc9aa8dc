"""Where a text of BigQuery SQL names something by dataset, found by its place in the grammar.

`raw.flights` can be a table, or the column `flights` of something aliased `raw`. Only the words around it tell;
comments and strings are never taken for names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from deployer.source.lexer import Tokens

# A name that follows one of these is a table's or a routine's; the comma is handled apart.
INTRODUCERS = frozenset(
    """FROM JOIN INTO INSERT UPDATE MERGE DELETE OVERWRITE TABLE VIEW PROCEDURE FUNCTION EXISTS REFERENCES CALL USING
    LIKE CLONE COPY""".split()  # noqa: SIM905
)
DEFINERS = frozenset({"TABLE", "VIEW", "EXISTS", "PROCEDURE", "FUNCTION"})
NO_CALL = DEFINERS | {"INTO", "INSERT", "OVERWRITE", "REFERENCES"}  # what may follow in parentheses are columns
CLAUSE_ENDS = frozenset(
    {"WHERE", "GROUP", "HAVING", "QUALIFY", "ORDER", "LIMIT", "WINDOW", "UNION", "INTERSECT", "EXCEPT", "SELECT"}
)
NO_ALIAS_BEFORE = frozenset({".", ",", "(", "[", "=", "<", ">", "@"})


class Role(Enum):
    CALL = "calls"  # arguments follow: a routine
    DEFINE = "defines"  # a statement that makes or changes the object itself
    USE = "uses"  # a table or view


@dataclass(frozen=True, slots=True)
class Reference:
    """`dataset.name` at text[start:end]; `dataset_end` ends its first part."""

    dataset: str
    name: str
    start: int
    dataset_end: int
    end: int
    role: Role


def references(text: str, tokens: Tokens, datasets: Collection[str]) -> list[Reference]:
    """What the text names by dataset, in order.

    A dataset that is none of the given ones is only told where nothing else can be meant: what looks like one is an
    alias, as a rule.
    """
    found = []
    for position, path in _paths(text, tokens, datasets):
        if path.dataset in datasets:
            if _is_reference(text, tokens, position, path):
                found.append(path)
        elif _is_stranger(tokens.words, position, path):
            found.append(path)
    return found


def _paths(text: str, tokens: Tokens, datasets: Collection[str]) -> Iterator[tuple[int, Reference]]:
    """The first two parts of each dotted path that may be a reference, with the place of its first token."""
    words, starts = tokens.words, tokens.starts
    has_quotes = "`" in text
    for place, word in enumerate(words):
        if word == "." and place:
            first = place - 1
            before = words[first - 1] if first else ""
            dataset = text[starts[first] : starts[place]].rstrip().strip("`")
            if before == "." or (dataset not in datasets and before not in INTRODUCERS):
                continue
            if tokens.is_name(first) and tokens.is_name(place + 1):
                start = starts[first] + (words[first][0] == "`")
                end = tokens.end(place + 1)
                name = text[starts[place + 1] : end].strip("`")
                role = _role(words, first, place + 2)
                yield first, Reference(dataset, name, start, start + len(dataset), end, role)
        elif has_quotes and word[0] == "`" and word.count(".") == 1:
            start, end = starts[place] + 1, tokens.end(place) - 1
            dataset, name = text[start:end].split(".")
            yield place, Reference(dataset, name, start, start + len(dataset), end, _role(words, place, place + 1))


def _role(words: Sequence[str], position: int, after: int) -> Role:
    before = words[position - 1] if position else ""
    if before == "CALL" or (words[after : after + 1] == ["("] and before not in NO_CALL):
        return Role.CALL
    return Role.DEFINE if before in DEFINERS else Role.USE


def _is_reference(text: str, tokens: Tokens, position: int, path: Reference) -> bool:
    if path.role is Role.CALL:
        return True  # an alias cannot be called
    words = tokens.words
    before = words[position - 1] if position else ""
    if before == "FROM":
        return _opens_clause(words, position - 1)
    if before in INTRODUCERS:
        return not _has_alias(text, tokens, position, path.dataset)
    # In a FROM clause an alias before the comma wins over the dataset: `FROM t AS raw, raw.items`.
    is_in_from = before == "," and _from_before(words, position) >= 0
    return is_in_from and not _has_alias(text, tokens, position, path.dataset)


def _is_stranger(words: Sequence[str], position: int, path: Reference) -> bool:
    before = words[position - 1] if position else ""
    if path.dataset.startswith("_") or before not in INTRODUCERS:
        return False
    if path.role is Role.CALL and before != "CALL":
        return False  # ML.PREDICT(…), NET.HOST(…)
    if before == "FROM" and not _opens_clause(words, position - 1):
        return False
    after = position + (1 if words[position][0] == "`" and "." in words[position] else 3)
    if words[after : after + 1] == ["."]:
        return False  # the first part may be a project's
    # A word that stands alone elsewhere is an alias or a variable.
    written = path.dataset.upper()
    return not any(word == written and words[at + 1 : at + 2] != ["."] for at, word in enumerate(words))


def _has_alias(text: str, tokens: Tokens, position: int, alias: str) -> bool:
    """Whether the FROM clause that is being read has the alias before this place."""
    words = tokens.words
    for earlier in range(_from_before(words, position) + 1 or position, position):
        is_name = text[tokens.starts[earlier] : tokens.end(earlier)].strip("`") == alias
        if is_name and words[earlier + 1] != "." and words[earlier - 1] not in NO_ALIAS_BEFORE:
            return True
    return False


def _from_before(words: Sequence[str], position: int) -> int:
    """The FROM of the clause that this place is in; -1 when it is in another one."""
    depth = 0
    for earlier in range(position - 1, -1, -1):
        word = words[earlier]
        if word in (")", "]"):
            depth += 1
        elif word in ("(", "["):
            depth -= 1
            if depth < 0:
                return -1
        elif depth == 0:
            if word == ";" or word in CLAUSE_ENDS:
                return -1
            if word == "FROM" and _opens_clause(words, earlier):
                return earlier
    return -1


def _opens_clause(words: Sequence[str], position: int) -> bool:
    """Whether a FROM opens a clause: not that of EXTRACT(DAY FROM d), nor that of IS [NOT] DISTINCT FROM."""
    if position >= 2 and words[position - 1] == "DISTINCT" and words[position - 2] in ("IS", "NOT"):
        return False
    depth = 0
    for earlier in range(position - 1, 0, -1):
        word = words[earlier]
        if word in ("SELECT", ";"):
            return True
        depth += (word == ")") - (word == "(")
        if depth < 0:
            return words[earlier - 1] != "EXTRACT"
    return True
