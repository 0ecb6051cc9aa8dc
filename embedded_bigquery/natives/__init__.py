"""Functions of GoogleSQL that DuckDB lacks, in Python: DuckDB calls them by the names given here.

They are pure: text, numbers and bytes in, the same out. A ValueError's message becomes the query's error.
Without `sees_null` a NULL argument gives NULL and the function is not called.
"""

from __future__ import annotations

from embedded_bigquery.natives import addresses, hashes, intervals, text
from embedded_bigquery.natives.native import Native

__all__ = ["NATIVES", "Native"]

NATIVES: tuple[Native, ...] = (*text.NATIVES, *hashes.NATIVES, *addresses.NATIVES, *intervals.NATIVES)
