"""What a check has to say."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One fault; line and column count from 1."""

    line: int
    column: int
    code: str
    message: str


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean x?` of the known names that are most like it, or nothing."""
    spellings = {one.lower(): one for one in known}
    found = difflib.get_close_matches(name.lower(), spellings, n=2, cutoff=0.7)
    return f"; did you mean {' or '.join(spellings[one] for one in found)}?" if found else ""
