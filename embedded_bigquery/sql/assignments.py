"""Values on their way into columns: the column's type, its declared size, DEFAULT, fields of STRUCTs."""

from __future__ import annotations

from collections.abc import Sequence

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql.functions.duckdb_text import fail, is_short, let, literal
from embedded_bigquery.sql.functions.registry import converted
from embedded_bigquery.sql.functions.signatures import coerces
from embedded_bigquery.sql.scope import Lowered
from embedded_bigquery.types import Field, Type, quoted


def stored(value: Lowered, field: Field, *, literal: bool = False) -> str:
    """DuckDB text of the value as the column keeps it; raises InvalidQuery when BigQuery has no such conversion."""
    if value.type is not None and not _fits(value.type, field.type):
        raise InvalidQuery(
            f"Value has type {value.type} which cannot be inserted into column {field.name}, "
            f"which has type {field.type}"
        )
    return sized(converted(value.sql, value.type, field.type), field)


def _fits(given: Type, wanted: Type) -> bool:
    if given.is_array and wanted.is_array and given.element and wanted.element:
        return _fits(given.element, wanted.element)
    return coerces(given, wanted, literal=True) is not None


def sized(sql: str, field: Field) -> str:
    """The value within the sizes that the column and its fields declare; an error of the engine's when it is not."""
    if not _is_sized(field):
        return sql
    kind = field.type
    if kind.is_array and kind.element is not None:
        inner = sized("item_", Field(field.name, kind.element, parameters=field.parameters))
        return f"list_transform({sql}, lambda item_: {inner})"
    if kind.is_struct:
        parts = ", ".join(
            f"{quoted(name)} := {sized(f'v_.{quoted(name)}', inner)}" for name, inner in kind.storage_fields()
        )
        return let(sql, f"CASE WHEN v_ IS NULL THEN NULL ELSE struct_pack({parts}) END")
    return fitted(sql, kind, field.parameters, field.name)


def _is_sized(field: Field) -> bool:
    inner = field.type.element or field.type
    return bool(field.parameters) or any(_is_sized(member) for member in inner.fields)


def fitted(sql: str, kind: Type, sizes: Sequence[int], name: str = "", *, safe: bool = False) -> str:
    """A STRING, BYTES or decimal within its size: NUMERIC is rounded to its scale, what is too long is an error."""
    if not is_short(sql):
        return let(sql, fitted("v_", kind, sizes, name, safe=safe))
    subject = f"Field {name}: " if name else ""
    if kind.kind in ("STRING", "BYTES"):
        length = f"{'length' if kind.kind == 'STRING' else 'octet_length'}({sql})"
        said = literal(f"{subject}{kind}({sizes[0]}) has maximum length {sizes[0]} but got a value with length ")
        return f"CASE WHEN {length} > {sizes[0]} THEN {fail(f'{said} || {length}', safe=safe)} ELSE {sql} END"
    precision, scale = sizes[0], sizes[1] if len(sizes) > 1 else 0
    if kind.kind == "BIGNUMERIC":
        found = f"bq_big_fitted({sql}, {precision}, {scale})"
        said = literal(f"{subject}{kind}({precision}, {scale}) got a value that is not in range: ")
        wrong = f"CASE WHEN {sql} IS NOT NULL THEN {fail(f'{said} || bq_big_text({sql})', safe=safe)} END"
        return f"coalesce({found}, {wrong})"
    rounded = f"CAST(round({sql}, {scale}) AS {kind.duckdb()})"
    shown = f"{kind}({precision}, {scale})" if len(sizes) > 1 else f"{kind}({precision})"
    said = literal(
        f"{subject}{shown} has precision {precision} and scale {scale} but got a value that is not in range: "
    )
    limit = f"CAST(1e{precision - scale} AS DOUBLE)"
    message = f"{said} || CAST({sql} AS VARCHAR)"
    return f"CASE WHEN abs(CAST({rounded} AS DOUBLE)) >= {limit} THEN {fail(message, safe=safe)} ELSE {rounded} END"


def with_field(kind: Type, sql: str, changes: dict[tuple[str, ...], str], name: str) -> str:
    """The STRUCT `sql` with the fields at those paths (lower case) changed; a NULL struct becomes one of NULLs."""
    known = {field.name.lower() for field in kind.fields}
    for path in changes:
        if path[0] not in known:
            raise InvalidQuery(f"Field name {path[0]} does not exist in {kind} of column {name}")
    parts = []
    for stored_name, field in kind.storage_fields():
        own = {path[1:]: value for path, value in changes.items() if path[0] == field.name.lower()}
        before = f"({sql}).{quoted(stored_name)}"
        if () in own and len(own) > 1:
            raise InvalidQuery(f"Update item {name}.{field.name} overlaps with another")
        value = own[()] if () in own else with_field(field.type, before, own, f"{name}.{field.name}") if own else before
        parts.append(f"{quoted(stored_name)} := {value}")
    return f"struct_pack({', '.join(parts)})"


def target_field(kind: Type, path: Sequence[str], name: str) -> Field:
    """The field of a STRUCT that a path (of one name or more) means; raises InvalidQuery."""
    for field in kind.fields:
        if field.name.lower() == path[0].lower():
            return field if len(path) == 1 else target_field(field.type, path[1:], f"{name}.{path[0]}")
    raise InvalidQuery(f"Field name {path[0]} does not exist in {kind}")
