"""JOBS and its kin: the columns that the engine can answer.

Source: "JOBS view" and "JOBS_TIMELINE view", docs.cloud.google.com/bigquery/docs.
"""

from __future__ import annotations

from collections.abc import Iterable

from embedded_bigquery.information_schema.views import Row, View, Where, rows_sql

REFERENCE = "STRUCT<project_id STRING, dataset_id STRING, table_id STRING>"
ERROR = "STRUCT<reason STRING, location STRING, debug_info STRING, message STRING>"
OF_PERIOD = (
    *("project_id", "project_number", "user_email", "job_id", "job_type", "statement_type", "priority"),
    *("parent_job_id", "reservation_id", "total_bytes_processed", "total_bytes_billed", "error_result", "cache_hit"),
)


def _jobs(where: Where) -> Iterable[Row]:
    return where.catalog.job_rows(where.project) if where.region in (None, where.catalog.location.lower()) else ()


def _periods(where: Where) -> str:
    """One row for each second in which the job ran."""
    return f"""(
        SELECT
            unnest(generate_series(date_trunc('second', start_time), coalesce(end_time, now()), INTERVAL 1 SECOND))
                AS period_start,
            CAST(NULL AS BIGINT) AS period_slot_ms,
            creation_time AS job_creation_time, start_time AS job_start_time, end_time AS job_end_time,
            CASE WHEN period_start + INTERVAL 1 SECOND <= coalesce(end_time, now()) THEN 'RUNNING' ELSE state END
                AS state,
            {", ".join(OF_PERIOD)}
        FROM {rows_sql(JOBS.fields(), _jobs(where))} WHERE start_time IS NOT NULL)"""


JOBS = View(
    "bi_engine_statistics STRUCT<bi_engine_mode STRING, acceleration_mode STRING>, cache_hit BOOL, "
    f"creation_time TIMESTAMP, destination_table {REFERENCE}, "
    "dml_statistics STRUCT<inserted_row_count INT64, deleted_row_count INT64, updated_row_count INT64>, "
    f"end_time TIMESTAMP, error_result {ERROR}, job_creation_reason STRUCT<code STRING>, job_id STRING, "
    "job_type STRING, labels ARRAY<STRUCT<key STRING, value STRING>>, parent_job_id STRING, priority STRING, "
    f"project_id STRING, project_number INT64, query STRING, referenced_tables ARRAY<{REFERENCE}>, "
    "reservation_id STRING, edition STRING, session_info STRUCT<session_id STRING>, start_time TIMESTAMP, "
    "state STRING, statement_type STRING, total_bytes_billed INT64, total_bytes_processed INT64, "
    "total_modified_partitions INT64, total_slot_ms INT64, total_services_sku_slot_ms INT64, transaction_id STRING, "
    "user_email STRING, principal_subject STRING, "
    "query_info STRUCT<resource_warning STRING, query_hashes STRUCT<normalized_literals STRING>>, "
    "transferred_bytes INT64, query_dialect STRING, continuous BOOL, "
    "continuous_query_info STRUCT<output_watermark TIMESTAMP>",
    _jobs,
    "PROJECT",
)
TIMELINE = View(
    "period_start TIMESTAMP, period_slot_ms INT64, job_creation_time TIMESTAMP, job_start_time TIMESTAMP, "
    "job_end_time TIMESTAMP, state STRING, project_id STRING, project_number INT64, user_email STRING, job_id STRING, "
    "job_type STRING, statement_type STRING, priority STRING, parent_job_id STRING, reservation_id STRING, "
    f"total_bytes_processed INT64, total_bytes_billed INT64, error_result {ERROR}, cache_hit BOOL",
    _periods,
    "PROJECT",
)
VIEWS = {
    **dict.fromkeys(("JOBS", "JOBS_BY_PROJECT", "JOBS_BY_USER"), JOBS),
    **dict.fromkeys(("JOBS_TIMELINE", "JOBS_TIMELINE_BY_PROJECT", "JOBS_TIMELINE_BY_USER"), TIMELINE),
}
