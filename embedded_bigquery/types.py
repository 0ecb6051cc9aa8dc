"""BigQuery's types, and what each one is called in DuckDB and in the REST API.

A `Type` is a value: two types are equal when BigQuery would call them the same type.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from embedded_bigquery.errors import NotSupported

SCALARS = (
    "INT64",
    "FLOAT64",
    "NUMERIC",
    "BIGNUMERIC",
    "BOOL",
    "STRING",
    "BYTES",
    "DATE",
    "DATETIME",
    "TIME",
    "TIMESTAMP",
    "INTERVAL",
    "JSON",
    "GEOGRAPHY",
)

# Every spelling that GoogleSQL accepts for a scalar type, and the canonical one.
ALIASES = {
    **{name: name for name in SCALARS},
    **dict.fromkeys(("INT", "SMALLINT", "INTEGER", "BIGINT", "TINYINT", "BYTEINT"), "INT64"),
    "FLOAT": "FLOAT64",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
    "BOOLEAN": "BOOL",
}

# The REST API keeps the names of legacy SQL for three types (page "StandardSqlDataType" aside).
API_NAMES = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD"}

DUCKDB_NAMES = {
    "INT64": "BIGINT",
    "FLOAT64": "DOUBLE",
    "NUMERIC": "DECIMAL(38, 9)",
    # DuckDB's widest decimal has 38 digits in all, BIGNUMERIC 38 on either side: kept as a whole number, times 10^38.
    "BIGNUMERIC": "BIGNUM",
    "BOOL": "BOOLEAN",
    "STRING": "VARCHAR",
    "BYTES": "BLOB",
    "DATE": "DATE",
    "DATETIME": "TIMESTAMP",
    "TIME": "TIME",
    "TIMESTAMP": "TIMESTAMPTZ",
    "INTERVAL": "INTERVAL",
    "JSON": "JSON",
}


@dataclass(frozen=True, slots=True)
class Type:
    """One BigQuery type: `kind` is a name of SCALARS, or ARRAY, STRUCT or RANGE."""

    kind: str
    element: Type | None = None
    fields: tuple[Field, ...] = ()

    @property
    def is_array(self) -> bool:
        return self.kind == "ARRAY"

    @property
    def is_struct(self) -> bool:
        return self.kind == "STRUCT"

    @property
    def is_numeric(self) -> bool:
        return self.kind in ("INT64", "FLOAT64", "NUMERIC", "BIGNUMERIC")

    def duckdb(self) -> str:
        """The DuckDB type that stores this one."""
        if self.element is not None and self.kind == "ARRAY":
            return f"{self.element.duckdb()}[]"
        if self.element is not None:
            name = self.element.duckdb()
            return f'STRUCT("start" {name}, "end" {name})'
        if self.kind == "STRUCT":
            # DuckDB wants unique, non-empty field names; BigQuery allows anonymous ones.
            inner = ", ".join(f"{quoted(name)} {field.type.duckdb()}" for name, field in self.storage_fields())
            return f"STRUCT({inner})"
        if self.kind not in DUCKDB_NAMES:
            raise NotSupported(f"type {self.kind}")
        return DUCKDB_NAMES[self.kind]

    def storage_fields(self) -> Iterator[tuple[str, Field]]:
        """A STRUCT's fields under the unique names that DuckDB stores them by."""
        seen: set[str] = set()
        for position, field in enumerate(self.fields):
            name = field.name or f"_field_{position + 1}"
            if name.lower() in seen:
                name = f"_field_{position + 1}"
            seen.add(name.lower())
            yield name, field

    def sql(self) -> str:
        """GoogleSQL's spelling, as error messages and INFORMATION_SCHEMA show it."""
        if self.element is not None:
            return f"{self.kind}<{self.element.sql()}>"
        if self.kind == "STRUCT":
            inner = ", ".join(f"{f.name} {f.type.sql()}" if f.name else f.type.sql() for f in self.fields)
            return f"STRUCT<{inner}>"
        return self.kind

    def __str__(self) -> str:
        return self.sql()


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a table or result, or a field of a STRUCT.

    An ARRAY column has `type.kind == "ARRAY"`; the API's REPEATED mode is derived from it.
    `parameters` holds the declared size of a column, such as (10, 2) for NUMERIC(10, 2) or
    (5,) for STRING(5): it constrains what is stored and is no part of the type of an expression.
    """

    name: str
    type: Type
    required: bool = False
    description: str | None = None
    parameters: tuple[int, ...] = ()
    default: str | None = None  # DEFAULT expression, in GoogleSQL

    def api(self) -> dict[str, Any]:
        """The API's TableFieldSchema."""
        inner = self.type.element if self.type.is_array else self.type
        assert inner is not None
        mode = "REPEATED" if self.type.is_array else "REQUIRED" if self.required else "NULLABLE"
        resource: dict[str, Any] = {"name": self.name, "type": API_NAMES.get(inner.kind, inner.kind), "mode": mode}
        if inner.is_struct:
            resource["fields"] = [field.api() for field in inner.fields]
        if inner.kind == "RANGE" and inner.element is not None:
            resource["rangeElementType"] = {"type": inner.element.kind}
        if self.description is not None:
            resource["description"] = self.description
        if self.default is not None:
            resource["defaultValueExpression"] = self.default
        if self.parameters and inner.kind in ("NUMERIC", "BIGNUMERIC"):
            resource["precision"] = str(self.parameters[0])
            if len(self.parameters) > 1:
                resource["scale"] = str(self.parameters[1])
        elif self.parameters:
            resource["maxLength"] = str(self.parameters[0])
        return resource


