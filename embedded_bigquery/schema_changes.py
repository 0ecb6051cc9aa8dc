"""How a table's columns may change: added at the end, relaxed, described anew; by name, in records too.

Source: "Modifying table schemas", docs.cloud.google.com/bigquery/docs/managing-table-schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from embedded_bigquery.types import Field, Type, quoted

Default = Callable[[Field], str]  # a column -> its default value as DuckDB text


class Mismatch(Exception):
    """Why one schema cannot become the other."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What one who brings a schema may do with it."""

    adds: bool = True  # columns
    relaxes: bool = True  # REQUIRED columns
    omits: bool = False  # columns that are not in the new schema stay; else they are missed


def evolved(old: Sequence[Field], new: Sequence[Field], rules: Rules, path: str = "") -> tuple[Field, ...]:
    """The columns once the new schema is applied; raises Mismatch."""
    given = {field.name.lower(): field for field in new}
    known = {field.name.lower() for field in old}
    added = [field for name, field in given.items() if name not in known]
    for field in added:
        if not rules.adds:
            raise Mismatch(f"Cannot add fields (field: {path}{field.name})")
        if field.required:
            raise Mismatch(f"Cannot add required fields to an existing schema. (field: {path}{field.name})")
    return (*(_changed(field, given.get(field.name.lower()), rules, path) for field in old), *added)


def _changed(before: Field, after: Field | None, rules: Rules, path: str) -> Field:
    name = f"{path}{before.name}"
    if after is None:
        if not rules.omits:
            raise Mismatch(f"Field {name} is missing in new schema")
        if before.required and not rules.relaxes:
            raise Mismatch(f"Missing required field: {name}")
        return replace(before, required=False)
    was, mode = _mode(before), _mode(after)
    if was != mode and not (rules.relaxes and (was, mode) == ("REQUIRED", "NULLABLE")):
        raise Mismatch(f"Field {name} has changed mode from {was} to {mode}")
    one, other = _element(before.type), _element(after.type)
    if (one.kind, one.element) != (other.kind, other.element):
        raise Mismatch(f"Field {name} has changed type from {_shown(before)} to {_shown(after)}")
    if one.is_struct:
        inner = Type("STRUCT", fields=evolved(one.fields, other.fields, rules, f"{name}."))
        kind = Type("ARRAY", element=inner) if before.type.is_array else inner
    else:
        kind = before.type
    if rules.omits:
        return replace(before, type=kind, required=after.required)
    if narrows(before, after):
        raise Mismatch(f"Field {name} has changed to a size that holds less")
    return replace(after, name=before.name, type=kind)


def narrows(old: Field, new: Field) -> bool:
    """Whether the new sizes hold less than the old ones; none at all hold the most."""
    if not new.parameters or not old.parameters:
        return bool(new.parameters)
    before, after = (*old.parameters, 0)[:2], (*new.parameters, 0)[:2]
    return after[1] < before[1] or after[0] - after[1] < before[0] - before[1]


def _element(kind: Type) -> Type:
    return kind.element if kind.is_array and kind.element is not None else kind


def _mode(field: Field) -> str:
    return str(field.api()["mode"])


def _shown(field: Field) -> str:
    return str(field.api()["type"])


def statements(
    old: Sequence[Field], new: Sequence[Field], definition: Callable[[Field], str], default: Default | None
) -> Iterator[str]:
    """What follows ALTER TABLE name in DuckDB for each change that rows are stored differently for.

    `definition` gives a column as DuckDB's CREATE TABLE has it.
    """
    for place, field in _added(old, new):
        yield f"ADD COLUMN {place}{definition(field)}"
    for before, after in zip(old, new, strict=False):
        if before.required and not after.required:
            yield f"ALTER COLUMN {quoted(after.name)} DROP NOT NULL"
        if before.default != after.default and default is not None:
            action = "DROP DEFAULT" if after.default is None else f"SET DEFAULT ({default(after)})"
            yield f"ALTER COLUMN {quoted(after.name)} {action}"


def _added(old: Sequence[Field], new: Sequence[Field], place: str = "") -> Iterator[tuple[str, Field]]:
    """The columns that are new at the end of the table or of a record, each with what DuckDB wants before its name."""
    for before, after in zip(old, new, strict=False):
        inside = f"{place}{quoted(before.name)}.{'element.' if before.type.is_array else ''}"
        yield from _added(_element(before.type).fields, _element(after.type).fields, inside)
    for field in new[len(old) :]:
        yield place, field
