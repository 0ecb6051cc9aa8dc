"""The `tables` resource: tables, views and materialized views."""

from __future__ import annotations

from functools import partial

from embedded_bigquery import decorators, tables
from embedded_bigquery.api import shapes
from embedded_bigquery.api.call import Answer, Call, Routes, alone, anew, has_labels, merged, page, without_nulls
from embedded_bigquery.catalog import NAMED, POLICIES, Resource, fields_of, path_of
from embedded_bigquery.destination import checked_fields
from embedded_bigquery.duck import execute, fetch
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import NotSupported, WrongKind
from embedded_bigquery.query import columns_of, default_sql
from embedded_bigquery.sizes import bytes_sql
from embedded_bigquery.sql.environment import TablePath
from embedded_bigquery.types import Field

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
# What a PUT that leaves it out does not take away.
KEPT = ("schema", "timePartitioning", "rangePartitioning", "snapshotDefinition", "cloneDefinition", POLICIES, NAMED)
COMPUTED = ("numRows", "numBytes", "numLongTermBytes", "kind", "id", "selfLink", "location")


def shown(engine: Engine, resource: Resource, relation: str | None = None) -> Resource:
    """The API's Table; `relation` is DuckDB text for its rows, when they are not all of the stored table's."""
    path = path_of(resource)
    answer: Resource = {
        "kind": "bigquery#table",
        "id": tables.shown(path),
        "selfLink": f"/bigquery/v2/projects/{path.project}/datasets/{path.dataset}/tables/{path.name}",
        "location": engine.catalog.location,
        **{key: value for key, value in resource.items() if not key.startswith("_")},
    }
    if tables.is_stored(resource):
        answer["lastModifiedTime"] = engine.catalog.modified_ms(resource)
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


@alone
def insert(engine: Engine, call: Call) -> Resource:
    body = without_nulls(call.body(shapes.TABLE))
    reference = body.get("tableReference") or {}
    call.agree(reference)
    name = reference.get("tableId", "")
    body["tableReference"] = {"projectId": call.project, "datasetId": call.names["dataset"], "tableId": name}
    checked, default = _checked(engine, body), partial(default_sql, engine)
    with engine.connection() as connection:
        made = tables.create_table(engine.catalog, connection, checked, default=default)
    return shown(engine, made)


def _checked(engine: Engine, body: Resource, kind: str | None = None) -> Resource:
    """The table as it is stored: its kind, its columns in canonical form, those of a view found by its query."""
    if "externalDataConfiguration" in body:
        raise NotSupported("external tables")
    stored = {key: value for key, value in body.items() if key not in COMPUTED}
    views = [known for key, known in VIEWS.items() if key in body]
    stored["type"] = kind or (views[0] if views else "TABLE")
    if views not in ([], [stored["type"]]):
        raise WrongKind(tables.shown(path_of(body)), stored["type"])
    given = checked_fields((body.get("schema") or {}).get("fields", ()))
    if views:
        given = _view_columns(engine, body, given)
    stored["schema"] = {"fields": [field.api() for field in given]}
    partitioning = stored.get("timePartitioning") or {}
    if "requirePartitionFilter" in partitioning:  # where it stood once
        stored["timePartitioning"] = {key: partitioning[key] for key in partitioning if key != "requirePartitionFilter"}
        stored.setdefault("requirePartitionFilter", partitioning["requirePartitionFilter"])
    return stored


def _view_columns(engine: Engine, body: Resource, given: tuple[Field, ...]) -> tuple[Field, ...]:
    view = body.get("view") or body.get("materializedView") or {}
    if view.get("useLegacySql"):
        raise NotSupported("legacy SQL (useLegacySql: true)")
    if view.get("userDefinedFunctionResources"):
        raise NotSupported("userDefinedFunctionResources")
    found = columns_of(engine, view["query"]).fields
    known = {field.name.lower(): field.description for field in given}
    return tuple(Field(field.name, field.type, description=known.get(field.name.lower())) for field in found)