def field_from_api(resource: dict[str, Any]) -> Field:
    """The inverse of `Field.api`; raises KeyError on a type that does not exist."""
    name = resource["type"].upper()
    if name in ("RECORD", "STRUCT"):
        inner = Type("STRUCT", fields=tuple(field_from_api(f) for f in resource.get("fields", ())))
    elif name == "RANGE":
        inner = Type("RANGE", element=Type(ALIASES[resource["rangeElementType"]["type"].upper()]))
    else:
        inner = Type(ALIASES[name])
    mode = (resource.get("mode") or "NULLABLE").upper()
    sizes = [resource[key] for key in ("precision", "scale", "maxLength") if resource.get(key) is not None]
    return Field(
        name=resource["name"],
        type=Type("ARRAY", element=inner) if mode == "REPEATED" else inner,
        required=mode == "REQUIRED",
        description=resource.get("description"),
        parameters=tuple(int(size) for size in sizes),
        default=resource.get("defaultValueExpression"),
    )


def standard(kind: Type) -> dict[str, Any]:
    """The API's StandardSqlDataType, as routines have it."""
    if kind.is_array and kind.element is not None:
        return {"typeKind": "ARRAY", "arrayElementType": standard(kind.element)}
    if kind.element is not None:
        return {"typeKind": "RANGE", "rangeElementType": standard(kind.element)}
    if kind.is_struct:
        return {"typeKind": "STRUCT", "structType": {"fields": [standard_field(field) for field in kind.fields]}}
    return {"typeKind": kind.kind}


def standard_field(field: Field) -> dict[str, Any]:
    """The API's StandardSqlField."""
    return {"name": field.name, "type": standard(field.type)}


def type_from_standard(resource: dict[str, Any]) -> Type:
    """The inverse of `standard`; raises KeyError on a type that does not exist."""
    name = resource["typeKind"].upper()
    if name == "ARRAY":
        return array_of(type_from_standard(resource["arrayElementType"]))
    if name == "RANGE":
        return Type("RANGE", element=type_from_standard(resource["rangeElementType"]))
    if name == "STRUCT":
        fields = resource.get("structType", {}).get("fields", ())
        return Type("STRUCT", fields=tuple(Field(f.get("name", ""), type_from_standard(f["type"])) for f in fields))
    return Type(ALIASES[name])


def array_of(element: Type) -> Type:
    return Type("ARRAY", element=element)


def struct_of(*fields: tuple[str, Type]) -> Type:
    return Type("STRUCT", fields=tuple(Field(name, kind) for name, kind in fields))


def quoted(name: str) -> str:
    """A DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


INT64, FLOAT64, NUMERIC, BIGNUMERIC, BOOL, STRING, BYTES, DATE, DATETIME, TIME, TIMESTAMP, INTERVAL, JSON, GEOGRAPHY = (
    Type(name) for name in SCALARS
)
