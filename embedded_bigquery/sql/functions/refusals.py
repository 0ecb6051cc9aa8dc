"""Functions of BigQuery's that this engine cannot do and refuses by name."""

from __future__ import annotations

from embedded_bigquery.sql.functions.registry import refused

NAMES = [
    "SOUNDEX",
    "TO_BASE32",
    "FROM_BASE32",
    "SHA512",
    "FARM_FINGERPRINT",
    "APPROX_TOP_SUM",
    "RANGE_SESSIONIZE",
    "SEARCH",
    "VECTOR_SEARCH",
    "HLL_COUNT.INIT",
    "HLL_COUNT.MERGE",
    "HLL_COUNT.MERGE_PARTIAL",
    "HLL_COUNT.EXTRACT",
    "KLL_QUANTILES.INIT_INT64",
    "NET.HOST",
    "NET.REG_DOMAIN",
    "NET.PUBLIC_SUFFIX",
    "NET.IP_FROM_STRING",
    "NET.SAFE_IP_FROM_STRING",
    "NET.IP_TO_STRING",
    "NET.IP_NET_MASK",
    "NET.IP_TRUNC",
    "NET.IPV4_FROM_INT64",
    "NET.IPV4_TO_INT64",
    "KEYS.NEW_KEYSET",
    "KEYS.KEYSET_LENGTH",
    "AEAD.ENCRYPT",
    "AEAD.DECRYPT_STRING",
    "AEAD.DECRYPT_BYTES",
    "COLLATE",
    "ML.PREDICT",
    "ML.EVALUATE",
]

FUNCTIONS = tuple(refused(name) for name in NAMES)
