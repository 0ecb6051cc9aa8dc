"""Partitions whose time has come.

Source: "Set the partition expiration", docs.cloud.google.com/bigquery/docs/managing-partitioned-tables.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from embedded_bigquery.duck import Connection, execute, fetch
from embedded_bigquery.locks import TableLocks
from embedded_bigquery.sql.environment import TablePath
from embedded_bigquery.types import quoted


class Lifetimes:
    """Safe to use from many threads. Times are in milliseconds since 1970."""

    def __init__(self, locks: TableLocks) -> None:
        self._locks = locks
        self._due: dict[TablePath, tuple[int, float]] = {}  # when a partition goes next, by version of the table

    def is_due(self, path: TablePath) -> bool:
        version, due = self._due.get(path, (0, 0.0))
        return time.time_ns() // 1_000_000 >= due or self._locks.version(str(path)) != version

    def drop_expired(self, connection: Connection, path: TablePath, name: str, resource: Mapping[str, Any]) -> None:
        """Deletes the rows of expired partitions from the table, `name` in DuckDB."""
        version = self._locks.version(str(path))
        partitioning, now = resource["timePartitioning"], time.time_ns() // 1_000_000
        lifetime = int(partitioning["expirationMs"])
        column = partitioning.get("field")
        kinds = {item["name"]: item["type"] for item in resource["schema"]["fields"]}
        value = quoted(column or "_PARTITIONTIME")
        if column is not None and kinds.get(column) != "TIMESTAMP":
            value = f"CAST({value} AS TIMESTAMP)"
        start = f"epoch_ms(date_trunc('{partitioning.get('type', 'DAY').lower()}', {value}))"
        execute(connection, f"DELETE FROM {name} WHERE {start} + {lifetime} <= {now}")
        [(first,)] = fetch(execute(connection, f"SELECT min({start}) FROM {name}"))
        self._due[path] = version, math.inf if first is None else first + lifetime


def is_limited(resource: Mapping[str, Any]) -> bool:
    """Whether the table's partitions expire."""
    return bool(int((resource.get("timePartitioning") or {}).get("expirationMs") or 0))
