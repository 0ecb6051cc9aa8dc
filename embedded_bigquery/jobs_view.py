"""INFORMATION_SCHEMA.JOBS and its kin: the columns that the engine can answer, and their DuckDB text.

Source: "JOBS view" and "JOBS_TIMELINE view", docs.cloud.google.com/bigquery/docs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from embedded_bigquery.sql.functions.duckdb_text import literal
from embedded_bigquery.types import BOOL, INT64, STRING, TIMESTAMP, Field, Type, array_of, struct_of

TABLE = struct_of(("project_id", STRING), ("dataset_id", STRING), ("table_id", STRING))
ERROR = struct_of(("reason", STRING), ("location", STRING), ("debug_info", STRING), ("message", STRING))
COUNTS = struct_of(("inserted_row_count", INT64), ("deleted_row_count", INT64), ("updated_row_count", INT64))
JOB: dict[str, Type] = {
    "creation_time": TIMESTAMP,
    "project_id": STRING,
    "project_number": INT64,
    "user_email": STRING,
    "job_id": STRING,
    "job_type": STRING,
    "statement_type": STRING,
    "priority": STRING,
    "start_time": TIMESTAMP,
    "end_time": TIMESTAMP,
    "query": STRING,
    "state": STRING,
    "reservation_id": STRING,
    "total_bytes_processed": INT64,
    "total_slot_ms": INT64,
    "error_result": ERROR,
    "cache_hit": BOOL,
    "destination_table": TABLE,
    "referenced_tables": array_of(TABLE),
    "labels": array_of(struct_of(("key", STRING), ("value", STRING))),
    "total_bytes_billed": INT64,
    "transaction_id": STRING,
    "parent_job_id": STRING,
    "session_info": struct_of(("session_id", STRING)),
    "dml_statistics": COUNTS,
    "query_dialect": STRING,
}
OF_PERIOD = (
    *("project_id", "project_number", "user_email", "job_id", "job_type", "statement_type", "priority"),
    *("parent_job_id", "reservation_id", "total_bytes_processed", "total_bytes_billed", "error_result", "cache_hit"),
)
PERIOD: dict[str, Type] = {
    "period_start": TIMESTAMP,
    "period_slot_ms": INT64,
    "job_creation_time": TIMESTAMP,
    "job_start_time": TIMESTAMP,
    "job_end_time": TIMESTAMP,
    "state": STRING,
    **{name: JOB[name] for name in OF_PERIOD},
}
VIEWS = {"JOBS": JOB, "JOBS_BY_PROJECT": JOB, "JOBS_BY_USER": JOB, "JOBS_TIMELINE": PERIOD}


def fields(view: str) -> tuple[Field, ...]:
    return tuple(Field(name, kind) for name, kind in VIEWS[view].items())


def sql(view: str, jobs: Sequence[dict[str, Any]]) -> str:
    """The rows as a DuckDB subquery; `jobs` have the columns of JOBS that are not NULL, as JSON has them."""
    shape = json.dumps(_shape(array_of(struct_of(*JOB.items()))))
    text = f"(SELECT job.* FROM (SELECT unnest(from_json({literal(json.dumps(jobs))}, {literal(shape)})) AS job))"
    if VIEWS[view] is JOB:
        return text
    # One row for each second in which the job ran.
    return f"""(
        SELECT
            unnest(generate_series(date_trunc('second', start_time), coalesce(end_time, now()), INTERVAL 1 SECOND))
                AS period_start,
            CAST(NULL AS BIGINT) AS period_slot_ms,
            creation_time AS job_creation_time, start_time AS job_start_time, end_time AS job_end_time,
            CASE WHEN period_start + INTERVAL 1 SECOND <= coalesce(end_time, now()) THEN 'RUNNING' ELSE state END
                AS state,
            {", ".join(OF_PERIOD)}
        FROM {text} WHERE start_time IS NOT NULL)"""


def _shape(kind: Type) -> Any:
    """The type as DuckDB's from_json wants it."""
    if kind.is_array and kind.element is not None:
        return [_shape(kind.element)]
    return {field.name: _shape(field.type) for field in kind.fields} if kind.is_struct else kind.duckdb()
