"""What DuckDB says of a statement that failed, in BigQuery's words."""

from __future__ import annotations

import re

RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        (r"Python exception occurred while executing the UDF: \w+: (.*)", r"\1"),
        (r"Overflow in (?:addition|subtract\w*|multiplication|negation|division) of INT\d+ \(.*", "Integer Overflow"),
        (r"Overflow in division of -\d+ / -1", "Integer Overflow"),
        (r"Cannot negate integer that is out of range.*", "Integer Overflow"),
        (r"Overflow in \w+ of DECIMAL\(\d+\) \((.*?)\).*", r"numeric overflow: \1"),
        (r"Unknown TimeZone '(.*?)'.*", r"Invalid time zone: \1"),
        (r"Overflow in HUGEINT addition.*", "numeric overflow: SUM"),
        (r"Type INT128 with value (\S+) can't be cast .* destination type INT64.*", r"int64 overflow: \1"),
        (r"Type DOUBLE with value (\S+) can't be cast .* destination type INT64.*", r"int64 out of range: \1"),
        (r"Could not cast value (\S+) to DECIMAL\(38,9\).*", r"numeric out of range: \1"),
        (r"Could not cast value (\S+) to DECIMAL\(38,\d+\).*", r"bignumeric out of range: \1"),
        (r"More than one row returned by a subquery.*", "Scalar subquery produced more than one element"),
        (r"NOT NULL constraint failed: \S+\.(\S+).*", r"Required field \1 cannot be null"),
        (r"(?:LIMIT|OFFSET) .*(?:negative|less than).*", "Limit requires non-negative count and offset"),
    )
)


def reworded(message: str) -> str:
    """The message as BigQuery has it; what has no wording of its own stays as DuckDB put it."""
    for pattern, words in RULES:
        found = pattern.fullmatch(message)
        if found is not None:
            return found.expand(words)
    return message
