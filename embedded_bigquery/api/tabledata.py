"""The `tabledata` resource: rows read from a table, and streamed into it."""

from __future__ import annotations

from typing import Any

from embedded_bigquery import tables
from embedded_bigquery.api import shapes
from embedded_bigquery.api.call import Call, Routes, anew, page_token, token_start
from embedded_bigquery.catalog import Resource, fields_of
from embedded_bigquery.duck import execute
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import InvalidValue, NotSupported
from embedded_bigquery.inputs import from_json
from embedded_bigquery.locks import Change
from embedded_bigquery.rows import Row, Rows, TableRows
from embedded_bigquery.types import Field, quoted
from embedded_bigquery.values import (
    TimestampText,
    row_to_api,
    timestamp_iso,
    timestamp_micros,
    timestamp_seconds,
    to_duckdb,
)

PAGE = 50_000
TIMESTAMPS: dict[str, TimestampText] = {
    "FLOAT64": timestamp_seconds,
    "INT64": timestamp_micros,
    "ISO8601_STRING": timestamp_iso,
}


@anew
def list_rows(engine: Engine, call: Call) -> Resource:
    resource, relation = tables.addressed(engine.catalog, call.path)
    if not tables.is_stored(resource):
        raise InvalidValue(f"Cannot list a table of type {resource['type']}.")
    tables.check_source(resource)
    fields = fields_of(resource)
    if "selectedFields" in call.query:
        fields = selected(fields, call.query["selectedFields"])
    rows = TableRows(fields, relation, engine.connection)
    found = rows_page(rows, call)
    return {"kind": "bigquery#tableDataList", "etag": resource["etag"], "totalRows": str(rows.count()), **found}


def selected(fields: tuple[Field, ...], text: str) -> tuple[Field, ...]:
    """The columns that a comma-separated list names, in the table's order; raises InvalidValue."""
    wanted = {name.strip().lower() for name in text.split(",")}
    nested = next((name for name in wanted if "." in name), None)
    if nested is not None:
        raise NotSupported(f"selectedFields with a nested field: {nested}")
    unknown = wanted - {field.name.lower() for field in fields}
    if unknown:
        raise InvalidValue(f"Invalid field name in selectedFields: {sorted(unknown)[0]}")
    return tuple(field for field in fields if field.name.lower() in wanted)


def rows_page(rows: Rows, call: Call, size: int = PAGE) -> Resource:
    """The rows from `pageToken` or `startIndex` on, at most `maxResults`, and the token of the next page."""
    token = call.query.get("pageToken")
    start = token_start(token) if token else call.number("startIndex", 0)
    asked = min(call.number("maxResults", size), size)
    answer: Resource = {}
    found = rows.page(start, asked)
    if found:
        timestamp = timestamp_text(call)
        answer["rows"] = [row_to_api(row, rows.fields, timestamp) for row in found]
    end = start + len(found)
    if asked and end < rows.count():
        answer["pageToken"] = page_token(end)
    return answer


def timestamp_text(call: Call) -> TimestampText:
    """How the client wants its TIMESTAMPs: as seconds, unless it says otherwise; raises InvalidValue."""
    form = call.query.get("formatOptions.timestampOutputFormat", "TIMESTAMP_OUTPUT_FORMAT_UNSPECIFIED")
    if form == "TIMESTAMP_OUTPUT_FORMAT_UNSPECIFIED":
        form = "INT64" if call.flag("formatOptions.useInt64Timestamp") else "FLOAT64"
    if form not in TIMESTAMPS:
        raise InvalidValue(f"Invalid value for formatOptions.timestampOutputFormat: {form}")
    return TIMESTAMPS[form]


# ---- insertAll


@anew
def insert_all(engine: Engine, call: Call) -> Resource:
    resource = tables.required_table(engine.catalog, call.path)
    if resource["type"] != "TABLE":
        raise InvalidValue(f"Cannot add rows to a table of type {resource['type']}.")
    body = call.body(shapes.INSERT_ALL)
    if body.get("templateSuffix"):
        raise NotSupported("insertAll with templateSuffix")
    fields = fields_of(resource)
    good: dict[int, Row] = {}
    errors: list[Resource] = []
    items = body.get("rows", ())
    for index, item in enumerate(items):
        try:
            good[index] = _row(item.get("json", {}), fields, bool(body.get("ignoreUnknownValues")))
        except _Refused as refused:
            errors.append({"index": index, "errors": [_problem("invalid", refused.field, str(refused))]})
    if errors and not body.get("skipInvalidRows"):
        errors += [{"index": index, "errors": [_problem("stopped", "", "")]} for index in good]
    else:
        # A client that saw no answer sends its rows again, each with the id that it had.
        keys = {index: f"{call.path} {id}" for index in good if (id := items[index].get("insertId")) is not None}
        rows = [row for index, row in good.items() if keys.get(index) not in engine.streamed]
        if rows:
            _insert(engine, call, fields, rows)
        engine.streamed.add(keys.values())
    answer: Resource = {"kind": "bigquery#tableDataInsertAllResponse"}
    return answer | ({"insertErrors": errors} if errors else {})


class _Refused(Exception):
    """A row does not fit the table."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def _problem(reason: str, field: str, message: str) -> Resource:
    return {"reason": reason, "location": field, "debugInfo": "", "message": message}


def _row(json: Any, fields: tuple[Field, ...], ignores_unknown: bool) -> Row:
    if not isinstance(json, dict):
        raise _Refused("", "The row is not a JSON object")
    given = {name.lower(): (name, value) for name, value in json.items()}
    known = {field.name.lower() for field in fields}
    for key, (name, _) in given.items():
        if key not in known and not ignores_unknown:
            raise _Refused(name, f"no such field: {name}.")
    values: list[Any] = []
    for field in fields:
        name, value = given.get(field.name.lower(), (field.name, None))
        if value is None and field.required:
            raise _Refused(field.name, f"Missing required field: {field.name}.")
        if not ignores_unknown:
            _check_nested(value, field, name)
        try:
            values.append(from_json(value, field.type))
        except InvalidValue as error:
            raise _Refused(name, error.message) from error
    return tuple(values)


def _check_nested(value: Any, field: Field, path: str) -> None:
    """Raises _Refused for a key of a record that the column's type does not have."""
    kind = field.type.element if field.type.is_array else field.type
    if kind is None or not kind.is_struct:
        return
    known = {inner.name.lower(): inner for inner in kind.fields}
    for item in value if isinstance(value, list) else [value]:
        for name, inner in item.items() if isinstance(item, dict) else ():
            if name.lower() not in known:
                raise _Refused(f"{path}.{name}", f"no such field: {path}.{name}.")
            _check_nested(inner, known[name.lower()], f"{path}.{name}")


def _insert(engine: Engine, call: Call, fields: tuple[Field, ...], rows: list[Row]) -> None:
    names = ", ".join(quoted(field.name) for field in fields)
    marks = ", ".join(f"CAST(? AS {field.type.duckdb()})" for field in fields)
    values = ", ".join(f"({marks})" for _ in rows)
    binds = [to_duckdb(value, field.type) for row in rows for value, field in zip(row, fields, strict=True)]
    with engine.connection() as connection, engine.catalog.locks.changing((str(call.path),), Change.APPENDED):
        execute(connection, f"INSERT INTO {engine.catalog.duckdb_name(call.path)} ({names}) VALUES {values}", binds)


ROUTES: Routes = {
    "GET /projects/{project}/datasets/{dataset}/tables/{table}/data": list_rows,
    "POST /projects/{project}/datasets/{dataset}/tables/{table}/insertAll": insert_all,
}
