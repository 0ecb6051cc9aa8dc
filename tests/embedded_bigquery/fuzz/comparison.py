"""One query in both: whether the engine answers as Google's reference implementation does."""

from __future__ import annotations

import re
from dataclasses import dataclass

from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery

from tests.embedded_bigquery.fuzz.grammar import query_of
from tests.embedded_bigquery.fuzz.reference import Crashed, Reference, Refused

FLOAT = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?|-?\d+e[+-]?\d+")


@dataclass(frozen=True, slots=True)
class Difference:
    """`expected` and `found` are rows as FORMAT('%T') writes them, the types, or an error."""

    seed: int
    query: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"seed {self.seed}\n{self.query}\nexpected: {self.expected}\nfound:    {self.found}\n"


def difference(seed: int, reference: Reference, client: bigquery.Client) -> Difference | None:
    """None where both give the same rows and types, or both refuse."""
    query = query_of(seed)
    rows = f"SELECT FORMAT('%T', made) FROM (\n{query}\n) AS made"
    try:
        expected = f"{reference.types(query)} {_sorted(reference.texts(rows))}"
    except Crashed:
        return None
    except Refused as error:
        expected = f"error: {error}"
    try:
        schema = client.query(query, bigquery.QueryJobConfig(dry_run=True)).schema
        found = f"{[_type(field) for field in schema]} {_sorted([row[0] for row in client.query_and_wait(rows)])}"
    except GoogleAPICallError as error:
        found = f"error: {error.errors[0]['message'] if error.errors else error}"
    is_same = expected == found or (expected.startswith("error: ") and found.startswith("error: "))
    return None if is_same else Difference(seed, query, expected, found)


def _sorted(rows: list[str | None]) -> list[str]:
    """Floating point in nine digits: the order of a sum is nobody's promise."""
    return sorted(FLOAT.sub(lambda number: f"{float(number[0]):.9g}", str(row)) for row in rows)


def _type(field: bigquery.SchemaField) -> str:
    kind = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}.get(field.field_type)
    kind = kind or field.field_type
    if kind == "STRUCT":
        kind = f"STRUCT<{', '.join(f'{inner.name} {_type(inner)}' for inner in field.fields)}>"
    return f"ARRAY<{kind}>" if field.mode == "REPEATED" else kind
