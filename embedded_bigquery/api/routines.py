"""The `routines` resource: functions, table functions and procedures."""

from __future__ import annotations

from embedded_bigquery import tables
from embedded_bigquery.api.call import Answer, Call, Routes, page, without_nulls
from embedded_bigquery.catalog import Resource
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import InvalidValue, NotFound
from embedded_bigquery.query import check_procedure
from embedded_bigquery.sql.environment import TablePath

KINDS = ("SCALAR_FUNCTION", "AGGREGATE_FUNCTION", "TABLE_VALUED_FUNCTION", "PROCEDURE")
# What routines.list gives unless a readMask asks for more.
LISTED = ("etag", "routineReference", "routineType", "creationTime", "lastModifiedTime", "language")


def required(engine: Engine, path: TablePath) -> Resource:
    """Raises NotFound (dataset or routine)."""
    found = engine.catalog.routine_resource(path)
    if found is None:
        engine.catalog.required_dataset(path.project, path.dataset)
        raise NotFound(f"Not found: Routine {tables.shown(path)} was not found in location {engine.catalog.location}")
    return found


def get(engine: Engine, call: Call) -> Resource:
    return _masked(required(engine, call.path), call.query.get("readMask"))


def list_routines(engine: Engine, call: Call) -> Resource:
    dataset = call.names["dataset"]
    engine.catalog.required_dataset(call.project, dataset)
    wanted = call.query.get("filter", "").removeprefix("routineType:").strip('" ')
    found = [item for item in engine.catalog.routines(call.project, dataset) if wanted in ("", item["routineType"])]
    items, token = page(found, call)
    mask = call.query.get("readMask")
    listed = [
        {key: item[key] for key in LISTED if key in item} if mask is None else _masked(item, mask) for item in items
    ]
    return {"routines": listed, **token}


def _masked(resource: Resource, mask: str | None) -> Resource:
    if mask is None or mask == "*":
        return resource
    keys = {part.split(".")[0].strip() for part in mask.split(",")} | {"routineReference"}
    return {key: value for key, value in resource.items() if key in keys}


def insert(engine: Engine, call: Call) -> Resource:
    body = without_nulls(call.body())
    name = body.get("routineReference", {}).get("routineId", "")
    return _put(engine, body, TablePath(call.project, call.names["dataset"], name), replace=False)


def update(engine: Engine, call: Call) -> Resource:
    body = without_nulls(call.body())
    old = required(engine, call.path)
    call.check_etag(old, body.get("etag"))
    kept = TablePath(call.project, call.names["dataset"], old["routineReference"]["routineId"])
    return _put(engine, body, kept, replace=True)


def _put(engine: Engine, body: Resource, path: TablePath, *, replace: bool) -> Resource:
    if not path.name:
        raise InvalidValue("Required parameter is missing: routineReference.routineId")
    if body.get("routineType") not in KINDS:
        raise InvalidValue(f"Invalid routine type: {body.get('routineType')}; known: {', '.join(KINDS)}")
    if "definitionBody" not in body:
        raise InvalidValue("Required parameter is missing: definitionBody")
    reference = {"projectId": path.project, "datasetId": path.dataset, "routineId": path.name}
    resource = {"language": "SQL", **body, "routineReference": reference}
    if resource["routineType"] == "PROCEDURE" and resource["language"] == "SQL":
        check_procedure(engine, resource)
    with engine.connection() as connection:
        return tables.put_routine(engine.catalog, connection, resource, replace=replace)


def delete(engine: Engine, call: Call) -> Answer:
    required(engine, call.path)
    with engine.connection() as connection:
        tables.drop_routine(engine.catalog, connection, call.path)
    return Answer(204)


ROUTES: Routes = {
    "POST /projects/{project}/datasets/{dataset}/routines": insert,
    "GET /projects/{project}/datasets/{dataset}/routines": list_routines,
    "GET /projects/{project}/datasets/{dataset}/routines/{routine}": get,
    "PUT /projects/{project}/datasets/{dataset}/routines/{routine}": update,
    "DELETE /projects/{project}/datasets/{dataset}/routines/{routine}": delete,
}
