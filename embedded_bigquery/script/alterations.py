"""What ALTER makes of a resource, and what DuckDB has to run for it."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace

from embedded_bigquery import tables
from embedded_bigquery.catalog import Resource, fields_of
from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.schema_changes import Default, narrows
from embedded_bigquery.script.options import set_options
from embedded_bigquery.sql.definitions import (
    Action,
    AddColumn,
    AlterColumn,
    DropColumn,
    DropKey,
    Key,
    Place,
    RenameColumn,
    RenameTable,
    SetOptions,
)
from embedded_bigquery.sql.functions.registry import converted
from embedded_bigquery.sql.functions.signatures import coerces
from embedded_bigquery.types import Field, quoted


def altered(resource: Resource, kind: str, actions: Iterable[Action], default: Default) -> tuple[Resource, list[str]]:
    """The resource after the actions, and what follows ALTER TABLE name for each; raises InvalidQuery.

    `kind` is TABLE, VIEW, SCHEMA, …
    """
    alteration = _Alteration(copy.deepcopy(resource), kind, default)
    for action in actions:
        alteration.apply(action)
    if "schema" in resource:
        alteration.resource["schema"] = {"fields": [field.api() for field in alteration.fields]}
    return alteration.resource, alteration.statements


def add_key(resource: Resource, key: Key) -> None:
    """Records the key; raises InvalidQuery for a second primary key."""
    keys = resource.setdefault("tableConstraints", {})
    if not key.references:
        if "primaryKey" in keys:
            raise InvalidQuery("Multiple primary keys are not allowed")
        keys["primaryKey"] = {"columns": list(key.columns)}
        return
    foreign = keys.setdefault("foreignKeys", [])
    own = resource["tableReference"]
    # The nearer parts of a name that is not complete are those of the table itself.
    names = ("projectId", "datasetId", "tableId")
    referenced = {**own, **dict(zip(names[3 - len(key.references) :], key.references, strict=True))}
    pairs = zip(key.columns, key.referenced, strict=True)
    foreign.append(
        {
            "name": key.name or f"fk${len(foreign) + 1}",
            "referencedTable": referenced,
            "columnReferences": [{"referencingColumn": a, "referencedColumn": b} for a, b in pairs],
        }
    )


class _Alteration:
    def __init__(self, resource: Resource, kind: str, default: Default) -> None:
        self.resource, self.kind, self.default = resource, kind, default
        self.fields = list(fields_of(resource))
        self.statements: list[str] = []

    def apply(self, action: Action) -> None:
        if isinstance(action, AddColumn):
            self._add(action)
        elif isinstance(action, DropColumn):
            self._drop(action)
        elif isinstance(action, RenameColumn):
            self._rename(action)
        elif isinstance(action, RenameTable):
            self.resource["tableReference"] = {**self.resource["tableReference"], "tableId": action.name}
            self.statements.append(f"RENAME TO {quoted(action.name)}")
        elif isinstance(action, SetOptions):
            set_options(self.kind, action.options, self.resource)
        elif isinstance(action, AlterColumn):
            self._column(action)
        elif isinstance(action, Key):
            add_key(self.resource, action)
        elif isinstance(action, DropKey):
            self._drop_key(action)

    def _drop_key(self, action: DropKey) -> None:
        keys = self.resource.setdefault("tableConstraints", {})
        if action.name is None:
            found = keys.pop("primaryKey", None)
        else:
            foreign = keys.get("foreignKeys", [])
            found = next((key for key in foreign if key["name"] == action.name), None)
            keys["foreignKeys"] = [key for key in foreign if key is not found]
        if found is None and not action.if_exists:
            raise InvalidQuery(f"Constraint not found: {action.name or 'primary key'}")

    # ---- columns

    def _position(self, name: str, at: Place, *, missing_ok: bool) -> int | None:
        for position, field in enumerate(self.fields):
            if field.name.lower() == name.lower():
                return position
        if missing_ok:
            return None
        raise InvalidQuery(f"Column not found: {name}", at=at)

    def _refuse_structural(self, name: str, verb: str, at: Place) -> None:
        """Raises InvalidQuery for a column that the table's layout or keys are made of."""
        clusters = (self.resource.get("clustering") or {}).get("fields", ())
        keys = self.resource.get("tableConstraints") or {}
        own = [pair["referencingColumn"] for key in keys.get("foreignKeys", ()) for pair in key["columnReferences"]]
        for what, columns in (
            ("partitioning", self._partitioning()),
            ("clustering", clusters),
            ("key", [*(keys.get("primaryKey") or {}).get("columns", ()), *own]),
        ):
            if name.lower() in (column.lower() for column in columns):
                raise InvalidQuery(f"ALTER TABLE {verb} is not supported for the {what} column {name}", at=at)

    def _partitioning(self) -> list[str]:
        layouts = (self.resource.get("timePartitioning") or {}, self.resource.get("rangePartitioning") or {})
        return [layout["field"] for layout in layouts if "field" in layout]

    def _add(self, action: AddColumn) -> None:
        column = action.column
        if any(field.name.lower() == column.name.lower() for field in self.fields):
            if action.if_not_exists:
                return
            raise InvalidQuery(f"Column already exists: {column.name}", at=action.at)
        if column.required:
            raise InvalidQuery(f"Cannot add required columns to an existing schema. (field: {column.name})")
        if column.default is not None:
            raise InvalidQuery(f"Cannot add a column with a default value to an existing table: {column.name}")
        self.fields.append(column)
        self.statements.append(f"ADD COLUMN {tables.column_definition(column)}")

    def _drop(self, action: DropColumn) -> None:
        position = self._position(action.name, action.at, missing_ok=action.if_exists)
        if position is None:
            return
        self._refuse_structural(self.fields[position].name, "DROP COLUMN", action.at)
        self.statements.append(f"DROP COLUMN {quoted(self.fields.pop(position).name)}")
        if not self.fields:
            raise InvalidQuery("ALTER TABLE DROP COLUMN cannot drop all columns from a table.")

    def _rename(self, action: RenameColumn) -> None:
        position = self._position(action.old, action.at, missing_ok=action.if_exists)
        if position is None:
            return
        old = self.fields[position]
        self._refuse_structural(old.name, "RENAME COLUMN", action.at)
        others = self.fields[:position] + self.fields[position + 1 :]
        if any(field.name.lower() == action.new.lower() for field in others):
            raise InvalidQuery(f"Column already exists: {action.new}", at=action.at)
        self.fields[position] = replace(old, name=action.new)
        self.statements.append(f"RENAME COLUMN {quoted(old.name)} TO {quoted(action.new)}")

    def _column(self, action: AlterColumn) -> None:
        position = self._position(action.name, action.at, missing_ok=action.if_exists)
        if position is None:
            return
        field = self.fields[position]
        head = f"ALTER COLUMN {quoted(field.name)}"
        if action.change == "NULLABLE":
            if not field.required:
                raise InvalidQuery(f"ALTER COLUMN DROP NOT NULL is for columns that are NOT NULL: {field.name}")
            self.fields[position] = replace(field, required=False)
            self.statements.append(f"{head} DROP NOT NULL")
        elif action.change == "OPTIONS":
            self.fields[position] = replace(field, description=action.value.get("description", field.description))
        elif action.change == "DEFAULT":
            self.fields[position] = changed = replace(field, default=action.value)
            set_to = "DROP DEFAULT" if action.value is None else f"SET DEFAULT ({self.default(changed)})"
            self.statements.append(f"{head} {set_to}")
        else:
            self._type(position, field, action, head)

    def _type(self, position: int, field: Field, action: AlterColumn, head: str) -> None:
        wanted: Field = action.value
        narrower = wanted.type == field.type and narrows(field, wanted)
        if coerces(field.type, wanted.type) is None or narrower:
            raise InvalidQuery(
                f"ALTER TABLE ALTER COLUMN SET DATA TYPE requires that the existing column type ({field.type}) is "
                f"assignable to the new type ({wanted.type})",
                at=action.at,
            )
        if field.name in self._partitioning() and wanted.type != field.type:
            self._refuse_structural(field.name, "ALTER COLUMN SET DATA TYPE", action.at)
        self.fields[position] = replace(field, type=wanted.type, parameters=wanted.parameters)
        if wanted.type != field.type:
            value = converted(quoted(field.name), field.type, wanted.type)
            self.statements.append(f"{head} SET DATA TYPE {wanted.type.duckdb()} USING {value}")
