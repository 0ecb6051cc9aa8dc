"""One partition of a table by its id, as in `table$20130107`.

Source: "Manage partitioned tables", docs.cloud.google.com/bigquery/docs/managing-partitioned-tables.
"""

from __future__ import annotations

import re

from embedded_bigquery.catalog import Resource
from embedded_bigquery.errors import InvalidValue
from embedded_bigquery.sql.environment import TablePath
from embedded_bigquery.types import quoted

PARTITION_TIME = "_PARTITIONTIME"
SUMMARY = "__PARTITIONS_SUMMARY__"  # stands for the list of the partitions
FORMS = {
    "HOUR": ("%Y%m%d%H", r"\d{10}"),
    "DAY": ("%Y%m%d", r"\d{8}"),
    "MONTH": ("%Y%m", r"\d{6}"),
    "YEAR": ("%Y", r"\d{4}"),
}


def split(path: TablePath) -> tuple[TablePath, str | None]:
    """The table, and the id of the partition if the name has one."""
    name, dollar, id = path.name.partition("$")
    return TablePath(path.project, path.dataset, name), id if dollar else None


def identifier_sql(resource: Resource) -> str | None:
    """The id of a row's partition as DuckDB text; None when the table has no partitions."""
    time, numbers = resource.get("timePartitioning"), resource.get("rangePartitioning")
    if time is not None:
        form, _ = FORMS[time.get("type", "DAY")]
        return f"coalesce(strftime({quoted(time.get('field') or PARTITION_TIME)}, '{form}'), '__NULL__')"
    if numbers is None:
        return None
    column, bounds = quoted(numbers["field"]), numbers["range"]
    start, end, step = bounds["start"], bounds["end"], bounds["interval"]
    bucket = f"CAST({column} - ({column} - {start}) % {step} AS VARCHAR)"
    return (
        f"CASE WHEN {column} IS NULL THEN '__NULL__' WHEN {column} < {start} OR {column} >= {end} "
        f"THEN '__UNPARTITIONED__' ELSE {bucket} END"
    )


def required_identifier_sql(resource: Resource) -> str:
    """Raises InvalidValue."""
    identifier = identifier_sql(resource)
    if identifier is None:
        name = resource["tableReference"]["tableId"]
        raise InvalidValue(f"Cannot address a partition of {name}: the table is not partitioned")
    return identifier


def condition_sql(resource: Resource, id: str) -> str:
    """What holds for the rows of the partition, as DuckDB text; raises InvalidValue."""
    identifier, name = required_identifier_sql(resource), resource["tableReference"]["tableId"]
    time = resource.get("timePartitioning")
    pattern = r"-?\d+|__UNPARTITIONED__" if time is None else FORMS[time.get("type", "DAY")][1]
    if not re.fullmatch(rf"{pattern}|__NULL__", id):
        raise InvalidValue(f"Invalid partition id {id} in {name}${id}")
    return f"{identifier} = '{id}'"


def start_sql(resource: Resource, id: str) -> str | None:
    """The _PARTITIONTIME of the partition's rows as DuckDB text; None when it is no column of the table."""
    time = resource.get("timePartitioning")
    if time is None or "field" in time:
        return None
    if id == "__NULL__":
        return "NULL"
    return f"CAST(strptime('{id}', '{FORMS[time.get('type', 'DAY')][0]}') AS TIMESTAMPTZ)"
