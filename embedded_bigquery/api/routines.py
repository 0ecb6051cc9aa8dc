"""The `routines` resource: functions, table functions and procedures."""

from __future__ import annotations

from embedded_bigquery import tables
from embedded_bigquery.api import shapes
from embedded_bigquery.api.call import Answer, Call, Routes, alone, page, without_nulls
from embedded_bigquery.catalog import Resource, path_of
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import InvalidValue, NotFound, NotSupported
from embedded_bigquery.query import checked_routine
from embedded_bigquery.sql.environment import TablePath

KINDS = ("SCALAR_FUNCTION", "AGGREGATE_FUNCTION", "TABLE_VALUED_FUNCTION", "PROCEDURE")
REFUSED = ("sparkOptions", "remoteFunctionOptions", "pythonOptions", "externalRuntimeOptions")
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
    wanted = _filter(call.query.get("filter"))
    found = [item for item in engine.catalog.routines(call.project, dataset) if wanted in (None, item["routineType"])]
    items, token = page(found, call, lambda item: path_of(item).name)
    mask = call.query.get("readMask") or ",".join(LISTED)
    return {"routines": [_masked(item, mask) for item in items], **token}


def _filter(text: str | None) -> str | None:
    """The type that a list's filter asks for: `routineType:PROCEDURE`; raises InvalidValue."""
    if not text:
        return None
    key, _, wanted = text.partition(":")
    wanted = wanted.strip(' "')
    if key.strip() != "routineType" or wanted not in KINDS:
        raise InvalidValue(f"Invalid filter: {text}; known: routineType:{{{'|'.join(KINDS)}}}")
    return wanted


def _masked(resource: Resource, mask: str | None) -> Resource:
    """The keys that the mask names, separated by commas."""
    if not mask or mask == "*":
        return resource
    keys = {part.split(".")[0].strip() for part in mask.split(",")} | {"routineReference"}
    return {key: value for key, value in resource.items() if key in keys}


@alone
def insert(engine: Engine, call: Call) -> Resource:
    body = without_nulls(call.body(shapes.ROUTINE))
    reference = body.get("routineReference") or {}
    call.agree(reference)
    return _put(engine, call, body, reference.get("routineId", ""), replace=False)


@alone
def update(engine: Engine, call: Call) -> Resource:
    body = without_nulls(call.body(shapes.ROUTINE))
    old = required(engine, call.path)
    call.check_etag(old, body.get("etag"))
    if body["routineType"] != old["routineType"]:
        raise InvalidValue(f"Cannot change the type of routine {tables.shown(path_of(old))} from {old['routineType']}")
    return _put(engine, call, body, path_of(old).name, replace=True)


def _put(engine: Engine, call: Call, body: Resource, name: str, *, replace: bool) -> Resource:
    refused = next((key for key in REFUSED if key in body), None)
    if refused is not None:
        raise NotSupported(f"routine with {refused}")
    reference = {"projectId": call.project, "datasetId": call.names["dataset"], "routineId": name}
    resource = checked_routine(engine, {**body, "routineReference": reference})
    with engine.connection() as connection:
        return tables.put_routine(engine.catalog, connection, resource, replace=replace)


@alone
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
