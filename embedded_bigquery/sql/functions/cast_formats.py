"""CAST … FORMAT."""

from embedded_bigquery.errors import NotSupported
from embedded_bigquery.types import Type


def cast_by_format(text: str, source: Type | None, target: Type, form: str, *, safe: bool, zone: str | None) -> str:
    raise NotSupported("CAST with FORMAT")
