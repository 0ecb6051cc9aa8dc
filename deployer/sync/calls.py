"""One call of the API for each statement: a deployment's time is its number of calls.

A call whose outcome is unknown is repeated, so a statement must be one that may run twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from google.api_core.exceptions import GoogleAPICallError, NotFound
from google.cloud.bigquery import (
    ArrayQueryParameter,
    QueryJobConfig,
    ScalarQueryParameter,
    ScalarQueryParameterType,
    StructQueryParameter,
    StructQueryParameterType,
)
from google.cloud.bigquery.table import RowIterator

from deployer.errors import DeployerError
from deployer.jobs import CALL_SECONDS, NEVER
from deployer.warehouse import Warehouse, explained

Result = TypeVar("Result")
TYPES = {str: "STRING", int: "INT64"}


class Missing(DeployerError):
    """A dataset, table or routine does not exist."""


class Rejected(DeployerError):
    """The statement itself is wrong: BigQuery says so of its text."""


def run(warehouse: Warehouse, sql: str, what: str, **parameters: Any) -> RowIterator:
    """The rows of the last SELECT; raises Missing, Rejected, or DeployerError that begins with `what`.

    A parameter is a text, a whole number, a list of texts, or one of `records`.
    """
    job_config = QueryJobConfig(
        query_parameters=[_parameter(name, value) for name, value in parameters.items()],
        labels={"environment": warehouse.config.environment.lower()[:63]},
    )

    def ask() -> RowIterator:
        found = warehouse.client.query_and_wait(
            sql, job_config=job_config, retry=NEVER, job_retry=NEVER, api_timeout=CALL_SECONDS
        )
        return found

    return call(warehouse, what, ask)


def try_out(warehouse: Warehouse, sql: str, what: str) -> None:
    """A dry run, which changes nothing; raises Missing, Rejected or DeployerError."""
    job_config = QueryJobConfig(dry_run=True)

    def ask() -> None:
        warehouse.client.query(sql, job_config=job_config, retry=NEVER, job_retry=None, timeout=CALL_SECONDS)

    call(warehouse, what, ask)


def call(warehouse: Warehouse, what: str, ask: Callable[[], Result]) -> Result:
    """What the API answers, asked again while its failures are those that pass."""
    try:
        with explained(what):
            return warehouse.patience.call(what, ask)
    except DeployerError as error:
        cause = error.__cause__
        if isinstance(cause, NotFound):
            raise Missing(str(error)) from cause
        if isinstance(cause, GoogleAPICallError) and _reason(cause) in ("invalidQuery", "invalid"):
            raise Rejected(str(error)) from cause
        raise


def _reason(error: GoogleAPICallError) -> str:
    details = [detail for detail in error.errors if isinstance(detail, dict)]
    return str(details[0].get("reason", "")) if details else ""


def _parameter(name: str, value: Any) -> ScalarQueryParameter | ArrayQueryParameter:
    if isinstance(value, ArrayQueryParameter):
        return value
    if isinstance(value, list):
        return ArrayQueryParameter(name, "STRING", value)
    return ScalarQueryParameter(name, TYPES[type(value)], value)


def records(name: str, fields: Sequence[str], rows: Iterable[Mapping[str, str]]) -> ArrayQueryParameter:
    """A parameter that is an array of records of texts."""
    # Spelt out, because an empty array has no value to take the type from.
    types = [ScalarQueryParameterType("STRING", name=field) for field in fields]  # type: ignore[no-untyped-call]
    values = [
        StructQueryParameter(None, *(ScalarQueryParameter(field, "STRING", row[field]) for field in fields))
        for row in rows
    ]
    return ArrayQueryParameter(name, StructQueryParameterType(*types), values)  # type: ignore[no-untyped-call]
