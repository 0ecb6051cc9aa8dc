"""Stored resources as the statements that would make them: INFORMATION_SCHEMA's `ddl`, types and option values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from embedded_bigquery.catalog import NAMED, Resource, fields_of, path_of, routine_of
from embedded_bigquery.sql.environment import RoutineArgument
from embedded_bigquery.sql.lexer import RESERVED
from embedded_bigquery.types import Field


def column_type(field: Field, *, is_complete: bool = False) -> str:
    """A column's type with its sizes: NUMERIC(10, 2), ARRAY<STRUCT<x STRING(5)>>.

    `is_complete`: as a definition has it, with what else its fields declare.
    """
    kind = field.type
    if kind.is_array and kind.element is not None:
        return f"ARRAY<{column_type(replace(field, type=kind.element), is_complete=is_complete)}>"
    if kind.is_struct:
        members = (
            f"{identifier(member.name)} {column_type(member, is_complete=is_complete)}"
            f"{_declared(member) if is_complete else ''}"
            for member in kind.fields
        )
        return f"STRUCT<{', '.join(members)}>"
    return kind.sql() + (f"({', '.join(map(str, field.parameters))})" if field.parameters else "")


def _declared(field: Field) -> str:
    """What stands behind a column's type."""
    text = " NOT NULL" if field.required else ""
    if field.default is not None:
        text += f" DEFAULT {field.default}"
    if field.description is not None:
        text += f" OPTIONS(description={string_literal(field.description)})"
    return text


def identifier(name: str) -> str:
    plain = re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) is not None and name.upper() not in RESERVED
    return name if plain else f"`{name}`"


def string_literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


ALLOWS = "allowNonIncrementalDefinition"
Option = tuple[str, str, str]  # name, type, value as GoogleSQL
DAY_MS = 86_400_000


def table_options(resource: Resource) -> list[Option]:
    """Those that are set, by name."""
    partitioning, view = resource.get("timePartitioning") or {}, resource.get("materializedView") or {}
    found = _described(resource)
    if resource.get("expirationTime") is not None:
        found.append(("expiration_timestamp", "TIMESTAMP", _timestamp(resource["expirationTime"])))
    if (resource.get("encryptionConfiguration") or {}).get("kmsKeyName"):
        found.append(("kms_key_name", "STRING", string_literal(resource["encryptionConfiguration"]["kmsKeyName"])))
    if resource.get("maxStaleness"):
        found.append(("max_staleness", "INTERVAL", f'INTERVAL "{resource["maxStaleness"]}" YEAR TO SECOND'))
    if partitioning.get("expirationMs"):
        found.append(("partition_expiration_days", "FLOAT64", _days(partitioning["expirationMs"])))
    for name, key in (("enable_refresh", "enableRefresh"), ("allow_non_incremental_definition", ALLOWS)):
        if key in view:
            found.append((name, "BOOL", str(view[key]).lower()))
    if "refreshIntervalMs" in view:
        minutes = int(view["refreshIntervalMs"]) / 60_000
        found.append(("refresh_interval_minutes", "FLOAT64", repr(minutes)))
    for name, key in (
        ("enable_change_history", "enableChangeHistory"),
        ("enable_fine_grained_mutations", "enableFineGrainedMutations"),
        ("require_partition_filter", "requirePartitionFilter"),
    ):
        if resource.get(key):
            found.append((name, "BOOL", "true"))
    return sorted(found)


def _described(resource: Resource) -> list[Option]:
    found: list[Option] = []
    if resource.get("description") is not None:
        found.append(("description", "STRING", string_literal(resource["description"])))
    if resource.get("friendlyName") is not None:
        found.append(("friendly_name", "STRING", string_literal(resource["friendlyName"])))
    if resource.get("labels"):
        pairs = ", ".join(
            f"STRUCT({string_literal(name)}, {string_literal(value)})" for name, value in resource["labels"].items()
        )
        found.append(("labels", "ARRAY<STRUCT<STRING, STRING>>", f"[{pairs}]"))
    return found


