"""Stored resources as the statements that would make them: INFORMATION_SCHEMA's `ddl`, types and option values."""

from __future__ import annotations

import re
from typing import Any

from embedded_bigquery.catalog import Resource, fields_of, path_of, routine_of
from embedded_bigquery.sql.environment import RoutineArgument
from embedded_bigquery.sql.lexer import RESERVED
from embedded_bigquery.types import Field, Type


def column_type(field: Field) -> str:
    """A column's type with its sizes: NUMERIC(10, 2), ARRAY<STRING(5)>."""
    text = field.type.sql()
    if not field.parameters:
        return text
    sizes = f"({', '.join(map(str, field.parameters))})"
    return f"{text[:-1]}{sizes}>" if field.type.is_array else text + sizes


def identifier(name: str) -> str:
    plain = re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) is not None and name.upper() not in RESERVED
    return name if plain else f"`{name}`"


def string_literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def table_options(resource: Resource) -> list[tuple[str, str, str]]:
    """(name, type, value as GoogleSQL) of each option that is set."""
    found: list[tuple[str, str, str]] = []
    if resource.get("description") is not None:
        found.append(("description", "STRING", string_literal(resource["description"])))
    if resource.get("expirationTime") is not None:
        found.append(("expiration_timestamp", "TIMESTAMP", f"TIMESTAMP_MILLIS({resource['expirationTime']})"))
    if resource.get("friendlyName") is not None:
        found.append(("friendly_name", "STRING", string_literal(resource["friendlyName"])))
    if resource.get("labels"):
        pairs = ", ".join(
            f"STRUCT({string_literal(name)}, {string_literal(value)})" for name, value in resource["labels"].items()
        )
        found.append(("labels", "ARRAY<STRUCT<STRING, STRING>>", f"[{pairs}]"))
    partitioning = resource.get("timePartitioning") or {}
    if partitioning.get("expirationMs"):
        days = int(partitioning["expirationMs"]) / 86_400_000
        found.append(("partition_expiration_days", "FLOAT64", repr(days)))
    if resource.get("requirePartitionFilter"):
        found.append(("require_partition_filter", "BOOL", "true"))
    return found


def _options(pairs: list[tuple[str, str, str]]) -> str:
    if not pairs:
        return ""
    return "\nOPTIONS(\n" + ",\n".join(f"  {name}={value}" for name, _, value in pairs) + "\n)"


def _column(field: Field, with_type: bool = True) -> str:
    """A column, or a field of a record."""
    text = identifier(field.name) if field.name else ""
    if with_type:
        kind = _full_type(field.type)
        sizes = f"({', '.join(map(str, field.parameters))})" if field.parameters else ""
        text = f"{text} {f'{kind[:-1]}{sizes}>' if field.type.is_array else kind + sizes}".lstrip()
    if field.required:
        text += " NOT NULL"
    if field.default is not None:
        text += f" DEFAULT {field.default}"
    if field.description is not None:
        text += f" OPTIONS(description={string_literal(field.description)})"
    return text


def _full_type(type: Type) -> str:
    """A type with the sizes, modes and descriptions of the fields of its records."""
    if type.is_array and type.element is not None:
        return f"ARRAY<{_full_type(type.element)}>"
    return f"STRUCT<{', '.join(map(_column, type.fields))}>" if type.is_struct else type.sql()


