"""The `jobs` resource."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from embedded_bigquery import checks
from embedded_bigquery.api import shapes
from embedded_bigquery.api.call import Answer, Call, Routes, disagreement, page
from embedded_bigquery.catalog import Resource
from embedded_bigquery.copy import run_copy
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import InvalidValue, NotSupported
from embedded_bigquery.extract import run_extract
from embedded_bigquery.jobs import Job, Result
from embedded_bigquery.load import run_load
from embedded_bigquery.query import run_query
from embedded_bigquery.results import destination
from embedded_bigquery.sql.environment import USER

STATES = ("PENDING", "RUNNING", "DONE")
# Seconds that jobs.insert waits, so that a short job is DONE in its first answer. The client asks for the end of a
# query without a break, and for that of any other job once a second.
SHORT = {"QUERY": 0.02, "LOAD": 1.0, "COPY": 1.0, "EXTRACT": 1.0}


def start(engine: Engine, project: str, body: Resource, file: Path | None = None) -> Job:
    """Starts the job that a Job resource describes; `file` holds what was uploaded for a load."""
    job = shapes.JOB(body, "")
    configuration = job["configuration"]
    work: Mapping[str, Callable[[Job], Result]] = {
        "query": partial(run_query, engine),
        "load": partial(run_load, engine, file),
        "copy": partial(run_copy, engine),
        "extract": partial(run_extract, engine),
    }
    kinds = [key for key in work if key in configuration]
    if len(kinds) != 1:
        raise InvalidValue(
            "Job configuration must contain exactly one job-specific configuration object (e.g., query, load, extract),"
            f" but there were {len(kinds)}"
        )
    [kind] = kinds
    if configuration.get("dryRun") and kind != "query":
        raise NotSupported(f"dry run of a {kind} job")
    checks.labels(configuration)
    configuration["jobType"] = kind.upper()
    reference = job.get("jobReference") or {}
    given = reference.get("projectId", project)
    if given != project:
        raise InvalidValue(disagreement(given, project))
    id = reference.get("jobId")
    return engine.jobs.submit(project, id, configuration, work[kind])


def insert(engine: Engine, call: Call) -> Resource:
    return first_answer(start(engine, call.project, call.body(shapes.anything)))


def first_answer(job: Job) -> Resource:
    # A dry run is a question: its answer is complete at once.
    if job.is_dry_run:
        job.wait(60)
        if job.error is not None:
            raise job.error
    job.wait(SHORT[job.configuration["jobType"]])
    return shown(job)


def get(engine: Engine, call: Call) -> Resource:
    return shown(engine.jobs.get(call.project, call.names["job"]))


def list_jobs(engine: Engine, call: Call) -> Resource:
    parent = call.query.get("parentJobId")
    if parent is not None:
        engine.jobs.get(call.project, parent)
    state = call.query.get("stateFilter")
    if state is not None and state.upper() not in STATES:
        raise InvalidValue(f"Invalid value for stateFilter: {state} is not a valid value")
    earliest, latest = call.number("minCreationTime", 0), call.number("maxCreationTime", 2**63)
    found = [
        job
        for job in engine.jobs.latest(call.project, parent)
        if (state is None or job.state == state.upper()) and earliest <= job.created_ms <= latest
    ]
    items, token = page(found, call, lambda job: job.order)
    is_minimal = call.query.get("projection", "minimal").lower() != "full"
    listed = []
    for job in items:
        item = shown(job, is_minimal=is_minimal)
        item["state"] = item["status"]["state"]
        if "errorResult" in item["status"]:
            item["errorResult"] = item["status"]["errorResult"]
        listed.append(item)
    return {"kind": "bigquery#jobList", "jobs": listed, **token}


def cancel(engine: Engine, call: Call) -> Resource:
    job = engine.jobs.get(call.project, call.names["job"])
    job.cancel()
    return {"kind": "bigquery#jobCancelResponse", "job": shown(job)}


def delete(engine: Engine, call: Call) -> Answer:
    engine.jobs.delete(call.project, call.names["job"])
    return Answer(204)


def reference(job: Job) -> dict[str, str]:
    return {"projectId": job.project, "jobId": job.id, "location": job.location}


def shown(job: Job, *, is_minimal: bool = False) -> Resource:
    """The API's Job; the minimal one has nothing of the configuration but its kind."""
    state = job.state  # before the rest is read: a job that is done changes no more
    status: Resource = {"state": state}
    if state == "DONE" and job.error is not None:
        status |= {"errorResult": job.error.proto(), "errors": [job.error.proto()]}
    kind = job.configuration["jobType"]
    return {
        "kind": "bigquery#job",
        "etag": f"{job.id}-{state}",
        "id": str(job),
        "selfLink": f"/bigquery/v2/projects/{job.project}/jobs/{job.id}?location={job.location}",
        "user_email": USER,
        "jobReference": reference(job),
        "configuration": {"jobType": kind} if is_minimal else _configuration(job, state),
        "status": status,
        "statistics": _statistics(job, state),
    }


def _configuration(job: Job, state: str) -> Resource:
    """What the job was asked to do, and the table that the rows of a query went to."""
    config = job.configuration
    target = destination(job) if state == "DONE" and config["jobType"] == "QUERY" and not job.is_dry_run else None
    return config if target is None else {**config, "query": {**config["query"], "destinationTable": target}}


def _statistics(job: Job, state: str) -> Resource:
    found: Resource = {"creationTime": str(job.created_ms)}
    if job.started_ms is not None:
        found["startTime"] = str(job.started_ms)
    if state == "DONE":
        found["endTime"] = str(job.ended_ms)
        if job.result is not None:
            found |= job.result.statistics
        if job.configuration["jobType"] == "QUERY" and not job.is_dry_run:
            found |= {"totalSlotMs": str(job.slot_ms), "finalExecutionDurationMs": str(job.slot_ms)}
            if "query" in found:
                found["query"] = {**found["query"], "totalSlotMs": str(job.slot_ms)}
    found |= job.statistics
    if job.parent is not None:
        found["parentJobId"] = job.parent.id
    return found


ROUTES: Routes = {
    "POST /projects/{project}/jobs": insert,
    "GET /projects/{project}/jobs": list_jobs,
    "GET /projects/{project}/jobs/{job}": get,
    "POST /projects/{project}/jobs/{job}/cancel": cancel,
    "DELETE /projects/{project}/jobs/{job}/delete": delete,
}