def schema_options(resource: Resource) -> list[Option]:
    """Those of a dataset that are set, by name."""
    found = _described(resource)
    for name, key in (
        ("default_partition_expiration_days", "defaultPartitionExpirationMs"),
        ("default_table_expiration_days", "defaultTableExpirationMs"),
    ):
        if resource.get(key) is not None:
            found.append((name, "FLOAT64", _days(resource[key])))
    if resource.get("maxTimeTravelHours") is not None:
        found.append(("max_time_travel_hours", "INT64", str(resource["maxTimeTravelHours"])))
    for name, value in (
        ("default_kms_key_name", (resource.get("defaultEncryptionConfiguration") or {}).get("kmsKeyName")),
        ("storage_billing_model", resource.get("storageBillingModel")),
    ):
        if value is not None:
            found.append((name, "STRING", string_literal(value)))
    return sorted(found)


def routine_options(resource: Resource) -> list[Option]:
    """Those of a routine that are set, by name."""
    found: list[Option] = []
    if resource.get("description") is not None:
        found.append(("description", "STRING", string_literal(resource["description"])))
    if resource.get("importedLibraries"):
        paths = ", ".join(map(string_literal, resource["importedLibraries"]))
        found.append(("library", "ARRAY<STRING>", f"[{paths}]"))
    if resource.get("strictMode") is False:
        found.append(("strict_mode", "BOOL", "false"))
    return found


def _days(milliseconds: str) -> str:
    return repr(int(milliseconds) / DAY_MS)


def _timestamp(milliseconds: str) -> str:
    moment = datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    return f'TIMESTAMP "{moment.replace(tzinfo=None).isoformat(timespec="milliseconds")}Z"'


def schema_ddl(resource: Resource, location: str) -> str:
    """CREATE SCHEMA, as INFORMATION_SCHEMA.SCHEMATA has it."""
    path = path_of(resource)
    options = sorted([*schema_options(resource), ("location", "STRING", string_literal(location.lower()))])
    return f"CREATE SCHEMA `{path.project}.{path.dataset}`{_options(options)};"


def _options(pairs: list[Option]) -> str:
    if not pairs:
        return ""
    return "\nOPTIONS(\n" + ",\n".join(f"  {name}={value}" for name, _, value in pairs) + "\n)"


def _column(field: Field) -> str:
    return f"  {identifier(field.name)} {column_type(field, is_complete=True)}{_declared(field)}"


def _name(resource: Resource) -> str:
    path = path_of(resource)
    return f"`{path.project}.{path.dataset}.{path.name}`"


def _partitioning(resource: Resource) -> str:
    time, numbers = resource.get("timePartitioning"), resource.get("rangePartitioning")
    if numbers is not None:
        bounds = numbers["range"]
        return (
            f"\nPARTITION BY RANGE_BUCKET({identifier(numbers['field'])}, "
            f"GENERATE_ARRAY({bounds['start']}, {bounds['end']}, {bounds['interval']}))"
        )
    if time is None:
        return ""
    name, granularity = time.get("field"), time.get("type", "DAY")
    if name is None:
        return "\nPARTITION BY " + (
            "_PARTITIONDATE" if granularity == "DAY" else f"TIMESTAMP_TRUNC(_PARTITIONTIME, {granularity})"
        )
    column = identifier(name)
    kind = next((field.type.kind for field in fields_of(resource) if field.name == name), "DATE")
    if granularity == "DAY":
        return f"\nPARTITION BY {column if kind == 'DATE' else f'DATE({column})'}"
    return f"\nPARTITION BY {kind}_TRUNC({column}, {granularity})"


