"""What ALTER makes of a resource, and what DuckDB has to run for it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from embedded_bigquery import tables
from embedded_bigquery.catalog import Resource, fields_of
from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.schema_changes import Default, narrows
from embedded_bigquery.sql.definitions import (
    Action,
    AddColumn,
    AlterColumn,
    DropColumn,
    DropKey,
    Key,
    RenameColumn,
    RenameTable,
    SetOptions,
)
from embedded_bigquery.sql.functions.registry import converted
from embedded_bigquery.sql.functions.signatures import coerces
from embedded_bigquery.types import Field, quoted


def altered(
    resource: Resource,
    actions: Iterable[Action],
    default: Default,
    options: Callable[[Mapping[str, Any]], Resource],
) -> tuple[Resource, list[str]]:
    """The resource after the actions, and what follows ALTER TABLE name for each; raises InvalidQuery."""
    alteration = _Alteration(copy.deepcopy(resource), default, options)
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
    def __init__(self, resource: Resource, default: Default, options: Callable[[Mapping[str, Any]], Resource]) -> None:
        self.resource, self.default, self.options = resource, default, options
        self.fields = list(fields_of(resource))
        self.statements: list[str] = []

    def apply(self, action: Action) -> None:
        if isinstance(action, AddColumn):
            self._add(action)
        elif isinstance(action, DropColumn):
            position = self._position(action.name, missing_ok=action.if_exists)
            if position is not None:
                self._refuse_structural(self.fields[position].name)
                self.statements.append(f"DROP COLUMN {quoted(self.fields.pop(position).name)}")
        elif isinstance(action, RenameColumn):
            position = self._required(action.old)
            old = self.fields[position]
            self.fields[position] = replace(old, name=action.new)
            self.statements.append(f"RENAME COLUMN {quoted(old.name)} TO {quoted(action.new)}")
        elif isinstance(action, RenameTable):
            self.resource["tableReference"] = {**self.resource["tableReference"], "tableId": action.name}
            self.statements.append(f"RENAME TO {quoted(action.name)}")
        elif isinstance(action, SetOptions):
            self._set_options(action.options)
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

    def _position(self, name: str, *, missing_ok: bool = False) -> int | None:
        for position, field in enumerate(self.fields):
            if field.name.lower() == name.lower():
                return position
        if missing_ok:
            return None
        raise InvalidQuery(f"Column {name} does not exist in the table")

    def _required(self, name: str) -> int:
        found = self._position(name)
        assert found is not None
        return found

    def _refuse_structural(self, name: str) -> None:
        used = {(self.resource.get("timePartitioning") or {}).get("field")}
        used |= {(self.resource.get("rangePartitioning") or {}).get("field")}
        used |= set((self.resource.get("clustering") or {}).get("fields", ()))
        if name in used:
            raise InvalidQuery(f"Column {name} partitions or clusters the table, so it cannot be dropped")

    def _add(self, action: AddColumn) -> None:
        column = action.column
        if any(field.name.lower() == column.name.lower() for field in self.fields):
            if action.if_not_exists:
                return
            raise InvalidQuery(f"Column already exists: {column.name}")
        if column.required:
            raise InvalidQuery(f"Cannot add required columns to an existing schema. (field: {column.name})")
        if column.default is not None:
            raise InvalidQuery(f"Cannot add a column with a default value to an existing table: {column.name}")
        self.fields.append(column)
        self.statements.append(f"ADD COLUMN {tables.column_definition(column)}")

    def _set_options(self, options: Mapping[str, Any]) -> None:
        for key, value in self.options(options).items():
            if value is None:
                self.resource.pop(key, None)
            else:
                self.resource[key] = value
        days = options.get("partition_expiration_days")
        partitioning = self.resource.get("timePartitioning")
        if "partition_expiration_days" in options and partitioning is not None:
            partitioning.pop("expirationMs", None)
            if days is not None:
                partitioning["expirationMs"] = str(int(float(days) * 86_400_000))

    def _column(self, action: AlterColumn) -> None:
        position = self._required(action.name)
        field = self.fields[position]
        head = f"ALTER COLUMN {quoted(field.name)}"
        if action.change == "NULLABLE":
            if not field.required:
                raise InvalidQuery(f"Column {field.name} is not NOT NULL")
            self.fields[position] = replace(field, required=False)
            self.statements.append(f"{head} DROP NOT NULL")
        elif action.change == "OPTIONS":
            self.fields[position] = replace(field, description=action.value.get("description", field.description))
        elif action.change == "DEFAULT":
            self.fields[position] = replace(field, default=action.value)
            set_to = "DROP DEFAULT" if action.value is None else f"SET DEFAULT ({self.default(action.value)})"
            self.statements.append(f"{head} {set_to}")
        else:
            self._type(position, field, action.value, head)

    def _type(self, position: int, field: Field, wanted: Field, head: str) -> None:
        narrower = wanted.type == field.type and narrows(field, wanted)
        if coerces(field.type, wanted.type) is None or narrower:
            raise InvalidQuery(
                f"ALTER TABLE ALTER COLUMN SET DATA TYPE requires that the existing column type ({field.type}) is "
                f"assignable to the new type ({wanted.type})"
            )
        self.fields[position] = replace(field, type=wanted.type, parameters=wanted.parameters)
        if wanted.type != field.type:
            value = converted(quoted(field.name), field.type, wanted.type)
            self.statements.append(f"{head} SET DATA TYPE {wanted.type.duckdb()} USING {value}")
