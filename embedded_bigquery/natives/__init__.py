"""Functions of GoogleSQL that DuckDB lacks, in Python: DuckDB calls them by the names given here.

They are pure: text, numbers and bytes in, the same out. A ValueError's message becomes the query's error.
Without `sees_null` a NULL argument gives NULL and the function is not called.
"""

from __future__ import annotations

from itertools import chain

from embedded_bigquery.natives import (
    addresses,
    buckets,
    clock,
    decimals,
    encodings,
    format_elements,
    hashes,
    intervals,
    javascript,
    json_edits,
    json_paths,
    json_values,
    number_format,
    numbers,
    patterns,
    points,
    printf,
    sketches,
    text,
)
from embedded_bigquery.natives.native import Native

__all__ = ["NATIVES", "Native"]

MODULES = (
    text,
    patterns,
    numbers,
    decimals,
    hashes,
    addresses,
    intervals,
    buckets,
    format_elements,
    clock,
    points,
    number_format,
    encodings,
    json_values,
    json_paths,
    json_edits,
    printf,
    sketches,
    javascript,
)
NATIVES: tuple[Native, ...] = tuple(chain.from_iterable(module.NATIVES for module in MODULES))
