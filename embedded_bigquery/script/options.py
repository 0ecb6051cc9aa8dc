"""OPTIONS of tables, views, datasets and routines, as their resources have them.

Source: the option lists of "Data definition language (DDL) statements in GoogleSQL".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from embedded_bigquery.catalog import Resource
from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql.definitions import Create
from embedded_bigquery.values import interval_text

DAY_MS = 86_400_000
TYPES: dict[str, tuple[type, ...]] = {
    "STRING": (str,),
    "BOOL": (bool,),
    "INT64": (int,),
    "FLOAT64": (int, float),
    "TIMESTAMP": (datetime,),
    "INTERVAL": (tuple,),
    "ARRAY<STRUCT<STRING, STRING>>": (list,),
}
LABELS = "ARRAY<STRUCT<STRING, STRING>>"
COMMON = {"description": "STRING", "friendly_name": "STRING", "labels": LABELS, "tags": LABELS}
OF_TABLE = {"expiration_timestamp": "TIMESTAMP", **COMMON}
# The options of each kind, and their types.
OPTIONS: dict[str, dict[str, str]] = {
    "TABLE": {
        **OF_TABLE,
        "partition_expiration_days": "FLOAT64",
        "require_partition_filter": "BOOL",
        "kms_key_name": "STRING",
        "default_rounding_mode": "STRING",
        "enable_change_history": "BOOL",
        "enable_fine_grained_mutations": "BOOL",
        "max_staleness": "INTERVAL",
    },
    "VIEW": OF_TABLE,
    "MATERIALIZED VIEW": {
        **OF_TABLE,
        "enable_refresh": "BOOL",
        "refresh_interval_minutes": "FLOAT64",
        "max_staleness": "INTERVAL",
        "allow_non_incremental_definition": "BOOL",
        "kms_key_name": "STRING",
    },
    "SNAPSHOT TABLE": OF_TABLE,
    "SCHEMA": {
        **COMMON,
        "default_kms_key_name": "STRING",
        "default_partition_expiration_days": "FLOAT64",
        "default_rounding_mode": "STRING",
        "default_table_expiration_days": "FLOAT64",
        "is_case_insensitive": "BOOL",
        "location": "STRING",
        "max_time_travel_hours": "INT64",
        "storage_billing_model": "STRING",
    },
}
# Where the resource has an option; inside of another object when there is a dot.
KEYS = {
    "friendly_name": "friendlyName",
    "expiration_timestamp": "expirationTime",
    "require_partition_filter": "requirePartitionFilter",
    "kms_key_name": "encryptionConfiguration.kmsKeyName",
    "default_kms_key_name": "defaultEncryptionConfiguration.kmsKeyName",
    "default_rounding_mode": "defaultRoundingMode",
    "enable_change_history": "enableChangeHistory",
    "enable_fine_grained_mutations": "enableFineGrainedMutations",
    "max_staleness": "maxStaleness",
    "enable_refresh": "materializedView.enableRefresh",
    "refresh_interval_minutes": "materializedView.refreshIntervalMs",
    "allow_non_incremental_definition": "materializedView.allowNonIncrementalDefinition",
    "partition_expiration_days": "timePartitioning.expirationMs",
    "default_partition_expiration_days": "defaultPartitionExpirationMs",
    "default_table_expiration_days": "defaultTableExpirationMs",
    "max_time_travel_hours": "maxTimeTravelHours",
    "storage_billing_model": "storageBillingModel",
    "tags": "resourceTags",
}
REFUSED = {"is_case_insensitive": True, "default_rounding_mode": "ROUND_HALF_EVEN"}


def set_options(kind: str, options: Mapping[str, Any], resource: Resource) -> None:
    """Puts the options into the resource of this kind (see OPTIONS); None takes one away. Raises InvalidQuery."""
    known = OPTIONS[kind]
    for name, value in options.items():
        if name not in known:
            raise InvalidQuery(f"Unknown option: {name}")
        if value is not None and (not isinstance(value, TYPES[known[name]]) or _is_wrong_number(value, known[name])):
            raise InvalidQuery(f"The value of option {name} must be of type {known[name]}")
        if REFUSED.get(name, "") == value:
            raise NotSupported(f"option {name} = {value}")
        place, _, key = KEYS.get(name, name).rpartition(".")
        if place == "timePartitioning" and place not in resource:
            raise InvalidQuery(f"Option {name} needs a table that is partitioned by time")
        inner = resource.setdefault(place, {}) if place else resource
        inner[key] = None if value is None else _value(name, value)
        if inner[key] is None:
            del inner[key]


def _is_wrong_number(value: Any, kind: str) -> bool:
    return isinstance(value, bool) and kind != "BOOL"


def _value(name: str, value: Any) -> Any:
    if name in ("labels", "tags"):
        return {pair[0]: pair[1] for pair in value}
    if name.endswith("_days"):
        return str(int(float(value) * DAY_MS))
    if name == "refresh_interval_minutes":
        return str(int(float(value) * 60_000))
    if isinstance(value, datetime):
        return str(int(value.timestamp() * 1000))
    if isinstance(value, tuple):
        return interval_text(value)
    return str(value) if name == "max_time_travel_hours" else value


def routine_options(made: Create) -> dict[str, Any]:
    """OPTIONS as the routine's resource has them; raises InvalidQuery for one that does not exist."""
    known = {"description": "description", "library": "importedLibraries"}
    if made.kind == "PROCEDURE":
        known = {"description": "description", "strict_mode": "strictMode"}
    found = {} if made.determinism is None else {"determinismLevel": made.determinism}
    for name, value in made.options.items():
        if name not in known:
            raise InvalidQuery(f"Unknown option: {name}")
        if value is not None:
            found[known[name]] = value
    return found
