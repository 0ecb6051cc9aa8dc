"""Hash functions. All give BYTES; DuckDB's give hexadecimal text.

Source: "Hash functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/hash_functions.
"""

from __future__ import annotations

from embedded_bigquery.sql.functions.registry import Function

FUNCTIONS = tuple(
    Function(name, (f"{name}(STRING) -> BYTES", f"{name}(BYTES) -> BYTES"), f"unhex({name.lower()}({{0}}))")
    for name in ("MD5", "SHA1", "SHA256")
)
