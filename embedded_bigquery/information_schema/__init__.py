"""INFORMATION_SCHEMA: the catalog and the jobs as views, and __TABLES__.

Source: "Introduction to INFORMATION_SCHEMA" and the page of each view, docs.cloud.google.com/bigquery/docs.
"""

from __future__ import annotations

from embedded_bigquery.catalog import Catalog
from embedded_bigquery.errors import InvalidQuery, NotFound, NotSupported
from embedded_bigquery.information_schema import constraints, jobs, routines, storage, tables
from embedded_bigquery.information_schema.views import Where, rows_sql
from embedded_bigquery.sql.environment import Relation, TablePath

NAME, LEGACY = "INFORMATION_SCHEMA", "__TABLES__"
VIEWS = tables.VIEWS | routines.VIEWS | constraints.VIEWS | storage.VIEWS | jobs.VIEWS
# Views of BigQuery whose subject the engine does not have.
UNSUPPORTED = (
    "ASSIGNMENTS", "ASSIGNMENT_CHANGES", "BI_CAPACITIES", "BI_CAPACITY_CHANGES", "CAPACITY_COMMITMENTS",
    "CAPACITY_COMMITMENT_CHANGES", "EFFECTIVE_PROJECT_OPTIONS", "INSIGHTS", "JOBS_BY_FOLDER", "JOBS_BY_ORGANIZATION",
    "JOBS_TIMELINE_BY_FOLDER", "JOBS_TIMELINE_BY_ORGANIZATION", "OBJECT_PRIVILEGES", "ORGANIZATION_OPTIONS",
    "PROJECT_OPTIONS", "PROPERTY_GRAPHS", "RECOMMENDATIONS", "RESERVATIONS", "RESERVATIONS_TIMELINE",
    "RESERVATION_CHANGES", "SCHEMATA_LINKS", "SCHEMATA_REPLICAS", "SEARCH_INDEXES", "SEARCH_INDEX_COLUMNS",
    "SEARCH_INDEX_OPTIONS", "SESSIONS", "SESSIONS_BY_PROJECT", "SESSIONS_BY_USER", "SHARED_DATASET_USAGE",
    "STREAMING_TIMELINE", "STREAMING_TIMELINE_BY_PROJECT", "TABLE_STORAGE_BY_ORGANIZATION", "TABLE_STORAGE_TIMELINE",
    "TABLE_STORAGE_USAGE_TIMELINE", "VECTOR_INDEXES", "VECTOR_INDEX_COLUMNS", "VECTOR_INDEX_OPTIONS",
    "WRITE_API_TIMELINE", "WRITE_API_TIMELINE_BY_PROJECT",
)  # fmt: skip


def relation(catalog: Catalog, parts: tuple[str, ...], default_dataset: str | None = None) -> Relation | None:
    """The view that a path such as (project, dataset, INFORMATION_SCHEMA, TABLES) means; None for other paths.

    Raises NotFound for a view or dataset that does not exist, InvalidQuery for a path that says too little.
    """
    upper = [part.upper() for part in parts]
    if upper[-1] == LEGACY:
        before, name = parts[:-1], LEGACY
    elif NAME in upper[:-1]:
        position = upper.index(NAME)
        before, name = parts[:position], parts[position + 1]
    else:
        return None
    where = _where(catalog, before)
    view = VIEWS.get(name)
    if view is None:
        if name in UNSUPPORTED:
            raise NotSupported(f"{NAME}.{name}")
        raise NotFound(f"Not found: Table {'.'.join(parts)} was not found in location {catalog.location}")
    if where.dataset is None and (view.scope == "DATASET" or (view.scope == "BOTH" and where.region is None)):
        if default_dataset is None or where.region is not None:
            raise InvalidQuery(f'Table "{NAME}.{name}" must be qualified with a dataset (e.g. dataset.table).')
        where = Where(catalog, where.project, default_dataset, None)
    if where.dataset is not None:
        catalog.required_dataset(where.project, where.dataset)
    fields, rows = view.fields(), view.rows(where)
    sql = rows if isinstance(rows, str) else rows_sql(fields, rows)
    return Relation(TablePath(where.project, where.dataset or "", f"{NAME}.{name}"), fields, sql, kind=NAME)


def _where(catalog: Catalog, before: tuple[str, ...]) -> Where:
    """What stands before INFORMATION_SCHEMA: project, and a dataset or region."""
    region = next((part for part in before if part.lower().startswith("region-")), None)
    names = [part for part in before if part is not region]
    dataset = None if region is not None or not names else names[-1]
    project = names[0] if len(names) > (dataset is not None) else catalog.project
    return Where(catalog, project, dataset, None if region is None else region.lower().removeprefix("region-"))
