"""The `projects` resource."""

from __future__ import annotations

from embedded_bigquery.api.call import Call, Routes
from embedded_bigquery.catalog import Resource
from embedded_bigquery.engine import Engine
from embedded_bigquery.sql.environment import USER


def list_projects(engine: Engine, call: Call) -> Resource:
    id = engine.catalog.project
    project = {
        "kind": "bigquery#project",
        "id": id,
        "numericId": "0",
        "projectReference": {"projectId": id},
        "friendlyName": id,
    }
    return {"kind": "bigquery#projectList", "projects": [project], "totalItems": 1}


def service_account(engine: Engine, call: Call) -> Resource:
    return {"kind": "bigquery#getServiceAccountResponse", "email": USER}


ROUTES: Routes = {
    "GET /projects": list_projects,
    "GET /projects/{project}/serviceAccount": service_account,
}
