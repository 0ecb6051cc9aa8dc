"""The shape of what clients send: a body is fitted to it once, so that what reads it can rely on its types.

Keys that a shape does not name are let through as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from embedded_bigquery.errors import InvalidValue

Shape = Callable[[Any, str], Any]


def _wrong(value: Any, path: str) -> InvalidValue:
    shown = value if isinstance(value, str | int | float) else type(value).__name__
    return InvalidValue(f"Invalid value for {path}: {shown} is not a valid value")


def text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise _wrong(value, path)
    return value


def number(value: Any, path: str) -> str:
    """A 64-bit integer, which the API writes as text."""
    found = str(value)
    if isinstance(value, bool) or not found.removeprefix("-").isdecimal() or not -(2**63) <= int(found) < 2**63:
        raise _wrong(value, path)
    return str(int(found))


def natural(value: Any, path: str) -> str:
    """A number from 0 up."""
    found = number(value, path)
    if found.startswith("-"):
        raise _wrong(value, path)
    return found


def flag(value: Any, path: str) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise _wrong(value, path)


def one_of(*words: str) -> Shape:
    def shape(value: Any, path: str) -> str:
        found = text(value, path).upper()  # some clients write "named"
        if found not in words:
            raise _wrong(value, path)
        return found

    return shape


def each(item: Shape) -> Shape:
    def shape(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise _wrong(value, path)
        return [item(inner, f"{path}[{position}]") for position, inner in enumerate(value)]

    return shape


def texts(value: Any, path: str) -> dict[str, Any]:
    """Text by any key; null stays, since it takes a key away."""
    return {
        key: None if inner is None else text(inner, f"{path}.{key}") for key, inner in anything(value, path).items()
    }


def anything(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(value, path)
    return value


def record(keys: Mapping[str, Shape], required: tuple[str, ...] = ()) -> Shape:
    def shape(value: Any, path: str) -> dict[str, Any]:
        found = dict(anything(value, path))
        for key, inner in keys.items():
            if found.get(key) is not None:
                found[key] = inner(found[key], f"{path}.{key}" if path else key)
        missing = next((key for key in required if found.get(key) in (None, "")), None)
        if missing is not None:
            raise InvalidValue(f"Required parameter is missing: {missing}")
        return found

    return shape


def _field(value: Any, path: str) -> Any:
    return FIELD(value, path)


def _parameter_type(value: Any, path: str) -> Any:
    return PARAMETER_TYPE(value, path)


FIELD = record(
    {
        "name": text,
        "type": text,
        "mode": one_of("NULLABLE", "REQUIRED", "REPEATED"),
        "description": text,
        "defaultValueExpression": text,
        "precision": natural,
        "scale": natural,
        "maxLength": natural,
        "fields": each(_field),
        "rangeElementType": record({"type": text}, ("type",)),
    },
    ("name", "type"),
)
SCHEMA = record({"fields": each(FIELD)})
TABLE_REFERENCE = record({"projectId": text, "datasetId": text, "tableId": text}, ("datasetId", "tableId"))
LAYOUT: dict[str, Shape] = {
    "timePartitioning": record(
        {"type": text, "field": text, "expirationMs": number, "requirePartitionFilter": flag}, ("type",)
    ),
    "rangePartitioning": record(
        {"field": text, "range": record({"start": number, "end": number, "interval": number})}, ("field", "range")
    ),
    "clustering": record({"fields": each(text)}),
}
DATASET = record(
    {
        "datasetReference": record({"projectId": text, "datasetId": text}),
        "labels": texts,
        "friendlyName": text,
        "description": text,
        "location": text,
        "defaultTableExpirationMs": natural,
        "defaultPartitionExpirationMs": natural,
        "maxTimeTravelHours": natural,
        "access": each(anything),
    }
)
VIEW = record({"query": text, "useLegacySql": flag, "userDefinedFunctionResources": each(anything)}, ("query",))
FOREIGN_KEY = record(
    {
        "name": text,
        "referencedTable": TABLE_REFERENCE,
        "columnReferences": each(
            record({"referencingColumn": text, "referencedColumn": text}, ("referencingColumn", "referencedColumn"))
        ),
    },
    ("referencedTable", "columnReferences"),
)
TABLE = record(
    {
        "tableReference": record({"projectId": text, "datasetId": text, "tableId": text}),
        "schema": SCHEMA,
        "labels": texts,
        "friendlyName": text,
        "description": text,
        "expirationTime": natural,
        "requirePartitionFilter": flag,
        "view": VIEW,
        "materializedView": record({"query": text}, ("query",)),
        "tableConstraints": record(
            {"primaryKey": record({"columns": each(text)}, ("columns",)), "foreignKeys": each(FOREIGN_KEY)}
        ),
        **LAYOUT,
    }
)
STANDARD_TYPE = record({"typeKind": text}, ("typeKind",))
ROUTINE = record(
    {
        "routineReference": record({"projectId": text, "datasetId": text, "routineId": text}),
        "routineType": one_of("SCALAR_FUNCTION", "AGGREGATE_FUNCTION", "TABLE_VALUED_FUNCTION", "PROCEDURE"),
        "language": one_of("SQL", "JAVASCRIPT", "PYTHON", "JAVA", "SCALA"),
        "definitionBody": text,
        "description": text,
        "strictMode": flag,
        "determinismLevel": one_of("DETERMINISM_LEVEL_UNSPECIFIED", "DETERMINISTIC", "NOT_DETERMINISTIC"),
        "importedLibraries": each(text),
        "returnType": STANDARD_TYPE,
        "returnTableType": record({"columns": each(record({"name": text, "type": STANDARD_TYPE}, ("name", "type")))}),
        "arguments": each(
            record(
                {
                    "name": text,
                    "argumentKind": one_of("ARGUMENT_KIND_UNSPECIFIED", "FIXED_TYPE", "ANY_TYPE", "ANY_TABLE"),
                    "mode": one_of("MODE_UNSPECIFIED", "IN", "OUT", "INOUT"),
                    "dataType": STANDARD_TYPE,
                    "isAggregate": flag,
                }
            )
        ),
    },
    ("routineType", "definitionBody"),
)
PARAMETER_TYPE = record(
    {
        "type": text,
        "arrayType": _parameter_type,
        "rangeElementType": _parameter_type,
        "structTypes": each(record({"name": text, "type": _parameter_type}, ("type",))),
    },
    ("type",),
)
CREATES = one_of("CREATE_IF_NEEDED", "CREATE_NEVER")
WRITES = one_of("WRITE_TRUNCATE", "WRITE_TRUNCATE_DATA", "WRITE_APPEND", "WRITE_EMPTY")
TARGET: dict[str, Shape] = {
    "destinationTable": TABLE_REFERENCE,
    "createDisposition": CREATES,
    "writeDisposition": WRITES,
    "schemaUpdateOptions": each(one_of("ALLOW_FIELD_ADDITION", "ALLOW_FIELD_RELAXATION")),
    **LAYOUT,
}
QUERY_KEYS: dict[str, Shape] = {
    "query": text,
    "defaultDataset": record({"projectId": text, "datasetId": text}, ("datasetId",)),
    "priority": one_of("INTERACTIVE", "BATCH"),
    "useLegacySql": flag,
    "useQueryCache": flag,
    "createSession": flag,
    "maximumBytesBilled": natural,
    "parameterMode": one_of("NAMED", "POSITIONAL"),
    "queryParameters": each(
        record(
            {"name": text, "parameterType": PARAMETER_TYPE, "parameterValue": anything},
            ("parameterType",),
        )
    ),
    "connectionProperties": each(record({"key": text, "value": text}, ("key",))),
    "tableDefinitions": anything,
    "userDefinedFunctionResources": each(anything),
    **TARGET,
}
QUERY = record(QUERY_KEYS, ("query",))
OF_JOB: dict[str, Shape] = {"dryRun": flag, "jobTimeoutMs": natural, "labels": texts}
QUERY_REQUEST = record(
    {
        **QUERY_KEYS,
        **OF_JOB,
        "maxResults": natural,
        "timeoutMs": natural,
        "requestId": text,
        "formatOptions": anything,
    },
    ("query",),
)
LOAD = record(
    {
        "sourceUris": each(text),
        "schema": SCHEMA,
        "fieldDelimiter": text,
        "skipLeadingRows": natural,
        "encoding": text,
        "quote": text,
        "nullMarker": text,
        "nullMarkers": each(text),
        "maxBadRecords": natural,
        "allowQuotedNewlines": flag,
        "allowJaggedRows": flag,
        "sourceFormat": text,
        "ignoreUnknownValues": flag,
        "autodetect": flag,
        "projectionFields": each(text),
        "destinationTableProperties": record({"friendlyName": text, "description": text, "labels": texts}),
        **TARGET,
    },
    ("destinationTable",),
)
COPY = record(
    {
        "sourceTable": TABLE_REFERENCE,
        "sourceTables": each(TABLE_REFERENCE),
        "destinationTable": TABLE_REFERENCE,
        "createDisposition": CREATES,
        "writeDisposition": WRITES,
        "operationType": one_of("OPERATION_TYPE_UNSPECIFIED", "COPY", "SNAPSHOT", "RESTORE", "CLONE"),
        "destinationExpirationTime": text,
    },
    ("destinationTable",),
)
EXTRACT = record(
    {
        "sourceTable": TABLE_REFERENCE,
        "sourceModel": anything,
        "destinationUri": text,
        "destinationUris": each(text),
        "destinationFormat": text,
        "compression": text,
        "fieldDelimiter": text,
        "printHeader": flag,
        "useAvroLogicalTypes": flag,
    }
)
CONFIGURATION = record(
    {
        "query": QUERY,
        "load": LOAD,
        "copy": COPY,
        "extract": EXTRACT,
        **OF_JOB,
    }
)
JOB = record(
    {
        "jobReference": record({"projectId": text, "jobId": text, "location": text}),
        "configuration": CONFIGURATION,
    },
    ("configuration",),
)
INSERT_ALL = record(
    {
        "rows": each(record({"insertId": text})),
        "skipInvalidRows": flag,
        "ignoreUnknownValues": flag,
        "templateSuffix": text,
    }
)
