"""Errors that a statement raises where DuckDB's own error() may not stand."""

from __future__ import annotations

from typing import NoReturn

from embedded_bigquery.natives.native import Native


def fail(message: str) -> NoReturn:
    raise ValueError(message)


NATIVES = (Native("bq_fail", fail, ("VARCHAR",), '"NULL"'),)
