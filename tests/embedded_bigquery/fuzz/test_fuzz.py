"""Random queries: the engine answers as Google's reference implementation does, in rows and in types."""

from __future__ import annotations

import embedded_bigquery
from tests.embedded_bigquery.fuzz.comparison import difference
from tests.embedded_bigquery.fuzz.reference import Reference

SEEDS = 40  # more with `python -m tests.embedded_bigquery.fuzz`


def test_random_queries_have_the_references_rows_and_types() -> None:
    reference, client = Reference(), embedded_bigquery.connect()
    found = [difference(seed, reference, client) for seed in range(SEEDS)]
    client.close()
    assert [str(each) for each in found if each is not None] == []
