"""Hash functions: BYTES, of text its UTF-8, save FARM_FINGERPRINT, which gives a number.

Source: "Hash functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/hash_functions.
"""

from __future__ import annotations

from embedded_bigquery.sql.functions.registry import Function, Renderer


def _native(name: str) -> Renderer:
    return lambda call: f"{name}({call.text(0) if call.kind(0) == 'BYTES' else f'encode({call.text(0)})'})"


def _signatures(name: str, result: str) -> tuple[str, ...]:
    return tuple(f"{name}({kind}) -> {result}" for kind in ("STRING", "BYTES"))


FUNCTIONS = (
    # DuckDB's own give hexadecimal text.
    *(
        Function(name, _signatures(name, "BYTES"), f"unhex({name.lower()}({{0}}))")
        for name in ("MD5", "SHA1", "SHA256")
    ),
    Function("SHA512", _signatures("SHA512", "BYTES"), _native("bq_sha512")),
    Function("FARM_FINGERPRINT", _signatures("FARM_FINGERPRINT", "INT64"), _native("bq_fingerprint")),
)
