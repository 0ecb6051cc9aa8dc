"""TABLE_CONSTRAINTS, KEY_COLUMN_USAGE and CONSTRAINT_COLUMN_USAGE: keys, which nothing enforces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from embedded_bigquery.information_schema.views import TABLE, Row, View, Where


@dataclass(frozen=True, slots=True)
class _Key:
    names: Row  # of the constraint and of its table
    kind: str  # PRIMARY KEY or FOREIGN KEY
    columns: tuple[str, ...]
    referenced: tuple[str, ...]  # those of the other table, or its own
    table: Row  # of the referenced columns


def _keys(where: Where) -> Iterator[_Key]:
    for names, table in where.tables():
        constraints = table.get("tableConstraints") or {}

        def named(name: str, names: Row = names) -> Row:
            return {
                **names,
                "constraint_catalog": names["table_catalog"],
                "constraint_schema": names["table_schema"],
                "constraint_name": f"{names['table_name']}.{name}",
            }

        primary = constraints.get("primaryKey")
        if primary:
            columns = tuple(primary["columns"])
            yield _Key(named("pk$"), "PRIMARY KEY", columns, columns, names)
        for key in constraints.get("foreignKeys", ()):
            pairs = [(pair["referencingColumn"], pair["referencedColumn"]) for pair in key["columnReferences"]]
            own, other = zip(*pairs, strict=True)
            reference = key["referencedTable"]
            target = {
                "table_catalog": reference.get("projectId", where.project),
                "table_schema": reference["datasetId"],
                "table_name": reference["tableId"],
            }
            yield _Key(named(key["name"]), "FOREIGN KEY", own, other, target)


def _constraints(where: Where) -> Iterator[Row]:
    fixed = {"is_deferrable": "NO", "initially_deferred": "NO", "enforced": "NO"}
    for key in _keys(where):
        yield {**key.names, **fixed, "constraint_type": key.kind}


def _key_columns(where: Where) -> Iterator[Row]:
    for key in _keys(where):
        for position, column in enumerate(key.columns, 1):
            foreign = position if key.kind == "FOREIGN KEY" else None
            where_it_is = {"ordinal_position": position, "position_in_unique_constraint": foreign}
            yield {**key.names, "column_name": column, **where_it_is}


def _constrained_columns(where: Where) -> Iterator[Row]:
    """The columns that a key needs: its own of a primary key, the referenced ones of a foreign key."""
    for key in _keys(where):
        for column in key.referenced:
            yield {**key.names, **key.table, "column_name": column}


CONSTRAINT = "constraint_catalog STRING, constraint_schema STRING, constraint_name STRING"
VIEWS = {
    "TABLE_CONSTRAINTS": View(
        f"{CONSTRAINT}, {TABLE}, constraint_type STRING, is_deferrable STRING, initially_deferred STRING, "
        "enforced STRING",
        _constraints,
        "DATASET",
    ),
    "KEY_COLUMN_USAGE": View(
        f"{CONSTRAINT}, {TABLE}, column_name STRING, ordinal_position INT64, position_in_unique_constraint INT64",
        _key_columns,
        "DATASET",
    ),
    "CONSTRAINT_COLUMN_USAGE": View(f"{TABLE}, column_name STRING, {CONSTRAINT}", _constrained_columns, "DATASET"),
}
