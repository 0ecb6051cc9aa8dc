"""Regular expressions where DuckDB's own functions do not reach: a position, an occurrence, a pattern per row.

RE2's syntax by Python's `re`; what only RE2 knows is refused.
"""

from __future__ import annotations

import re
from functools import lru_cache

from embedded_bigquery.natives.native import Native

# Valid in RE2 alone, and in `re` alone.
ONLY_RE2 = re.compile(r"\\[pPCQE]|\(\?[a-z]*U")
ONLY_PYTHON = re.compile(r"\(\?(?:<?[=!]|\(|>)|\\[1-9]|[*+?}]\+")
POSIX = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": r"\s\x0b",
    "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9A-Fa-f", "word": r"\w", "blank": r" \t", "cntrl": r"\x00-\x1f\x7f",
    "print": " -~", "graph": "!-~", "ascii": r"\x00-\x7f",
}  # fmt: skip


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """Raises ValueError on a pattern that RE2 does not take, or that is beyond Python."""
    if ONLY_RE2.search(pattern):
        raise ValueError(f"not supported: the regular expression {pattern} with a position or as a column")
    wrong = ONLY_PYTHON.search(re.sub(r"\\\\|\\\+", "", pattern))
    if wrong:
        raise ValueError(f"Cannot parse regular expression: invalid perl operator: {wrong.group()}")
    text = re.sub(r"\[:(\w+):\]", lambda found: POSIX.get(found[1], found[0]), pattern)
    text = re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", text).replace(r"\z", r"\Z")
    # At the very end alone: Python's $ matches before a last line break too.
    text = re.sub(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\$", lambda found: found[1] or r"\Z", text, flags=re.DOTALL)
    try:
        return re.compile(text, re.ASCII)
    except re.error as error:
        raise ValueError(f"Cannot parse regular expression: {error}: {pattern}") from None


def _group(pattern: re.Pattern[str]) -> int:
    if pattern.groups > 1:
        raise ValueError(
            "Regular expressions passed into extraction functions must not have more than 1 capturing group"
        )
    return pattern.groups


def _match(value: str, pattern: str, position: int, occurrence: int) -> tuple[re.Match[str] | None, int]:
    """The match in the text that begins at the position, and the group that counts."""
    if position < 1:
        raise ValueError("Position must be positive")
    if occurrence < 1:
        raise ValueError("Occurrence must be positive")
    wanted = compiled(pattern)
    group = _group(wanted)
    if position > max(len(value), 1):
        return None, group
    for number, found in enumerate(wanted.finditer(value[position - 1 :]), 1):
        if number == occurrence:
            return found, group
    return None, group


def extract(value: str, pattern: str, position: int, occurrence: int) -> str | None:
    found, group = _match(value, pattern, position, occurrence)
    return None if found is None else found.group(group)


def extract_all(value: str, pattern: str) -> list[str]:
    wanted = compiled(pattern)
    group = _group(wanted)
    # RE2 finds nothing behind the last character.
    return [found.group(group) or "" for found in wanted.finditer(value) if not value or found.start() < len(value)]


def position_of(value: str, pattern: str, position: int, occurrence: int, after: int) -> int:
    """REGEXP_INSTR: where the match begins, or ends where `after` is 1; 0 without one."""
    if after not in (0, 1):
        raise ValueError("Invalid return_position_after_match.")
    found, group = _match(value, pattern, position, occurrence)
    if found is None or not value or not pattern or found.start(group) < 0:
        return 0
    return position + (found.end(group) if after else found.start(group))


def instr(value: str, piece: str, position: int, occurrence: int) -> int:
    """INSTR: occurrences may overlap; a negative position counts, and searches, from the end."""
    if position == 0:
        raise ValueError("Position must be non-zero")
    if occurrence < 1:
        raise ValueError("Occurrence must be positive")
    if position > 0:
        place = position - 2
        for _ in range(occurrence):
            place = value.find(piece, place + 1)
            if place < 0:
                return 0
        return place + 1
    end = len(value) + position
    for _ in range(occurrence):
        place = value.rfind(piece, 0, end + len(piece)) if end >= 0 else -1
        if place < 0:
            return 0
        end = place - 1
    return place + 1


NATIVES = (
    Native("bq_regexp_extract", extract, ("VARCHAR", "VARCHAR", "BIGINT", "BIGINT"), "VARCHAR"),
    Native("bq_regexp_extract_all", extract_all, ("VARCHAR", "VARCHAR"), "VARCHAR[]"),
    Native("bq_regexp_instr", position_of, ("VARCHAR", "VARCHAR", "BIGINT", "BIGINT", "BIGINT"), "BIGINT"),
    Native("bq_instr", instr, ("VARCHAR", "VARCHAR", "BIGINT", "BIGINT"), "BIGINT"),
)
