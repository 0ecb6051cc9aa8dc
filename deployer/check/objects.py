"""The objects of the warehouse as definitions: of a view or a function only its analysis tells what it gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deployer.check.analyzer import columns_of, part_of, unwrapped
from deployer.check.definitions import (
    Definition,
    Function,
    Path,
    Table,
    TableFunction,
    Unknown,
    declared,
    parameters,
    partition_column,
)
from deployer.check.syntax import Node, Source
from deployer.check.types import UnknownType, text_of


def definition_of(
    create: Node, resolved: Any, source: Source, find: Callable[[Path], tuple[Path, Definition] | None]
) -> Definition:
    """What a CREATE makes, as the analyzer resolved it; Unknown when it did not."""
    made = declared(create, source)
    if made is not None:
        return made
    for part in ("like_table_name", "clone_data_source", "copy_data_source"):
        copied = create.one(part)
        path = (copied.one("path_expr") or copied) if copied is not None else None
        known = find(path.path) if path is not None else None
        if known is not None and isinstance(known[1], Table):
            return known[1]
    if resolved is None:
        return Unknown()
    try:
        return _resolved(create, unwrapped(resolved))
    except UnknownType:
        return Unknown()


def _resolved(create: Node, statement: Any) -> Definition:
    declaration = create.one("function_declaration")
    if declaration is None:
        columns = columns_of(statement)
        return Table(columns, partition_column(create)) if columns else Unknown()
    listed = parameters(declaration.one("parameters"))
    if create.kind == "CreateTableFunctionStatement":
        columns = columns_of(statement)
        return TableFunction(listed, columns) if columns else Unknown()
    returns = part_of(statement, "signature").return_type.type
    return Function(listed, text_of(returns), bool(create.value("is_aggregate")))
