"""PARTITIONS, TABLE_STORAGE and __TABLES__: rows and bytes, counted when they are asked for."""

from __future__ import annotations

from embedded_bigquery.catalog import Resource, fields_of, path_of
from embedded_bigquery.decorators import identifier_sql
from embedded_bigquery.information_schema.tables import table_type
from embedded_bigquery.information_schema.views import TABLE, Row, View, Where, time
from embedded_bigquery.sizes import bytes_sql
from embedded_bigquery.sql.functions.duckdb_text import literal

STORED = ("TABLE", "SNAPSHOT")
TYPES = {"TABLE": 1, "VIEW": 2, "EXTERNAL": 3, "MATERIALIZED_VIEW": 4, "SNAPSHOT": 5}


def _names(names: Row) -> str:
    return ", ".join(literal(names[key]) for key in ("table_catalog", "table_schema", "table_name"))


def _bytes(table: Resource) -> str:
    return f"CAST({bytes_sql(fields_of(table))} AS BIGINT)"


def _timestamp(milliseconds: str | None) -> str:
    return f"CAST({literal(time(milliseconds) or '')} AS TIMESTAMPTZ)"


def _union(parts: list[str], view: View) -> str:
    """The parts' rows under the view's columns."""
    fields = view.fields()
    nothing = f"SELECT {', '.join('NULL' for _ in fields)} WHERE false"
    names = ", ".join(field.name for field in fields)
    typed = ", ".join(f"CAST({field.name} AS {field.type.duckdb()}) AS {field.name}" for field in fields)
    return f"(SELECT {typed} FROM ({' UNION ALL '.join(parts) or nothing}) AS v({names}))"


def _partitions(where: Where) -> str:
    parts = []
    for names, table in where.tables():
        if table["type"] not in STORED:
            continue
        partition = identifier_sql(table)
        identifier, grouped = partition or "CAST(NULL AS VARCHAR)", "" if partition is None else " GROUP BY 4"
        size, changed = _bytes(table), _timestamp(where.catalog.modified_ms(table))
        parts.append(
            f"SELECT {_names(names)}, {identifier}, count(*), {size}, {size}, {changed}, 'ACTIVE' "
            f"FROM {where.catalog.duckdb_name(path_of(table))}{grouped}"
        )
    return _union(parts, PARTITIONS)


def _table_storage(where: Where) -> str:
    """What is stored where, and how often, is DuckDB's affair: the physical bytes are not told."""
    parts = []
    for names, table in where.tables():
        if table["type"] not in STORED:
            continue
        partition, size = identifier_sql(table), _bytes(table)
        partitions = "0" if partition is None else f"count(DISTINCT {partition})"
        created, changed = _timestamp(table.get("creationTime")), _timestamp(where.catalog.modified_ms(table))
        parts.append(
            f"SELECT {literal(names['table_catalog'])}, NULL, {_names(names)}, {created}, count(*), {partitions}, "
            f"{size}, {size}, 0, NULL, NULL, NULL, NULL, NULL, {changed}, false, {literal(table_type(table))}, "
            f"'NATIVE', NULL, NULL, NULL, NULL FROM {where.catalog.duckdb_name(path_of(table))}"
        )
    return _union(parts, TABLE_STORAGE)


def _legacy_tables(where: Where) -> str:
    parts = []
    for names, table in where.tables():
        counted = f"SELECT count(*), {_bytes(table)} FROM {where.catalog.duckdb_name(path_of(table))}"
        times = f"{table['creationTime']}, {where.catalog.modified_ms(table)}"
        counts = f"({counted if table['type'] in STORED else 'SELECT 0, 0'}) AS c(rows, bytes)"
        parts.append(f"SELECT {_names(names)}, {times}, rows, bytes, {TYPES.get(table['type'], 1)} FROM {counts}")
    return _union(parts, LEGACY)


PARTITIONS = View(
    f"{TABLE}, partition_id STRING, total_rows INT64, total_logical_bytes INT64, total_billable_bytes INT64, "
    "last_modified_time TIMESTAMP, storage_tier STRING",
    _partitions,
    "DATASET",
)
TABLE_STORAGE = View(
    f"project_id STRING, project_number INT64, {TABLE}, creation_time TIMESTAMP, total_rows INT64, "
    "total_partitions INT64, total_logical_bytes INT64, active_logical_bytes INT64, long_term_logical_bytes INT64, "
    "current_physical_bytes INT64, total_physical_bytes INT64, active_physical_bytes INT64, "
    "long_term_physical_bytes INT64, time_travel_physical_bytes INT64, storage_last_modified_time TIMESTAMP, "
    "deleted BOOL, table_type STRING, managed_table_type STRING, fail_safe_physical_bytes INT64, "
    "last_metadata_index_refresh_time TIMESTAMP, table_deletion_reason STRING, table_deletion_time TIMESTAMP",
    _table_storage,
    "PROJECT",
)
LEGACY = View(
    "project_id STRING, dataset_id STRING, table_id STRING, creation_time INT64, last_modified_time INT64, "
    "row_count INT64, size_bytes INT64, type INT64",
    _legacy_tables,
    "DATASET",
)
VIEWS = {
    "PARTITIONS": PARTITIONS,
    "TABLE_STORAGE": TABLE_STORAGE,
    "TABLE_STORAGE_BY_PROJECT": TABLE_STORAGE,
    "__TABLES__": LEGACY,
}
