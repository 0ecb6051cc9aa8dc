"""The `datasets` resource."""

from __future__ import annotations

from embedded_bigquery import tables
from embedded_bigquery.api import shapes
from embedded_bigquery.api.call import Answer, Call, Routes, alone, has_labels, merged, page, without_nulls
from embedded_bigquery.catalog import Resource, path_of
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import InvalidValue
from embedded_bigquery.sql.environment import USER

# Who may do what with a new dataset: recorded, and asked of nobody here.
ACCESS = (
    {"role": "WRITER", "specialGroup": "projectWriters"},
    {"role": "OWNER", "specialGroup": "projectOwners"},
    {"role": "OWNER", "userByEmail": USER},
    {"role": "READER", "specialGroup": "projectReaders"},
)


def shown(engine: Engine, resource: Resource) -> Resource:
    path = path_of(resource)
    return {
        "kind": "bigquery#dataset",
        "id": f"{path.project}:{path.dataset}",
        "selfLink": f"/bigquery/v2/projects/{path.project}/datasets/{path.dataset}",
        "location": engine.catalog.location,
        "type": "DEFAULT",
        "access": list(ACCESS),
        **resource,
    }


@alone
def insert(engine: Engine, call: Call) -> Resource:
    body = without_nulls(call.body(shapes.DATASET))
    reference = body.get("datasetReference") or {}
    call.agree(reference)
    body["datasetReference"] = {"projectId": call.project, "datasetId": reference.get("datasetId", "")}
    with engine.connection() as connection:
        return shown(engine, tables.create_dataset(engine.catalog, connection, body))


def get(engine: Engine, call: Call) -> Resource:
    return shown(engine, engine.catalog.required_dataset(call.project, call.names["dataset"]))


def list_datasets(engine: Engine, call: Call) -> Resource:
    found = [item for item in engine.catalog.datasets(call.project) if has_labels(item, call.query.get("filter"))]
    items, token = page(found, call, lambda item: path_of(item).dataset)
    keys = ("kind", "id", "datasetReference", "labels", "friendlyName", "location")
    listed = [{key: value for key, value in shown(engine, item).items() if key in keys} for item in items]
    return {"kind": "bigquery#datasetList", "datasets": listed, **token}


@alone
def patch(engine: Engine, call: Call) -> Resource:
    old = engine.catalog.required_dataset(call.project, call.names["dataset"])
    call.check_etag(old)
    return _store(engine, merged(old, call.body(shapes.DATASET)), old)


@alone
def update(engine: Engine, call: Call) -> Resource:
    old = engine.catalog.required_dataset(call.project, call.names["dataset"])
    call.check_etag(old)
    return _store(engine, {"creationTime": old["creationTime"], **without_nulls(call.body(shapes.DATASET))}, old)


def _store(engine: Engine, resource: Resource, old: Resource) -> Resource:
    place = str(old.get("location", engine.catalog.location))
    if str(resource.get("location", place)).lower() != place.lower():
        raise InvalidValue(f"Cannot change the location of dataset {shown(engine, old)['id']} from {place}")
    resource["datasetReference"] = old["datasetReference"]
    with engine.connection() as connection:
        return shown(engine, tables.update_dataset(engine.catalog, connection, resource))


@alone
def delete(engine: Engine, call: Call) -> Answer:
    contents = call.flag("deleteContents")
    with engine.connection() as connection:
        tables.delete_dataset(engine.catalog, connection, call.project, call.names["dataset"], contents=contents)
    return Answer(204)


def list_models(engine: Engine, call: Call) -> Resource:
    """The engine has no models."""
    engine.catalog.required_dataset(call.project, call.names["dataset"])
    return {}


ROUTES: Routes = {
    "POST /projects/{project}/datasets": insert,
    "GET /projects/{project}/datasets": list_datasets,
    "GET /projects/{project}/datasets/{dataset}": get,
    "PATCH /projects/{project}/datasets/{dataset}": patch,
    "PUT /projects/{project}/datasets/{dataset}": update,
    "DELETE /projects/{project}/datasets/{dataset}": delete,
    "GET /projects/{project}/datasets/{dataset}/models": list_models,
}