@anew
def get(engine: Engine, call: Call) -> Resource:
    table, relation = tables.addressed(engine.catalog, call.path)
    return shown(engine, table, relation)


def list_tables(engine: Engine, call: Call) -> Resource:
    engine.catalog.required_dataset(call.project, call.names["dataset"])
    found = [
        item
        for item in engine.catalog.tables(call.project, call.names["dataset"])
        if has_labels(item, call.query.get("filter"))
    ]
    items, token = page(found, call, lambda item: path_of(item).name)
    listed = [_listed(item) for item in items]
    return {"kind": "bigquery#tableList", "tables": listed, "totalItems": len(found), **token}


def _listed(resource: Resource) -> Resource:
    item = {key: resource[key] for key in LISTED if key in resource}
    if "view" in resource:
        item["view"] = {"useLegacySql": False}
    return {"kind": "bigquery#table", "id": tables.shown(path_of(resource)), **item}


def list_policies(engine: Engine, call: Call) -> Resource:
    """The table's row access policies, which DDL statements make."""
    table = tables.required_table(engine.catalog, call.path)
    found = [
        {
            "rowAccessPolicyReference": {**table["tableReference"], "policyId": policy["policyId"]},
            **{key: policy[key] for key in ("filterPredicate", "creationTime", "lastModifiedTime")},
            "etag": table["etag"],
        }
        for policy in table.get(POLICIES, ())
    ]
    items, token = page(found, call, lambda item: item["rowAccessPolicyReference"]["policyId"])
    return {"rowAccessPolicies": items, **token}


@alone
def patch(engine: Engine, call: Call) -> Resource:
    old = tables.required_table(engine.catalog, call.path)
    call.check_etag(old)
    return _store(engine, merged(old, call.body(shapes.TABLE)), old)


@alone
def update(engine: Engine, call: Call) -> Resource:
    old = tables.required_table(engine.catalog, call.path)
    call.check_etag(old)
    body = without_nulls(call.body(shapes.TABLE))
    kept = {key: old[key] for key in KEPT if key in old}
    return _store(engine, {**kept, **body, "creationTime": old["creationTime"]}, old)


def _store(engine: Engine, resource: Resource, old: Resource) -> Resource:
    resource["tableReference"] = old["tableReference"]
    checked, default = _checked(engine, resource, old["type"]), partial(default_sql, engine)
    with engine.connection() as connection:
        if checked["type"] in VIEWS.values():
            return shown(engine, tables.create_table(engine.catalog, connection, checked, replace=True))
        return shown(engine, tables.update_table(engine.catalog, connection, checked, default))


def delete(engine: Engine, call: Call) -> Answer | Resource:
    path, partition = decorators.split(call.path)
    return _drop(engine, call) if partition is None else _empty(engine, path, partition)


@alone
def _drop(engine: Engine, call: Call) -> Answer:
    with engine.connection() as connection:
        tables.drop_table(engine.catalog, connection, call.path)
    return Answer(204)


def _empty(engine: Engine, path: TablePath, partition: str) -> Answer:
    condition = decorators.condition_sql(tables.required_table(engine.catalog, path), partition)
    with engine.connection() as connection, engine.catalog.locks.mutating(str(path)):
        execute(connection, f"DELETE FROM {engine.catalog.duckdb_name(path)} WHERE {condition}")
    return Answer(204)


ROUTES: Routes = {
    "POST /projects/{project}/datasets/{dataset}/tables": insert,
    "GET /projects/{project}/datasets/{dataset}/tables": list_tables,
    "GET /projects/{project}/datasets/{dataset}/tables/{table}": get,
    "PATCH /projects/{project}/datasets/{dataset}/tables/{table}": patch,
    "PUT /projects/{project}/datasets/{dataset}/tables/{table}": update,
    "GET /projects/{project}/datasets/{dataset}/tables/{table}/rowAccessPolicies": list_policies,
    "DELETE /projects/{project}/datasets/{dataset}/tables/{table}": delete,
}
