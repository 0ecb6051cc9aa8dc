"""Where a text of BigQuery SQL names something by dataset, found by its place in the grammar.

`raw.flights` can be a table, or the column `flights` of something aliased `raw`. Only the words around it tell;
comments and strings are never taken for names.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

from deployer.source.lexer import QUOTED, WORD, Token

# A name that follows one of these is a table's or a routine's; FROM and the comma are handled apart.
INTRODUCERS = frozenset(
    """JOIN INTO INSERT UPDATE MERGE DELETE OVERWRITE TABLE VIEW PROCEDURE FUNCTION EXISTS REFERENCES CALL USING LIKE
    CLONE COPY""".split()  # noqa: SIM905
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


def references(text: str, tokens: Sequence[Token], datasets: Collection[str]) -> list[Reference]:
    """What the text names by dataset, in order.

    A dataset that is none of the given ones is only told where nothing else can be meant: what looks like one is an
    alias, as a rule.
    """
    found = []
    for position, (kind, word, start, end) in enumerate(tokens):
        if word == "." and position:
            path = _path(text, tokens, position)
        elif kind == QUOTED and "." in text[start:end]:
            path = _quoted_path(text, tokens, position)
        else:
            continue
        if path is None:
            continue
        first = position - (word == ".")
        if path.dataset in datasets:
            if _is_reference(text, tokens, first, path):
                found.append(path)
        elif _is_stranger(text, tokens, first, path):
            found.append(path)
    return found


def _path(text: str, tokens: Sequence[Token], dot: int) -> Reference | None:
    """The path whose first dot this is: its first two parts."""
    first = tokens[dot - 1]
    if first.kind not in (WORD, QUOTED) or (dot > 1 and tokens[dot - 2].word == ".") or dot + 1 >= len(tokens):
        return None
    second = tokens[dot + 1]
    if second.kind not in (WORD, QUOTED):
        return None
    quote = first.kind == QUOTED
    start, end = first.start + quote, first.end - quote
    name = text[second.start : second.end].strip("`")
    return Reference(text[start:end], name, start, end, second.end, _role(tokens, dot - 1, dot + 2))


def _quoted_path(text: str, tokens: Sequence[Token], position: int) -> Reference | None:
    """`dataset.name` in one pair of backticks; None for a path that begins with a project."""
    start, end = tokens[position].start + 1, tokens[position].end - 1
    parts = text[start:end].split(".")
    if len(parts) != 2:
        return None
    role = _role(tokens, position, position + 1)
    return Reference(parts[0], parts[1], start, start + len(parts[0]), end, role)


def _role(tokens: Sequence[Token], position: int, after: int) -> Role:
    before = tokens[position - 1].word if position else ""
    if before == "CALL" or (_word(tokens, after) == "(" and before not in NO_CALL):
        return Role.CALL
    return Role.DEFINE if before in DEFINERS else Role.USE


def _is_reference(text: str, tokens: Sequence[Token], position: int, path: Reference) -> bool:
    if path.role is Role.CALL:
        return True  # an alias cannot be called
    before = tokens[position - 1].word if position else ""
    if before == "FROM":
        return _opens_clause(tokens, position - 1)
    if before in INTRODUCERS:
        return not _has_alias(text, tokens, position, path.dataset)
    # In a FROM clause an alias before the comma wins over the dataset: `FROM t AS raw, raw.items`.
    return (
        before == "," and _from_before(tokens, position) >= 0 and not _has_alias(text, tokens, position, path.dataset)
    )


def _is_stranger(text: str, tokens: Sequence[Token], position: int, path: Reference) -> bool:
    before = tokens[position - 1].word if position else ""
    if (before != "FROM" and before not in INTRODUCERS) or path.dataset.startswith("_"):
        return False
    if path.role is Role.CALL and before != "CALL":
        return False  # ML.PREDICT(…), NET.HOST(…)
    # With a third part it may be a project's; a word that stands alone elsewhere is an alias or a variable.
    after = next((at for at in range(position, len(tokens)) if tokens[at].start >= path.end), len(tokens))
    if _word(tokens, after) == "." or not _is_reference(text, tokens, position, path):
        return False
    written = path.dataset.upper()
    return not any(
        token.word == written and _word(tokens, at + 1) != "." for at, token in enumerate(tokens) if token.kind == WORD
    )


def _has_alias(text: str, tokens: Sequence[Token], position: int, alias: str) -> bool:
    """Whether the FROM clause that is being read has the alias before this place."""
    for earlier in range(_from_before(tokens, position) + 1 or position, position):
        token = tokens[earlier]
        is_name = token.kind in (WORD, QUOTED) and text[token.start : token.end].strip("`") == alias
        if is_name and _word(tokens, earlier + 1) != "." and tokens[earlier - 1].word not in NO_ALIAS_BEFORE:
            return True
    return False


def _from_before(tokens: Sequence[Token], position: int) -> int:
    """The FROM of the clause that this place is in; -1 when it is in another one."""
    depth = 0
    for earlier in range(position - 1, -1, -1):
        word = tokens[earlier].word
        if word in (")", "]"):
            depth += 1
        elif word in ("(", "["):
            depth -= 1
            if depth < 0:
                return -1
        elif depth == 0:
            if word == ";" or word in CLAUSE_ENDS:
                return -1
            if word == "FROM" and _opens_clause(tokens, earlier):
                return earlier
    return -1


def _opens_clause(tokens: Sequence[Token], position: int) -> bool:
    """Whether a FROM opens a clause: not that of EXTRACT(DAY FROM d), nor that of IS [NOT] DISTINCT FROM."""
    if position >= 2 and tokens[position - 1].word == "DISTINCT" and tokens[position - 2].word in ("IS", "NOT"):
        return False
    depth = 0
    for earlier in range(position - 1, 0, -1):
        word = tokens[earlier].word
        if word in ("SELECT", ";"):
            return True
        depth += (word == ")") - (word == "(")
        if depth < 0:
            return tokens[earlier - 1].word != "EXTRACT"
    return True


def _word(tokens: Sequence[Token], position: int) -> str:
    return tokens[position].word if position < len(tokens) else ""
