"""SCHEMATA, TABLES, COLUMNS, VIEWS and what else tells of datasets and tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from embedded_bigquery.catalog import Resource, fields_of, path_of
from embedded_bigquery.ddl_text import column_type, schema_ddl, schema_options, table_ddl, table_options
from embedded_bigquery.information_schema.views import (
    NULL,
    OPTION,
    POLICIES,
    TABLE,
    Row,
    View,
    Where,
    named,
    time,
    yes,
)
from embedded_bigquery.types import DATE, TIMESTAMP, Field, Type

TYPES = {"TABLE": "BASE TABLE", "MATERIALIZED_VIEW": "MATERIALIZED VIEW"}


def table_type(table: Resource) -> str:
    return "CLONE" if "cloneDefinition" in table else str(TYPES.get(table["type"], table["type"]))


def _schemata(where: Where) -> Iterator[Row]:
    for dataset in where.datasets():
        path = path_of(dataset)
        location = dataset.get("location") or where.catalog.location
        yield {
            "catalog_name": path.project,
            "schema_name": path.dataset,
            "creation_time": time(dataset.get("creationTime")),
            "last_modified_time": time(dataset.get("lastModifiedTime")),
            "location": location,
            "ddl": schema_ddl(dataset, location),
            "default_collation_name": NULL,
        }


def _schemata_options(where: Where) -> Iterator[Row]:
    for dataset in where.datasets():
        path = path_of(dataset)
        for option in named(schema_options(dataset)):
            yield {"catalog_name": path.project, "schema_name": path.dataset, **option}


def base_table(table: Resource) -> Row:
    """What a snapshot or clone was made of, and when."""
    kind = "clone" if "cloneDefinition" in table else "snapshot"
    definition = table.get(f"{kind}Definition")
    if definition is None:
        return {}
    base = definition["baseTableReference"]
    names = (base.get("projectId"), base["datasetId"], base["tableId"])
    keys = ("base_table_catalog", "base_table_schema", "base_table_name")
    return dict(zip(keys, names, strict=True)) | {"snapshot_time_ms": definition[f"{kind}Time"]}


def _tables(where: Where) -> Iterator[Row]:
    for names, table in where.tables():
        is_table = table["type"] == "TABLE"
        yield {
            **names,
            "table_type": table_type(table),
            "managed_table_type": "NATIVE" if is_table else None,
            "is_insertable_into": yes(is_table),
            "is_fine_grained_mutations_enabled": yes(table.get("enableFineGrainedMutations")),
            "is_typed": "NO",
            "is_change_history_enabled": yes(table.get("enableChangeHistory")),
            "creation_time": time(table.get("creationTime")),
            **base_table(table),
            "ddl": table_ddl(table),
            "default_collation_name": NULL,
        }


def _table_options(where: Where) -> Iterator[Row]:
    for names, table in where.tables():
        for option in named(table_options(table)):
            yield {**names, **option}


def _columns(where: Where) -> Iterator[Row]:
    for names, table in where.tables():
        partition = (table.get("timePartitioning") or table.get("rangePartitioning") or {}).get("field")
        cluster = [name.lower() for name in (table.get("clustering") or {}).get("fields", ())]
        for position, field in enumerate(fields_of(table), 1):
            key = field.name.lower()
            yield {
                **names,
                **_column(field),
                "ordinal_position": position,
                "is_hidden": "NO",
                "is_system_defined": "NO",
                "is_partitioning_column": yes(partition is not None and key == partition.lower()),
                "clustering_ordinal_position": cluster.index(key) + 1 if key in cluster else None,
            }
        for pseudo in _pseudo_columns(table):
            yield {
                **names,
                **_column(pseudo),
                "is_hidden": "YES",
                "is_system_defined": "YES",
                "is_partitioning_column": "YES",
            }


def _column(field: Field) -> Row:
    return {
        "column_name": field.name,
        "is_nullable": yes(not field.required and not field.type.is_array),
        "data_type": column_type(field),
        "is_generated": "NEVER",
        "collation_name": NULL,
        "column_default": field.default or NULL,
        "data_policies": [],
        "policy_tags": [],
        "is_identity": "NO",
    }


def _pseudo_columns(table: Resource) -> list[Field]:
    """Those of a table that is partitioned by the time of arrival."""
    partitioning = table.get("timePartitioning")
    if partitioning is None or "field" in partitioning:
        return []
    kinds: list[tuple[str, Type]] = [("_PARTITIONTIME", TIMESTAMP)]
    if partitioning.get("type", "DAY") == "DAY":
        kinds.append(("_PARTITIONDATE", DATE))
    return [Field(name, kind) for name, kind in kinds]


def _field_paths(where: Where) -> Iterator[Row]:
    for names, table in where.tables():
        for field in fields_of(table):
            for path, member in _paths(field):
                yield {
                    **names,
                    "column_name": field.name,
                    "field_path": path,
                    "data_type": column_type(member),
                    "description": member.description,
                    "collation_name": NULL,
                    "data_policies": [],
                    "policy_tags": [],
                }


def _paths(field: Field, prefix: str = "") -> Iterator[tuple[str, Field]]:
    path = f"{prefix}{field.name}"
    yield path, field
    inner = field.type.element if field.type.is_array else field.type
    for member in inner.fields if inner is not None else ():
        yield from _paths(member, f"{path}.")


def _views(where: Where) -> Iterator[Row]:
    for names, table in where.tables():
        if table["type"] == "VIEW":
            yield {**names, "view_definition": table["view"]["query"], "use_standard_sql": "YES"}


def _materialized_views(where: Where) -> Iterator[Row]:
    """They are worked out when they are read, so they are as fresh as can be."""
    for names, table in where.tables():
        if table["type"] == "MATERIALIZED_VIEW":
            yield {**names, "last_refresh_time": time(table.get("lastModifiedTime"))}


def _snapshots(where: Where) -> Iterator[Row]:
    for names, table in where.tables():
        if table["type"] == "SNAPSHOT":
            base: dict[str, Any] = base_table(table)
            yield {**names, **base, "snapshot_time": base["snapshot_time_ms"]}


VIEWS = {
    "SCHEMATA": View(
        "catalog_name STRING, schema_name STRING, schema_owner STRING, creation_time TIMESTAMP, "
        "last_modified_time TIMESTAMP, location STRING, ddl STRING, default_collation_name STRING, sync_status JSON",
        _schemata,
        "PROJECT",
    ),
    "SCHEMATA_OPTIONS": View(f"catalog_name STRING, schema_name STRING, {OPTION}", _schemata_options, "PROJECT"),
    "TABLES": View(
        f"{TABLE}, table_type STRING, managed_table_type STRING, is_insertable_into STRING, "
        "is_fine_grained_mutations_enabled STRING, is_typed STRING, is_change_history_enabled STRING, "
        "creation_time TIMESTAMP, base_table_catalog STRING, base_table_schema STRING, base_table_name STRING, "
        "snapshot_time_ms TIMESTAMP, replica_source_catalog STRING, replica_source_schema STRING, "
        "replica_source_name STRING, replication_status STRING, replication_error STRING, ddl STRING, "
        "default_collation_name STRING, sync_status JSON, upsert_stream_apply_watermark TIMESTAMP",
        _tables,
    ),
    "TABLE_OPTIONS": View(f"{TABLE}, {OPTION}", _table_options),
    "COLUMNS": View(
        f"{TABLE}, column_name STRING, ordinal_position INT64, is_nullable STRING, data_type STRING, "
        "is_generated STRING, generation_expression STRING, is_stored STRING, is_hidden STRING, is_updatable STRING, "
        "is_system_defined STRING, is_partitioning_column STRING, clustering_ordinal_position INT64, "
        f"collation_name STRING, column_default STRING, rounding_mode STRING, {POLICIES}, is_identity STRING, "
        "identity_generation STRING, identity_start INT64, identity_increment INT64, identity_maximum INT64, "
        "identity_minimum INT64, identity_cycle STRING",
        _columns,
    ),
    "COLUMN_FIELD_PATHS": View(
        f"{TABLE}, column_name STRING, field_path STRING, data_type STRING, description STRING, "
        f"collation_name STRING, rounding_mode STRING, {POLICIES}",
        _field_paths,
    ),
    "VIEWS": View(f"{TABLE}, view_definition STRING, check_option STRING, use_standard_sql STRING", _views),
    "MATERIALIZED_VIEWS": View(
        f"{TABLE}, last_refresh_time TIMESTAMP, refresh_watermark TIMESTAMP, "
        "last_refresh_status STRUCT<reason STRING, location STRING, debug_info STRING, message STRING>",
        _materialized_views,
    ),
    "TABLE_SNAPSHOTS": View(
        f"{TABLE}, base_table_catalog STRING, base_table_schema STRING, base_table_name STRING, "
        "snapshot_time TIMESTAMP",
        _snapshots,
    ),
}
