"""Calls of JavaScript functions as DuckDB text: arguments and result travel as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql.environment import Routine
from embedded_bigquery.sql.functions.duckdb_text import literal
from embedded_bigquery.sql.scope import Lowered
from embedded_bigquery.types import Type, quoted

AS_TEXT = ("INT64", "FLOAT64", "NUMERIC", "BIGNUMERIC", "DATE", "TIMESTAMP")
REFUSED = ("DATETIME", "TIME", "INTERVAL", "RANGE", "GEOGRAPHY")


def javascript_call(routine: Routine, values: Sequence[Lowered], over: str) -> Lowered:
    """Raises NotSupported where no JavaScript runs, and for types that JavaScript functions do not take."""
    name = routine.path.name
    if find_spec("py_mini_racer") is None:
        raise NotSupported(f"JavaScript functions ({name}) without the package mini-racer (pip install mini-racer)")
    is_aggregate = routine.kind == "AGGREGATE_FUNCTION"
    if is_aggregate and not all(argument.is_aggregate for argument in routine.arguments):
        raise NotSupported(f"NOT AGGREGATE arguments of JavaScript functions ({name})")
    if routine.options.get("importedLibraries"):
        raise NotSupported(f"libraries of JavaScript functions ({name})")
    returns = routine.returns
    if returns is None:
        raise InvalidQuery(f"JavaScript function {name} must declare what it RETURNS")
    arguments = [[argument.name, _tree(argument.type)] for argument in routine.arguments]
    definition = {"arguments": arguments, "returns": _tree(returns), "body": routine.body, "aggregate": is_aggregate}
    given = ", ".join(f"CAST(to_json({_encoded(v.sql, v.type)}) AS JSON)" for v in values if v.type is not None)
    array = f"to_json([{given}])" if given else "CAST('[]' AS JSON)"
    if is_aggregate:
        array = f"coalesce(to_json(list({array}){over}), '[]')"
    text = f"bq_javascript({literal(json.dumps(definition))}, CAST({array} AS VARCHAR))"
    if returns.kind == "BYTES":
        return Lowered(f"from_base64(CAST(CAST({text} AS JSON) AS VARCHAR[])[1])", returns)
    if returns.kind == "BIGNUMERIC":
        return Lowered(f"bq_big(CAST(CAST({text} AS JSON) AS VARCHAR[])[1])", returns)
    return Lowered(f"CAST(CAST({text} AS JSON) AS {returns.duckdb()}[])[1]", returns)


def _tree(kind: Type | None) -> Any:
    """A type as the wrapper around a function knows it."""
    if kind is None or kind.kind in REFUSED:
        raise NotSupported(f"{kind or 'ANY TYPE'} in a JavaScript function")
    if kind.is_array:
        return {"array": _tree(kind.element)}
    if kind.is_struct:
        return {"struct": [[name, _tree(field.type)] for name, field in kind.storage_fields()]}
    return kind.kind


def _encoded(sql: str, kind: Type | None) -> str:
    """The value with text in place of what JSON cannot hold."""
    if kind is None or kind.kind in ("BOOL", "STRING", "JSON"):
        return sql
    if kind.kind == "BYTES":
        return f"to_base64({sql})"
    if kind.kind == "TIMESTAMP":
        return f"strftime(timezone('UTC', {sql}), '%Y-%m-%dT%H:%M:%S.%gZ')"
    if kind.kind == "BIGNUMERIC":
        return f"bq_big_text({sql})"
    if kind.kind in AS_TEXT:
        return f"CAST({sql} AS VARCHAR)"
    if kind.is_array:
        return f"list_transform({sql}, lambda item_: {_encoded('item_', kind.element)})"
    parts = ", ".join(f"{quoted(n)} := {_encoded(f'({sql}).{quoted(n)}', f.type)}" for n, f in kind.storage_fields())
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE struct_pack({parts}) END"
