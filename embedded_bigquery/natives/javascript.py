"""JavaScript functions, run by V8 through the package mini-racer where it is installed.

Source: "User-defined functions", section "JavaScript UDFs": how values of each type are encoded on either side.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

from embedded_bigquery.natives.native import Native

# `definition` is {"arguments": [[name, type], …], "returns": type, "body": text, "aggregate": bool}; a type is
# a name, {"array": type} or {"struct": [[name, type], …]}. INT64 and what a double cannot hold travel as text.
WRAPPER = r"""
(function (text) {
  const definition = JSON.parse(text);
  function decoded(value, type) {
    if (value === null || value === undefined) return null;
    if (type.array) return value.map(item => decoded(item, type.array));
    if (type.struct) {
      return Object.fromEntries(type.struct.map(([name, inner]) => [name, decoded(value[name], inner)]));
    }
    if (type === "FLOAT64") return Number(value);
    if (type === "NUMERIC" || type === "BIGNUMERIC") {
      return Number.isSafeInteger(Number(value)) ? Number(value) : value.replace(/\.?0+$/, "");
    }
    return type === "TIMESTAMP" || type === "DATE" ? new Date(value) : value;
  }
  function encoded(value, type) {
    if (value === null || value === undefined) return null;
    if (type.array) return Array.from(value, item => encoded(item, type.array));
    if (type.struct) {
      return Object.fromEntries(type.struct.map(([name, inner]) => [name, encoded(value[name], inner)]));
    }
    if (type === "JSON") return value;
    if (type === "BOOL") return Boolean(value);
    if (type === "INT64") {
      if (!/^[+-]?\d+$/.test(String(value))) throw new Error(`Failed to coerce output value ${value} to type INT64`);
      return String(value);
    }
    if (value instanceof Date) return type === "DATE" ? value.toISOString().slice(0, 10) : value.toISOString();
    return String(value);
  }
  const given = values => definition.arguments.map(([, type], position) => decoded(values[position], type));
  let run;
  if (definition.aggregate) {
    const source = definition.body.replace(/^\s*export\s+/gm, "");
    const {initialState, aggregate, finalize} = new Function(
      source + "\nreturn {initialState, aggregate, finalize};")();
    run = rows => {
      const state = initialState();
      for (const row of rows) aggregate(state, ...given(row));
      return finalize(state);
    };
  } else {
    const body = new Function(...definition.arguments.map(([name]) => name), definition.body);
    run = values => body(...given(values));
  }
  return values => JSON.stringify([encoded(run(JSON.parse(values)), definition.returns)]);
})
"""


@lru_cache(maxsize=32)
def function_of(definition: str) -> tuple[Callable[[str], Any], Any]:
    """The function, and the JavaScript context that must live as long as it does."""
    context = import_module("py_mini_racer").MiniRacer()
    return context.eval(WRAPPER)(definition), context


def call(definition: str, arguments: str) -> str:
    """The result as a JSON array of one; raises ValueError with what the function threw."""
    try:
        return str(function_of(definition)[0](arguments))
    except import_module("py_mini_racer").JSEvalException as error:
        raise ValueError(str(error).split("\n", 1)[0].split(": ", 1)[-1]) from error


NATIVES = (Native("bq_javascript", call, ("VARCHAR", "VARCHAR"), "VARCHAR"),)
