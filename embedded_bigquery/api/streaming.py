"""`tabledata.insertAll`: rows streamed into a table.

Source: "Use the legacy streaming API" and the reference of tabledata.insertAll, docs.cloud.google.com/bigquery/docs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embedded_bigquery import decorators, tables
from embedded_bigquery.api import shapes
from embedded_bigquery.api.call import Call, Routes, anew
from embedded_bigquery.catalog import Resource, fields_of, path_of
from embedded_bigquery.duck import execute
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import Duplicate, InvalidQuery, InvalidValue
from embedded_bigquery.inputs import from_json, scalar
from embedded_bigquery.locks import Change
from embedded_bigquery.sql.environment import TablePath
from embedded_bigquery.types import Field, Type, quoted
from embedded_bigquery.values import sized, to_duckdb

DEFAULT = object()  # what a column gets that a row does not have
# What the API says of a value that is none of the column's type.
PROBLEMS = {
    "INT64": "Cannot convert value to integer (bad value): {}",
    "FLOAT64": "Cannot convert value to floating point (bad value): {}",
    "BOOL": "Cannot convert value to boolean (bad value): {}",
    "NUMERIC": "Invalid NUMERIC value: {}",
    "BIGNUMERIC": "Invalid BIGNUMERIC value: {}",
    "DATE": "Invalid date: '{}'",
    "TIME": 'Invalid time string "{}"',
    "DATETIME": 'Invalid datetime string "{}"',
    "TIMESTAMP": "Could not parse '{}' as a timestamp. Required format is YYYY-MM-DD HH:MM[:SS[.SSSSSS]] "
    "or YYYY/MM/DD HH:MM[:SS[.SSSSSS]]",
}


class _Refused(Exception):
    """A row does not fit the table."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@anew
def insert_all(engine: Engine, call: Call) -> Resource:
    body = call.body(shapes.INSERT_ALL)
    path, partition = decorators.split(call.path)
    resource = tables.required_table(engine.catalog, path)
    if resource["type"] != "TABLE":
        raise InvalidValue(f"Cannot add rows to a table of type {resource['type']}.")
    if partition is not None:
        decorators.condition_sql(resource, partition)
    items = body.get("rows") or ()
    if not items:
        raise InvalidValue("No rows present in the request.")
    if body.get("templateSuffix"):
        resource = _from_template(engine, resource, body["templateSuffix"])
    fields, ignores_unknown = fields_of(resource), bool(body.get("ignoreUnknownValues"))
    good: dict[int, list[Any]] = {}
    errors: list[Resource] = []
    for index, item in enumerate(items):
        try:
            good[index] = _row(item.get("json", {}), fields, ignores_unknown)
        except _Refused as refused:
            errors.append({"index": index, "errors": [_problem("invalid", refused.field, str(refused))]})
    if errors and not body.get("skipInvalidRows"):
        errors += [{"index": index, "errors": [_problem("stopped", "", "")]} for index in good]
    else:
        # A client that saw no answer sends its rows again, each with the id that it had.
        fresh: dict[str, list[Any]] = {}
        for index, row in good.items():
            id = items[index].get("insertId")
            fresh.setdefault(f"{path_of(resource)} {id}" if id is not None else f"row {index}", row)
        rows = [row for key, row in fresh.items() if key not in engine.streamed]
        if rows:
            _insert(engine, resource, partition, rows)
        engine.streamed.add(key for key in fresh if not key.startswith("row "))
    answer: Resource = {"kind": "bigquery#tableDataInsertAllResponse"}
    return answer | ({"insertErrors": errors} if errors else {})


def _problem(reason: str, field: str, message: str) -> Resource:
    return {"reason": reason, "location": field, "debugInfo": "", "message": message}


def _from_template(engine: Engine, template: Resource, suffix: str) -> Resource:
    """The table whose name goes on with the suffix; it is made like the template if there is none."""
    base = path_of(template)
    path = TablePath(base.project, base.dataset, f"{base.name}{suffix}")
    existing = engine.catalog.table(path)
    if existing is not None:
        return existing
    kept = ("schema", "timePartitioning", "rangePartitioning", "clustering", "description", "labels")
    reference = {**template["tableReference"], "tableId": path.name}
    made = {"tableReference": reference, **{key: template[key] for key in kept if key in template}}
    with engine.connection() as connection:
        try:
            return tables.create_table(engine.catalog, connection, made)
        except Duplicate:  # another request was first
            return tables.required_table(engine.catalog, path)


