"""Net functions.

Source: "Net functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/net_functions.
"""

from __future__ import annotations

from embedded_bigquery.sql.functions.registry import Function

SIGNATURES = (
    ("HOST", "STRING", "STRING"),
    ("IP_FROM_STRING", "STRING", "BYTES"),
    ("SAFE_IP_FROM_STRING", "STRING", "BYTES"),
    ("IP_TO_STRING", "BYTES", "STRING"),
    ("IP_NET_MASK", "INT64, INT64", "BYTES"),
    ("IP_TRUNC", "BYTES, INT64", "BYTES"),
    ("IPV4_FROM_INT64", "INT64", "BYTES"),
    ("IPV4_TO_INT64", "BYTES", "INT64"),
)

FUNCTIONS = tuple(
    Function(f"NET.{name}", (f"NET.{name}({taken}) -> {given}",), f"bq_{name.lower()}{{*}}")
    for name, taken, given in SIGNATURES
)