def table_ddl(resource: Resource) -> str:
    """CREATE TABLE, CREATE SNAPSHOT TABLE or CREATE VIEW, as INFORMATION_SCHEMA.TABLES has it."""
    head, options, fields = _name(resource), _options(table_options(resource)), fields_of(resource)
    if resource["type"] in ("VIEW", "MATERIALIZED_VIEW"):
        query = (resource.get("view") or resource["materializedView"])["query"]
        word = resource["type"].replace("_", " ")
        has_list = resource.get(NAMED) or any(field.description is not None for field in fields)
        columns = f"\n(\n{_lines(_view_column(field) for field in fields)}\n)" if has_list else ""
        return f"CREATE {word} {head}{columns}{_layout(resource)}{options}\nAS {query};"
    if resource["type"] == "SNAPSHOT":
        base = resource["snapshotDefinition"]["baseTableReference"]
        name = f"`{base.get('projectId')}.{base['datasetId']}.{base['tableId']}`"
        return f"CREATE SNAPSHOT TABLE {head}\nCLONE {name}{options};"
    columns = _lines([*(_column(field) for field in fields), *(f"  {key}" for key in _keys(resource))])
    return f"CREATE TABLE {head}\n(\n{columns}\n){_layout(resource)}{options};"


def _lines(items: Iterable[str]) -> str:
    return ",\n".join(items)


def _layout(resource: Resource) -> str:
    cluster = (resource.get("clustering") or {}).get("fields", ())
    return _partitioning(resource) + (f"\nCLUSTER BY {', '.join(map(identifier, cluster))}" if cluster else "")


def _view_column(field: Field) -> str:
    return f"  {identifier(field.name)}{_declared(field)}"


def _keys(resource: Resource) -> Iterator[str]:
    keys = resource.get("tableConstraints") or {}
    if keys.get("primaryKey"):
        yield f"PRIMARY KEY ({', '.join(map(identifier, keys['primaryKey']['columns']))}) NOT ENFORCED"
    for key in keys.get("foreignKeys", ()):
        own, other = (
            ", ".join(identifier(pair[f"{side}Column"]) for pair in key["columnReferences"])
            for side in ("referencing", "referenced")
        )
        table = key["referencedTable"]
        name = f"`{table.get('projectId', path_of(resource).project)}.{table['datasetId']}.{table['tableId']}`"
        yield f"CONSTRAINT {identifier(key['name'])} FOREIGN KEY ({own}) REFERENCES {name}({other}) NOT ENFORCED"


def _argument(argument: RoutineArgument, kind: str) -> str:
    if argument.is_table:
        shown = "ANY TABLE"
        if argument.table_fields:
            shown = f"TABLE<{', '.join(f'{field.name} {field.type.sql()}' for field in argument.table_fields)}>"
    else:
        shown = argument.type.sql() if argument.type else "ANY TYPE"
    mode = f"{argument.mode} " if kind == "PROCEDURE" and argument.mode != "IN" else ""
    return f"{mode}{identifier(argument.name)} {shown}{'' if argument.is_aggregate else ' NOT AGGREGATE'}"


def routine_ddl(resource: Resource) -> str:
    """CREATE FUNCTION or CREATE PROCEDURE, as INFORMATION_SCHEMA.ROUTINES has it."""
    routine, options = routine_of(resource), _options(routine_options(resource))
    words = {"SCALAR_FUNCTION": "FUNCTION", "TABLE_VALUED_FUNCTION": "TABLE FUNCTION"}
    word = words.get(routine.kind, routine.kind.replace("_", " "))
    arguments = ", ".join(_argument(argument, routine.kind) for argument in routine.arguments)
    text = f"CREATE {word} {_name(resource)}({arguments})"
    if routine.kind == "PROCEDURE":
        return f"{text}{options}\n{routine.body};"
    if routine.return_fields:
        columns = ", ".join(f"{identifier(field.name)} {field.type.sql()}" for field in routine.return_fields)
        text += f" RETURNS TABLE<{columns}>"
    elif routine.returns is not None:
        text += f" RETURNS {routine.returns.sql()}"
    if routine.language != "SQL":
        determinism = {"DETERMINISTIC": " DETERMINISTIC", "NOT_DETERMINISTIC": " NOT DETERMINISTIC"}
        text += determinism.get(str(routine.options.get("determinismLevel")), "")
        body = routine.body
        quotes = '"""' if '"""' not in body else "'''"
        return f"{text} LANGUAGE js{options}\nAS r{quotes}{body}{quotes};"
    if routine.kind == "TABLE_VALUED_FUNCTION":
        return f"{text}{options}\nAS {routine.body};"
    return f"{text}\nAS (\n{routine.body}\n){options};"