# ---- values


def _row(json: Any, fields: tuple[Field, ...], ignores_unknown: bool) -> list[Any]:
    if not isinstance(json, dict):
        raise _Refused("", "The row is not a JSON object")
    return _members(json, fields, "", ignores_unknown)


def _members(json: Mapping[str, Any], fields: tuple[Field, ...], path: str, ignores_unknown: bool) -> list[Any]:
    """The values of a row's columns, or of a record's fields; raises _Refused."""
    given = {name.lower(): (name, value) for name, value in json.items()}
    known = {field.name.lower() for field in fields}
    for key, (name, _) in given.items():
        if key not in known and not ignores_unknown:
            raise _Refused(f"{path}{name}", f"no such field: {path}{name}.")
    found = []
    for field in fields:
        name, value = given.get(field.name.lower(), (field.name, DEFAULT))
        place = f"{path}{name}"
        is_missing = value is DEFAULT and field.default is None
        if field.required and (value is None or is_missing):
            raise _Refused(place, f"Missing required field: {place}.")
        if value is DEFAULT and field.default is not None and not path:
            found.append(DEFAULT)
        else:
            found.append(_value(None if value is DEFAULT else value, field, place, ignores_unknown))
    return found


def _value(value: Any, field: Field, place: str, ignores_unknown: bool) -> Any:
    kind = field.type
    if kind.is_array and kind.element is not None:
        if value is None:
            return []
        if not isinstance(value, list):
            raise _Refused(place, f"Repeated field must be imported as a JSON array. Field: {place}; Value: {value}")
        if None in value:
            raise _Refused(place, f"Only optional fields can be set to NULL. Field: {place}; Value: NULL")
        element = Field(field.name, kind.element, parameters=field.parameters)
        return [_value(item, element, f"{place}[{number}]", ignores_unknown) for number, item in enumerate(value)]
    if value is None:
        return None
    if isinstance(value, list) and kind.kind != "JSON":
        raise _Refused(place, f"Array specified for non-repeated field: {place}.")
    if kind.is_struct:
        if not isinstance(value, dict):
            raise _Refused(place, f"This field: {place} is not a record.")
        return tuple(_members(value, kind.fields, f"{place}.", ignores_unknown))
    if isinstance(value, dict) and kind.kind != "JSON" and kind.element is None:
        raise _Refused(place, f"This field: {place} is not a record.")
    return _scalar(value, field, kind, place)


def _scalar(value: Any, field: Field, kind: Type, place: str) -> Any:
    shown = str(value).lower() if isinstance(value, bool) else value
    try:
        if kind.element is not None or kind.kind == "JSON":
            return from_json(value, kind)
        found = scalar(value, kind.kind)
        return sized(found, kind, field.parameters) if field.parameters else found
    except InvalidValue as error:
        raise _Refused(place, PROBLEMS.get(kind.kind, error.message).format(shown)) from error
    except InvalidQuery as error:
        raise _Refused(place, f"Field {place}: {error.message}") from error


def _insert(engine: Engine, resource: Resource, partition: str | None, rows: list[list[Any]]) -> None:
    fields = fields_of(resource)
    names = [quoted(field.name) for field in fields]
    time = None if partition is None else decorators.start_sql(resource, partition)
    if time is not None:
        names.append(quoted(decorators.PARTITION_TIME))
    lines, binds = [], []
    for row in rows:
        marks = []
        for value, field in zip(row, fields, strict=True):
            marks.append("DEFAULT" if value is DEFAULT else f"CAST(? AS {field.type.duckdb()})")
            if value is not DEFAULT:
                binds.append(to_duckdb(value, field.type))
        lines.append(f"({', '.join([*marks, *([time] if time is not None else [])])})")
    path = path_of(resource)
    name = engine.catalog.duckdb_name(path)
    with engine.connection() as connection, engine.catalog.locks.changing((str(path),), Change.APPENDED):
        execute(connection, f"INSERT INTO {name} ({', '.join(names)}) VALUES {', '.join(lines)}", binds)


ROUTES: Routes = {
    "POST /projects/{project}/datasets/{dataset}/tables/{table}/insertAll": insert_all,
}
