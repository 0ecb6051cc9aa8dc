"""What the views of INFORMATION_SCHEMA are made of: columns, and rows as Python values or as DuckDB text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from embedded_bigquery.catalog import Catalog, Resource, path_of
from embedded_bigquery.sql.columns import ColumnParser
from embedded_bigquery.sql.functions.duckdb_text import literal
from embedded_bigquery.sql.tokens import Tokens
from embedded_bigquery.types import Field, Type, array_of, struct_of

Row = dict[str, Any]
NULL = "NULL"  # the text that BigQuery has in some columns where there is nothing


@dataclass(frozen=True, slots=True)
class Where:
    """Whose objects a view tells of."""

    catalog: Catalog
    project: str
    dataset: str | None  # None: all of the project
    region: str | None  # "eu": those that are there

    def datasets(self) -> list[Resource]:
        if self.dataset is not None:
            return [self.catalog.required_dataset(self.project, self.dataset)]
        own = self.catalog.location
        found = self.catalog.datasets(self.project)
        return [item for item in found if self.region in (None, str(item.get("location", own)).lower())]

    def tables(self) -> Iterator[tuple[Row, Resource]]:
        """Each table with the columns that say its name."""
        for dataset in self.datasets():
            for table in self.catalog.tables(self.project, path_of(dataset).dataset):
                path = path_of(table)
                yield {"table_catalog": path.project, "table_schema": path.dataset, "table_name": path.name}, table

    def routines(self) -> Iterator[tuple[Row, Resource]]:
        for dataset in self.datasets():
            for routine in self.catalog.routines(self.project, path_of(dataset).dataset):
                path = path_of(routine)
                names = ("specific_catalog", "specific_schema", "specific_name")
                yield dict(zip(names, (path.project, path.dataset, path.name), strict=True)), routine


@dataclass(frozen=True, slots=True)
class View:
    """`columns` in GoogleSQL, `rows` as dicts by column, or the DuckDB text of a query whose columns they are.

    `scope` is what a name has to say before INFORMATION_SCHEMA: BOTH a dataset or a region, DATASET a dataset,
    PROJECT neither.
    """

    columns: str
    rows: Callable[[Where], Iterable[Row] | str]
    scope: Literal["BOTH", "DATASET", "PROJECT"] = "BOTH"

    def fields(self) -> tuple[Field, ...]:
        return parsed(self.columns)


@cache
def parsed(columns: str) -> tuple[Field, ...]:
    """The columns of a list such as `table_name STRING, policy_tags ARRAY<STRING>`."""
    return ColumnParser(Tokens(f"({columns})"), lambda expression: None).columns()[0]


def rows_sql(fields: tuple[Field, ...], rows: Iterable[Row]) -> str:
    """The rows as a DuckDB subquery; columns that a row does not have are NULL."""
    kind = array_of(struct_of(*((field.name, field.type) for field in fields)))
    given = literal(json.dumps(list(rows)))
    return f"(SELECT row.* FROM (SELECT unnest(from_json({given}, {literal(json.dumps(shape(kind)))})) AS row))"


def shape(kind: Type) -> Any:
    """The type as DuckDB's from_json wants it."""
    if kind.is_array and kind.element is not None:
        return [shape(kind.element)]
    return {field.name: shape(field.type) for field in kind.fields} if kind.is_struct else kind.duckdb()


def yes(value: object) -> str:
    return "YES" if value else "NO"


def time(milliseconds: str | None) -> str | None:
    return None if milliseconds is None else datetime.fromtimestamp(int(milliseconds) / 1000, UTC).isoformat()


def named(pairs: Iterable[tuple[str, str, str]]) -> Iterator[Row]:
    """Options as rows."""
    for name, kind, value in pairs:
        yield {"option_name": name, "option_type": kind, "option_value": value}


TABLE = "table_catalog STRING, table_schema STRING, table_name STRING"
SPECIFIC = "specific_catalog STRING, specific_schema STRING, specific_name STRING"
OPTION = "option_name STRING, option_type STRING, option_value STRING"
POLICIES = "data_policies ARRAY<STRUCT<name STRING>>, policy_tags ARRAY<STRING>"
