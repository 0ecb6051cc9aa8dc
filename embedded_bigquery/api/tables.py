"""The `tables` resource: tables, views and materialized views."""

from __future__ import annotations

from functools import partial
from typing import Any

from embedded_bigquery import decorators, tables
from embedded_bigquery.api.call import Answer, Call, Routes, has_labels, merged, page, without_nulls
from embedded_bigquery.catalog import Resource, fields_of, path_of
from embedded_bigquery.destination import checked_fields
from embedded_bigquery.duck import execute, fetch
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import InvalidValue, NotFound, NotSupported
from embedded_bigquery.query import columns_of, default_sql
from embedded_bigquery.sizes import bytes_sql
from embedded_bigquery.sql.environment import TablePath

VIEWS = {"view": "VIEW", "materializedView": "MATERIALIZED_VIEW"}
LISTED = (
    "tableReference",
    "type",
    "labels",
    "friendlyName",
    "timePartitioning",
    "rangePartitioning",
    "clustering",
    "creationTime",
    "expirationTime",
    "requirePartitionFilter",
)
COMPUTED = ("numRows", "numBytes", "numLongTermBytes", "kind", "id", "selfLink", "location")


def required(engine: Engine, path: TablePath) -> Resource:
    """Raises NotFound (dataset or table)."""
    if "@" in path.name:
        raise NotSupported(f"snapshot decorator in the table name {path.name}")
    found = engine.catalog.table(path)
    if found is None:
        engine.catalog.required_dataset(path.project, path.dataset)
        raise NotFound(f"Not found: Table {tables.shown(path)} was not found in location {engine.catalog.location}")
    return found


def shown(engine: Engine, resource: Resource, relation: str | None = None) -> Resource:
    """The API's Table; `relation` is DuckDB text for its rows, when they are not all of the stored table's."""
    path = path_of(resource)
    answer: Resource = {
        "kind": "bigquery#table",
        "id": tables.shown(path),
        "selfLink": f"/bigquery/v2/projects/{path.project}/datasets/{path.dataset}/tables/{path.name}",
        "location": engine.catalog.location,
        **resource,
    }
    if not any(key in resource for key in VIEWS):
        rows, size = _measured(engine, resource, relation or engine.catalog.duckdb_name(path))
        answer |= {"numRows": str(rows), "numBytes": str(size), "numLongTermBytes": "0"}
    return answer


def _measured(engine: Engine, resource: Resource, relation: str) -> tuple[int, int]:
    """Rows and logical bytes."""
    with engine.connection() as connection:
        [(rows, size)] = fetch(
            execute(connection, f"SELECT count(*), {bytes_sql(fields_of(resource))} FROM {relation}")
        )
    return int(rows), int(size or 0)


def insert(engine: Engine, call: Call) -> Resource:
    body = without_nulls(call.body())
    name = body.get("tableReference", {}).get("tableId", "")
    if not name or "$" in name:
        raise InvalidValue(f'Invalid table ID "{name}".')
    body["tableReference"] = {"projectId": call.project, "datasetId": call.names["dataset"], "tableId": name}
    checked, default = _checked(engine, body), partial(default_sql, engine)
    with engine.connection() as connection:
        made = tables.create_table(engine.catalog, connection, checked, default=default)
    return shown(engine, made)


def _checked(engine: Engine, body: Resource) -> Resource:
    """The table as it is stored: its kind, its columns in canonical form, those of a view found by its query."""
    if "externalDataConfiguration" in body:
        raise NotSupported("external tables")
    stored = {key: value for key, value in body.items() if key not in COMPUTED}
    stored["type"] = next((kind for key, kind in VIEWS.items() if key in body), "TABLE")
    given = checked_fields((body.get("schema") or {}).get("fields", ()))
    if stored["type"] != "TABLE":
        given = _view_columns(engine, body, given)
    stored["schema"] = {"fields": [field.api() for field in given]}
    return stored


