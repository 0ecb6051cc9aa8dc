"""FORMAT_* and PARSE_* of dates and times: by DuckDB where the format is a literal of elements that both know.

Source: "Format elements for date and time parts" of BigQuery's reference.
"""

from __future__ import annotations

from collections.abc import Callable

from embedded_bigquery.natives.clock import SHORTHANDS, allowed, pieces
from embedded_bigquery.sql.functions.duckdb_text import at_zone, instant_of, let, literal
from embedded_bigquery.sql.functions.parsing import instant
from embedded_bigquery.sql.functions.registry import Call, Function

# The same in both.
WRITTEN = frozenset(f"%{letter}" for letter in "aAbBdHIjmMpSVuwy%")
READ = frozenset(("%Y", "%m", "%d", "%H", "%M", "%S", "%E*S"))


def _expanded(form: str) -> str:
    return "".join(SHORTHANDS.get(piece, piece) for piece in pieces(form))


def _by_duckdb(call: Call, kind: str, known: frozenset[str]) -> str | None:
    """The format without shorthands when DuckDB knows all of its elements, else None."""
    form = call.literal(0)
    if form is None or not all(allowed(piece[1:], kind) for piece in pieces(form) if piece[0] == "%" and piece != "%"):
        return None
    expanded = _expanded(form)
    elements = [piece for piece in pieces(expanded) if piece[0] == "%"]
    return expanded if all(element in known for element in elements) else None


def _format(call: Call) -> str:
    kind = call.name.split("_")[1]
    value = call.text(1)
    if call.kind(1) == "TIMESTAMP":
        local = at_zone(call.text(2) if call.count > 2 else None, value)
    elif kind == "TIME":
        local = f"(DATE '1970-01-01' + {value})"
    else:
        local = f"CAST({value} AS TIMESTAMP)"
    form = _by_duckdb(call, kind, WRITTEN | {"%Y"})
    if form is not None:
        return f"strftime({local}, {literal(form)})"
    offset = f"date_diff('minute', timezone('UTC', {value}), {local})" if kind == "TIMESTAMP" else "0"
    return f"bq_strftime({local}, CAST({offset} AS INTEGER), {call.text(0)}, '{kind}')"


def _parse(call: Call) -> str:
    kind = call.name.split("_")[1]
    value = call.text(1)
    slow = f"bq_strptime({value}, {call.text(0)}, '{kind}')"
    if kind == "TIMESTAMP":
        zone = call.text(2) if call.count > 2 else None
        found = let(slow, instant("v_", zone))
    else:
        found = f"({slow}).local"
    form = _by_duckdb(call, kind, READ)
    if form is not None and "%Y" in form:
        # A fraction of a second may be missing. What DuckDB cannot read may still be right, or needs its message.
        forms = [form.replace("%E*S", "%S.%f"), form.replace("%E*S", "%S")]
        fast = f"try_strptime({value}, [{', '.join(literal(text) for text in dict.fromkeys(forms))}])"
        fast = let(fast, "CASE WHEN v_ >= TIMESTAMP '0001-01-01' THEN v_ END")
        if kind == "TIMESTAMP":
            fast = instant_of(call.text(2) if call.count > 2 else None, fast)
        found = f"coalesce({fast}, {found})"
    return found if kind in ("TIMESTAMP", "DATETIME") else f"CAST({found} AS {kind})"


def _function(verb: str, kind: str, render: Callable[[Call], str]) -> Function:
    name = f"{verb}_{kind}"
    zone = ", [STRING]" if kind == "TIMESTAMP" else ""
    if verb == "PARSE":
        return Function(name, (f"{name}(STRING, STRING{zone}) -> {kind}",), render)
    taken = (kind, "DATETIME", "TIMESTAMP") if kind in ("DATE", "DATETIME") else (kind,)
    return Function(name, tuple(f"{name}(STRING, {k}{zone}) -> STRING" for k in dict.fromkeys(taken)), render)


FUNCTIONS = tuple(
    _function(verb, kind, render)
    for verb, render in (("FORMAT", _format), ("PARSE", _parse))
    for kind in ("DATE", "DATETIME", "TIME", "TIMESTAMP")
)
