"""What BigQuery refuses of a dataset, a table, a routine or a job, whether a client or a statement asks for it.

Source: "Quotas and limits", "Labels", "Specifying a schema", "Introduction to partitioned tables" and "… clustered
tables", docs.cloud.google.com/bigquery/docs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from embedded_bigquery.catalog import Resource, fields_of, path_of
from embedded_bigquery.errors import InvalidValue, NotSupported
from embedded_bigquery.types import Field

DATASET_ID = re.compile(r"[A-Za-z0-9_]{1,1024}")
ROUTINE_ID = re.compile(r"[A-Za-z0-9_]{1,256}")
COLUMN_REFUSED = re.compile(r'[!"$()*,./;?@\[\\\]^`{}~\x00-\x08\x0a-\x1f]')
COLUMN_PREFIXES = ("_table_", "_file_", "_partition", "_row_timestamp", "__root__", "_colidentifier")
LEAST_TABLE_LIFETIME_MS = 3_600_000
MOST_LABELS, MOST_COLUMNS, MOST_DEPTH, MOST_PARTITIONS, MOST_CLUSTERS = 64, 10_000, 15, 10_000, 4
MOST_PRIMARY, MOST_FOREIGN = 16, 64
GRANULARITIES = ("DAY", "HOUR", "MONTH", "YEAR")
TIMES = ("DATE", "DATETIME", "TIMESTAMP")
CLUSTERABLE = (*TIMES, "BIGNUMERIC", "BOOL", "GEOGRAPHY", "INT64", "NUMERIC", "RANGE", "STRING")


def labels(resource: Mapping[str, object]) -> None:
    """Raises InvalidValue."""
    found = resource.get("labels") or {}
    if not isinstance(found, Mapping):
        raise InvalidValue("Invalid value for labels: an object is expected")
    if len(found) > MOST_LABELS:
        raise InvalidValue(f"Too many labels: {len(found)}; at most {MOST_LABELS} are allowed")
    for key, value in found.items():
        if not key or not key[0].isalpha() or not _is_label(key):
            raise InvalidValue(
                f'Label key "{key}" has invalid characters. It must start with a lowercase letter and have at most 63 '
                "lowercase letters, digits, underscores and dashes."
            )
        if not _is_label(str(value)):
            raise InvalidValue(
                f'Label value "{value}" has invalid characters. It may have at most 63 lowercase letters, digits, '
                "underscores and dashes."
            )


def _is_label(text: str) -> bool:
    return len(text) <= 63 and text == text.lower() and all(letter.isalnum() or letter in "_-" for letter in text)


def dataset(resource: Resource) -> None:
    """Raises InvalidValue."""
    name = path_of(resource).dataset
    if not DATASET_ID.fullmatch(name):
        raise InvalidValue(
            f'Invalid dataset ID "{name}". Dataset IDs must be alphanumeric (plus underscores) '
            "and must be at most 1024 characters long."
        )
    labels(resource)
    lifetime = resource.get("defaultTableExpirationMs")
    if lifetime is not None and int(lifetime) < LEAST_TABLE_LIFETIME_MS:
        raise InvalidValue(
            f"Invalid default table expiration: {lifetime} ms. The least is one hour, {LEAST_TABLE_LIFETIME_MS} ms."
        )


def routine_id(name: str) -> None:
    """Raises InvalidValue."""
    if not ROUTINE_ID.fullmatch(name):
        raise InvalidValue(
            f'Invalid routine ID "{name}". Routine IDs must be alphanumeric (plus underscores) '
            "and must be at most 256 characters long."
        )


# ---- tables


def table(resource: Resource) -> None:
    """Raises InvalidValue or NotSupported."""
    name, fields = path_of(resource).name, fields_of(resource)
    if not 0 < len(name.encode()) <= 1024 or not all(_in_table_id(letter) for letter in name):
        raise InvalidValue(f'Invalid table ID "{name}".')
    labels(resource)
    columns(fields)
    is_partitioned = _time_partitioning(resource, fields) | _range_partitioning(resource, fields)
    _clustering(resource, fields)
    _keys(resource, fields)
    if resource.get("requirePartitionFilter") and not is_partitioned:
        raise InvalidValue("require_partition_filter can be set for partitioned tables only")


def _in_table_id(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LMN" or unicodedata.category(letter) in ("Pc", "Pd", "Zs")


def columns(fields: Sequence[Field], path: str = "", depth: int = 1) -> None:
    """Raises InvalidValue or NotSupported for names and types that no table can have."""
    if len(fields) > MOST_COLUMNS:
        raise InvalidValue(f"Too many columns: {len(fields)}; at most {MOST_COLUMNS} are allowed")
    seen: set[str] = set()
    for field in fields:
        key, name = field.name.lower(), f"{path}{field.name}"
        if not 0 < len(field.name) <= 300 or COLUMN_REFUSED.search(field.name):
            raise InvalidValue(
                f'Invalid field name "{field.name}". Fields must contain the allowed characters, and be at most 300 '
                "characters long. For allowed characters, please refer to "
                "https://cloud.google.com/bigquery/docs/schemas#column_names"
            )
        if key.startswith(COLUMN_PREFIXES):
            raise InvalidValue(f'Invalid field name "{field.name}". Field names starting with it are reserved.')
        if key in seen:
            raise InvalidValue(f"Duplicate field name: {name}")
        seen.add(key)
        try:
            field.type.duckdb()
        except NotSupported as error:
            raise NotSupported(f"{error.bare_message.removeprefix('not supported: ')} of column {name}") from error
        inner = field.type.element if field.type.is_array else field.type
        assert inner is not None
        if inner.is_struct:
            if not inner.fields:
                raise InvalidValue(f"Field {name} is type RECORD but has no schema")
            if depth >= MOST_DEPTH:
                raise InvalidValue(f"Field {name} is nested more than {MOST_DEPTH} levels deep")
            columns(inner.fields, f"{name}.", depth + 1)


def _column(fields: Sequence[Field], name: str) -> Field | None:
    return next((field for field in fields if field.name.lower() == name.lower()), None)


def _time_partitioning(resource: Resource, fields: Sequence[Field]) -> bool:
    partitioning = resource.get("timePartitioning")
    if partitioning is None:
        return False
    granularity, name = partitioning.get("type"), partitioning.get("field")
    if granularity not in GRANULARITIES:
        raise InvalidValue(f"Invalid value for timePartitioning.type: {granularity} is not a valid value")
    if int(partitioning.get("expirationMs", 0)) < 0:
        raise InvalidValue("Invalid value for timePartitioning.expirationMs: it must not be negative")
    if name is None:
        return True
    column = _column(fields, name)
    if column is None:
        raise InvalidValue(f"The field specified for partitioning cannot be found in the schema: {name}")
    if column.type.kind not in TIMES:
        kind = column.api()["type"]
        raise InvalidValue(
            "The field specified for partitioning can only be of type TIMESTAMP, DATETIME or DATE. "
            f"The type found is: {kind}."
        )
    if column.type.kind == "DATE" and granularity == "HOUR":
        raise InvalidValue("The field specified for HOUR partitioning can only be of type TIMESTAMP or DATETIME.")
    return True


def _range_partitioning(resource: Resource, fields: Sequence[Field]) -> bool:
    partitioning = resource.get("rangePartitioning")
    if partitioning is None:
        return False
    if "timePartitioning" in resource:
        raise InvalidValue("Only one of timePartitioning and rangePartitioning can be specified")
    name = partitioning.get("field", "")
    column = _column(fields, name)
    if column is None:
        raise InvalidValue(f"The field specified for partitioning cannot be found in the schema: {name}")
    if column.type.kind != "INT64":
        kind = column.api()["type"]
        raise InvalidValue(
            f"The field specified for range partitioning can only be of type INTEGER. The type found is: {kind}."
        )
    start, end, interval = (int(partitioning.get("range", {}).get(key, 0)) for key in ("start", "end", "interval"))
    if interval <= 0 or start >= end:
        raise InvalidValue(f"Invalid range partitioning: start {start}, end {end}, interval {interval}")
    if -(-(end - start) // interval) > MOST_PARTITIONS:
        raise InvalidValue(f"Too many partitions: the range has more than {MOST_PARTITIONS}")
    return True


def _clustering(resource: Resource, fields: Sequence[Field]) -> None:
    if resource.get("clustering") is None:
        return
    names = resource["clustering"].get("fields") or ()
    if not 0 < len(names) <= MOST_CLUSTERS:
        raise InvalidValue(f"Clustering takes one to {MOST_CLUSTERS} fields, {len(names)} were given")
    for position, name in enumerate(names):
        column = _column(fields, name)
        if column is None:
            raise InvalidValue(f"The field specified for clustering cannot be found in the schema: {name}")
        if column.type.kind not in CLUSTERABLE:
            raise InvalidValue(f"Clustering by field {name} of type {column.type} is not allowed")
        if name.lower() in (other.lower() for other in names[:position]):
            raise InvalidValue(f"Duplicate clustering field: {name}")


def _keys(resource: Resource, fields: Sequence[Field]) -> None:
    keys = resource.get("tableConstraints") or {}
    primary, foreign = (keys.get("primaryKey") or {}).get("columns", ()), keys.get("foreignKeys", ())
    if len(primary) > MOST_PRIMARY or len(foreign) > MOST_FOREIGN:
        raise InvalidValue(
            f"A table may have {MOST_PRIMARY} columns in its primary key and {MOST_FOREIGN} foreign keys at most"
        )
    pairs = [pair for key in foreign for pair in key.get("columnReferences", ())]
    for name in (*primary, *(pair.get("referencingColumn", "") for pair in pairs)):
        column = _column(fields, name)
        if column is None:
            raise InvalidValue(f"Column {name} of a key does not exist in the table")
        if column.type.is_array or column.type.is_struct or column.type.kind in ("JSON", "GEOGRAPHY", "INTERVAL"):
            raise InvalidValue(f"Column {name} of type {column.type} cannot be part of a key")
