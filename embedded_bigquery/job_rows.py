"""Jobs as rows of INFORMATION_SCHEMA.JOBS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from embedded_bigquery.jobs import Job, Jobs
from embedded_bigquery.results import destination
from embedded_bigquery.sql.environment import USER

Row = dict[str, Any]


def job_rows(jobs: Jobs, project: str) -> list[Row]:
    return [_row(job) for job in jobs.known(project)]


def _row(job: Job) -> Row:
    kind, state = job.configuration["jobType"], job.state
    config, target = job.configuration.get(kind.lower(), {}), destination(job)
    statistics = job.statistics | (job.result.statistics if job.result is not None else {})
    query = statistics.get("query", {})
    counts = query.get("dmlStats")
    error = None if job.error is None else job.error.proto()
    row = {
        "creation_time": _time(job.created_ms),
        "project_id": job.project,
        "user_email": USER,
        "job_id": job.id,
        "job_type": kind,
        "statement_type": query.get("statementType"),
        "priority": config.get("priority", "INTERACTIVE") if kind == "QUERY" else None,
        "start_time": _time(job.started_ms),
        "end_time": _time(job.ended_ms) if state == "DONE" else None,
        "query": config.get("query"),
        "state": state,
        "total_bytes_processed": statistics.get("totalBytesProcessed"),
        "error_result": error,
        "cache_hit": query.get("cacheHit"),
        "destination_table": None if target is None else _table(target),
        "referenced_tables": [_table(table) for table in query.get("referencedTables", ())],
        "labels": [{"key": key, "value": value} for key, value in job.configuration.get("labels", {}).items()],
        "total_bytes_billed": query.get("totalBytesBilled"),
        "parent_job_id": None if job.parent is None else job.parent.id,
        "session_info": {"session_id": id} if (id := statistics.get("sessionInfo", {}).get("sessionId")) else None,
        "dml_statistics": None if counts is None else {_snake(name): count for name, count in counts.items()},
        "query_dialect": "GOOGLE_SQL" if kind == "QUERY" else None,
        "total_slot_ms": job.slot_ms if state == "DONE" else None,
        "transaction_id": statistics.get("transactionInfo", {}).get("transactionId"),
        "job_creation_reason": {"code": "REQUESTED"},
        "continuous": False if kind == "QUERY" else None,
    }
    return {name: value for name, value in row.items() if value is not None}


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()


def _table(reference: dict[str, str]) -> Row:
    return {_snake(name): value for name, value in reference.items()}


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