def _view_columns(engine: Engine, body: Resource, given: tuple[Any, ...]) -> tuple[Any, ...]:
    view = body.get("view") or body.get("materializedView") or {}
    if view.get("useLegacySql"):
        raise NotSupported("legacy SQL (useLegacySql: true)")
    found = columns_of(engine, view.get("query", "")).fields
    known = {field.name.lower(): field for field in given}
    descriptions = {name: field.description for name, field in known.items()}
    return tuple(
        type(field)(field.name, field.type, description=descriptions.get(field.name.lower())) for field in found
    )


def get(engine: Engine, call: Call) -> Resource:
    table, relation = addressed(engine, call.path)
    return shown(engine, table, relation)


def addressed(engine: Engine, path: TablePath) -> tuple[Resource, str]:
    """The table that a name with or without a partition's id means, and its rows as DuckDB text.

    Raises NotFound, InvalidValue.
    """
    whole, partition = decorators.split(path)
    table, name = required(engine, whole), engine.catalog.duckdb_name(whole)
    if partition is None:
        return table, name
    decorated = {**table, "tableReference": {**table["tableReference"], "tableId": path.name}}
    if partition == decorators.SUMMARY:
        found = f"SELECT {decorators.required_identifier_sql(table)} AS partition_id FROM {name} GROUP BY 1 ORDER BY 1"
        schema = {"fields": [{"name": "partition_id", "type": "STRING", "mode": "NULLABLE"}]}
        return {**decorated, "schema": schema}, f"({found})"
    return decorated, f"(SELECT * FROM {name} WHERE {decorators.condition_sql(table, partition)})"


def list_tables(engine: Engine, call: Call) -> Resource:
    engine.catalog.required_dataset(call.project, call.names["dataset"])
    found = [
        item
        for item in engine.catalog.tables(call.project, call.names["dataset"])
        if has_labels(item, call.query.get("filter"))
    ]
    items, token = page(found, call)
    listed = [_listed(item) for item in items]
    return {"kind": "bigquery#tableList", "tables": listed, "totalItems": len(found), **token}


def _listed(resource: Resource) -> Resource:
    item = {key: resource[key] for key in LISTED if key in resource}
    if "view" in resource:
        item["view"] = {"useLegacySql": False}
    return {"kind": "bigquery#table", "id": tables.shown(path_of(resource)), **item}


def patch(engine: Engine, call: Call) -> Resource:
    old = required(engine, call.path)
    call.check_etag(old)
    return _store(engine, merged(old, call.body()), old)


def update(engine: Engine, call: Call) -> Resource:
    old = required(engine, call.path)
    call.check_etag(old)
    body = without_nulls(call.body())
    return _store(engine, {"schema": old.get("schema", {}), "creationTime": old["creationTime"], **body}, old)


def _store(engine: Engine, resource: Resource, old: Resource) -> Resource:
    resource["tableReference"] = old["tableReference"]
    checked, default = _checked(engine, resource), partial(default_sql, engine)
    with engine.connection() as connection:
        if checked["type"] == "TABLE":
            return shown(engine, tables.update_table(engine.catalog, connection, checked, default))
        return shown(engine, tables.create_table(engine.catalog, connection, checked, replace=True))


def delete(engine: Engine, call: Call) -> Answer:
    path, partition = decorators.split(call.path)
    table = required(engine, path)
    with engine.connection() as connection:
        if partition is None:
            tables.drop_table(engine.catalog, connection, path)
        else:
            condition = decorators.condition_sql(table, partition)
            execute(connection, f"DELETE FROM {engine.catalog.duckdb_name(path)} WHERE {condition}")
    return Answer(204)


ROUTES: Routes = {
    "POST /projects/{project}/datasets/{dataset}/tables": insert,
    "GET /projects/{project}/datasets/{dataset}/tables": list_tables,
    "GET /projects/{project}/datasets/{dataset}/tables/{table}": get,
    "PATCH /projects/{project}/datasets/{dataset}/tables/{table}": patch,
    "PUT /projects/{project}/datasets/{dataset}/tables/{table}": update,
    "DELETE /projects/{project}/datasets/{dataset}/tables/{table}": delete,
}
