"""The record of deployments: a row each in ops.deployments, with what it put in place.

Unchanged objects are not repeated: an object's latest record says how it was last deployed.
"""

from __future__ import annotations

from collections.abc import Collection

from google.cloud.bigquery import (
    ArrayQueryParameter,
    QueryJobConfig,
    ScalarQueryParameter,
    ScalarQueryParameterType,
    StructQueryParameter,
    StructQueryParameterType,
)

from deployer.__version__ import __version__
from deployer.source import Name
from deployer.sync.definitions import Definition
from deployer.warehouse import RETRY, Warehouse, explained

CHECKSUMS = """
SELECT o.object, o.checksum
FROM {deployments} AS d
CROSS JOIN UNNEST(d.objects) AS o
WHERE d.environment = @environment
QUALIFY ROW_NUMBER() OVER (PARTITION BY o.object ORDER BY d.deployment_id DESC) = 1
"""
RECORD = """
INSERT INTO {deployments} (deployment_id, deployed_at, deployed_by, environment, code_version, outcome, objects)
VALUES (
  (SELECT COALESCE(MAX(d.deployment_id), 0) + 1 FROM {deployments} AS d),
  CURRENT_TIMESTAMP(), SESSION_USER(), @environment, @code_version, @outcome, @objects
)
"""
FIELDS = ("object", "kind", "checksum", "definition")


def deployed_checksums(warehouse: Warehouse) -> dict[Name, str]:
    """The checksum of each object of the environment as it was last deployed, by logical name."""
    sql = CHECKSUMS.format(deployments=warehouse.quoted("ops", "deployments"))
    parameters = {"environment": ("STRING", warehouse.config.environment)}
    answer = warehouse.query(sql, parameters, what="Reading ops.deployments")
    return {Name(*row["object"].split(".")): row["checksum"] for row in answer.rows}


def record_deployment(warehouse: Warehouse, outcome: str, definitions: Collection[Definition]) -> None:
    """Adds the row; `definitions` are those that are in place now and were not before."""
    values = ((str(made.name), made.kind, made.checksum, made.text) for made in definitions)
    objects = [
        StructQueryParameter(None, *map(ScalarQueryParameter, FIELDS, ["STRING"] * len(FIELDS), row)) for row in values
    ]
    # Spelt out, because a deployment that put nothing in place has no value to take the type from.
    fields = [ScalarQueryParameterType("STRING", name=name) for name in FIELDS]  # type: ignore[no-untyped-call]
    struct = StructQueryParameterType(*fields)  # type: ignore[no-untyped-call]
    job_config = QueryJobConfig(
        query_parameters=[
            ScalarQueryParameter("environment", "STRING", warehouse.config.environment),
            ScalarQueryParameter("code_version", "STRING", __version__),
            ScalarQueryParameter("outcome", "STRING", outcome),
            ArrayQueryParameter("objects", struct, objects),
        ]
    )
    sql = RECORD.format(deployments=warehouse.quoted("ops", "deployments"))
    with explained("Recording the deployment in ops.deployments"):
        warehouse.client.query(sql, job_config=job_config, retry=RETRY).result(retry=RETRY)
