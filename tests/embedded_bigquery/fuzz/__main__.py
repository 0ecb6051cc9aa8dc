"""`python -m tests.embedded_bigquery.fuzz FIRST COUNT`: the queries of so many seeds, and where answers differ."""

from __future__ import annotations

import sys

import embedded_bigquery
from tests.embedded_bigquery.fuzz.comparison import difference
from tests.embedded_bigquery.fuzz.reference import Reference

first, count = (int(word) for word in sys.argv[1:3])
reference, client = Reference(), embedded_bigquery.connect()
differences = 0
for seed in range(first, first + count):
    found = difference(seed, reference, client)
    if found is not None:
        differences += 1
        print(found, flush=True)
print(f"{count} seeds from {first}: {differences} differences")
sys.exit(differences > 0)
