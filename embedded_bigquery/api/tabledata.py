"""The `tabledata` resource: rows read from a table, and streamed into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from embedded_bigquery import tables
from embedded_bigquery.api.call import Call, Routes, anew, page_token, token_start
from embedded_bigquery.catalog import Resource, fields_of
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import InvalidValue
from embedded_bigquery.rows import Rows, SelectedRows, TableRows
from embedded_bigquery.types import Field
from embedded_bigquery.values import (
    TimestampText,
    row_to_api,
    timestamp_iso,
    timestamp_micros,
    timestamp_seconds,
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
    rows: Rows = TableRows(fields, relation, engine.connection)
    if "selectedFields" in call.query:
        kept = selected(fields, call.query["selectedFields"].split(","))
        names = {field.name for field in kept}
        whole = tuple(field for field in fields if field.name in names)
        rows = SelectedRows(TableRows(whole, relation, engine.connection), kept)
    found = rows_page(rows, call)
    return {"kind": "bigquery#tableDataList", "etag": resource["etag"], "totalRows": str(rows.count()), **found}


def selected(fields: tuple[Field, ...], names: Sequence[str], path: str = "") -> tuple[Field, ...]:
    """The columns, or the fields of records, that the names mean, in the table's order; raises InvalidValue."""
    inner: dict[str, list[str]] = {}
    for name in names:
        first, _, rest = name.strip().partition(".")
        inner.setdefault(first.lower(), []).append(rest)
    unknown = inner.keys() - {field.name.lower() for field in fields}
    if unknown:
        raise InvalidValue(f"Invalid field name in selectedFields: {path}{sorted(unknown)[0]}")
    found = []
    for field in fields:
        parts = inner.get(field.name.lower())
        if parts is not None:
            found.append(field if "" in parts else _with_fields(field, parts, f"{path}{field.name}"))
    return tuple(found)


def _with_fields(field: Field, names: Sequence[str], path: str) -> Field:
    kind = field.type.element if field.type.is_array and field.type.element is not None else field.type
    if not kind.is_struct:
        raise InvalidValue(f"Invalid field name in selectedFields: {path}.{names[0]}")
    made = replace(kind, fields=selected(kind.fields, names, f"{path}."))
    return replace(field, type=replace(field.type, element=made) if field.type.is_array else made)


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


ROUTES: Routes = {
    "GET /projects/{project}/datasets/{dataset}/tables/{table}/data": list_rows,
}