def _keys(resource: Resource) -> list[str]:
    constraints = resource.get("tableConstraints") or {}
    found = []
    if constraints.get("primaryKey"):
        columns = ", ".join(map(identifier, constraints["primaryKey"]["columns"]))
        found.append(f"PRIMARY KEY ({columns}) NOT ENFORCED")
    for key in constraints.get("foreignKeys", ()):
        pairs = key["columnReferences"]
        own, others = (
            ", ".join(identifier(pair[side]) for pair in pairs) for side in ("referencingColumn", "referencedColumn")
        )
        table = ".".join(key["referencedTable"][part] for part in ("projectId", "datasetId", "tableId"))
        name = identifier(key["name"])
        found.append(f"CONSTRAINT {name} FOREIGN KEY ({own}) REFERENCES `{table}`({others}) NOT ENFORCED")
    return found


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
    """CREATE TABLE or CREATE VIEW, as INFORMATION_SCHEMA.TABLES has it."""
    head = _name(resource)
    if resource["type"] in ("VIEW", "MATERIALIZED_VIEW"):
        query = (resource.get("view") or resource["materializedView"])["query"]
        word = resource["type"].replace("_", " ")
        described = any(field.description is not None for field in fields_of(resource))
        # A view has no types of its own to declare.
        columns = ", ".join(_column(field, with_type=False) for field in fields_of(resource))
        listed = f"({columns})" if described else ""
        return f"CREATE {word} {head}{listed}{_options(table_options(resource))}\nAS {query};"
    columns = ",\n".join(f"  {line}" for line in [*map(_column, fields_of(resource)), *_keys(resource)])
    cluster = (resource.get("clustering") or {}).get("fields", ())
    text = f"CREATE TABLE {head}\n(\n{columns}\n){_partitioning(resource)}"
    if cluster:
        text += f"\nCLUSTER BY {', '.join(map(identifier, cluster))}"
    return f"{text}{_options(table_options(resource))};"


def _argument(argument: RoutineArgument, procedure: bool) -> str:
    if argument.is_table:
        kind = "ANY TABLE"
        if argument.table_fields:
            kind = f"TABLE<{', '.join(f'{field.name} {field.type.sql()}' for field in argument.table_fields)}>"
    else:
        kind = argument.type.sql() if argument.type else "ANY TYPE"
    mode = f"{argument.mode} " if procedure and argument.mode != "IN" else ""
    return f"{mode}{identifier(argument.name)} {kind}"


def routine_ddl(resource: Resource) -> str:
    """CREATE FUNCTION or CREATE PROCEDURE, as INFORMATION_SCHEMA.ROUTINES has it."""
    routine = routine_of(resource)
    words = {
        "SCALAR_FUNCTION": "FUNCTION",
        "AGGREGATE_FUNCTION": "AGGREGATE FUNCTION",
        "TABLE_VALUED_FUNCTION": "TABLE FUNCTION",
        "PROCEDURE": "PROCEDURE",
    }
    procedure = routine.kind == "PROCEDURE"
    arguments = ", ".join(_argument(argument, procedure) for argument in routine.arguments)
    text = f"CREATE {words[routine.kind]} {_name(resource)}({arguments})"
    if routine.returns is not None:
        text += f" RETURNS {routine.returns.sql()}"
    options = _options(_routine_options(resource))
    if procedure:
        return f"{text}{options}\n{routine.body};"
    if routine.language != "SQL":
        return f"{text} LANGUAGE js{options}\nAS r'''{routine.body}''';"
    if routine.kind != "TABLE_VALUED_FUNCTION":
        return f"{text}\nAS ({routine.body}){options};"
    if routine.return_fields:
        text += f" RETURNS TABLE<{', '.join(map(_column, routine.return_fields))}>"
    return f"{text}{options}\nAS {routine.body};"


def _routine_options(resource: Resource) -> list[tuple[str, str, str]]:
    found = []
    if resource.get("description") is not None:
        found.append(("description", "STRING", string_literal(resource["description"])))
    if resource.get("importedLibraries"):
        libraries = ", ".join(map(string_literal, resource["importedLibraries"]))
        found.append(("library", "ARRAY<STRING>", f"[{libraries}]"))
    if resource.get("strictMode") is False:
        found.append(("strict_mode", "BOOL", "false"))
    return found


def option_rows(resource: Resource) -> list[dict[str, Any]]:
    return [
        {"option_name": name, "option_type": kind, "option_value": value}
        for name, kind, value in table_options(resource)
    ]
