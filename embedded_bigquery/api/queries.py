"""Queries with their rows: `jobs.query` and `jobs.getQueryResults`."""

from __future__ import annotations

from embedded_bigquery.api import shapes
from embedded_bigquery.api.call import Call, Routes
from embedded_bigquery.api.jobs import reference, start
from embedded_bigquery.api.tabledata import rows_page
from embedded_bigquery.catalog import Resource
from embedded_bigquery.duck import NameUnknown
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import Duplicate, InvalidValue, NotFound
from embedded_bigquery.jobs import Job

WAIT_MS = 10_000  # unless the call says otherwise
LONGEST_MS = 200_000
# Keys of a QueryRequest that stand beside a job's `query`, and those that concern the answer alone.
OF_JOB = ("labels", "dryRun", "jobTimeoutMs", "reservation", "maxSlots")
OF_ANSWER = ("kind", "maxResults", "timeoutMs", "requestId", "formatOptions", "location", "jobCreationMode")


def query(engine: Engine, call: Call) -> Resource:
    body = call.body(shapes.QUERY_REQUEST)
    if body.get("queryResultsFormat") == "ARROW":
        raise InvalidValue("queryResultsFormat ARROW is not known here; use JSON")
    configuration = {key: body[key] for key in OF_JOB if key in body}
    configuration["query"] = {key: value for key, value in body.items() if key not in (*OF_JOB, *OF_ANSWER)}
    job = _started(engine, call.project, {"configuration": configuration}, body.get("requestId"))
    # What getQueryResults has in its query string stands in the body here.
    options = {f"formatOptions.{key}": str(value) for key, value in (body.get("formatOptions") or {}).items()}
    if body.get("maxResults") is not None:
        options["maxResults"] = str(body["maxResults"])
    return _answer(job, Call(call.names, options), int(body.get("timeoutMs", WAIT_MS)), "bigquery#queryResponse")


def _started(engine: Engine, project: str, job: Resource, request: str | None) -> Job:
    """The same request sent again, after a reset connection say, finds the job that it has started."""
    if request is None:
        return start(engine, project, job)
    id = f"job_{request}"
    try:
        return start(engine, project, job | {"jobReference": {"jobId": id}})
    except Duplicate:
        return engine.jobs.get(project, id)


def get_results(engine: Engine, call: Call) -> Resource:
    job = engine.jobs.get(call.project, call.names["job"])
    if job.configuration["jobType"] != "QUERY":
        raise InvalidValue(f"Cannot get the results of a {job.configuration['jobType'].lower()} job: {job}")
    return _answer(job, call, call.number("timeoutMs", WAIT_MS), "bigquery#getQueryResultsResponse")


def _answer(job: Job, call: Call, timeout_ms: int, kind: str) -> Resource:
    """Raises the job's own error if it failed."""
    answer: Resource = {"kind": kind, "jobReference": reference(job), "jobComplete": True}
    if not job.wait(min(timeout_ms, LONGEST_MS) / 1000):
        return answer | {"jobComplete": False}
    if job.error is not None:
        raise job.error
    assert job.result is not None
    statistics = job.result.statistics["query"]
    keys = ("schema", "totalBytesProcessed", "cacheHit", "numDmlAffectedRows", "dmlStats")
    answer |= {key: statistics[key] for key in keys if key in statistics}
    answer |= {"etag": job.id, "creationTime": str(job.created_ms), "endTime": str(job.ended_ms)}
    if "sessionInfo" in job.statistics:
        answer["sessionInfo"] = job.statistics["sessionInfo"]
    rows = job.result.rows
    if rows is not None:
        try:
            answer |= {"totalRows": str(rows.count()), **rows_page(rows, call)}
        except NameUnknown as error:
            raise NotFound("Not found: the table of these rows; it was replaced, altered or dropped since") from error
    return answer


ROUTES: Routes = {
    "POST /projects/{project}/queries": query,
    "GET /projects/{project}/queries/{job}": get_results,
}
