"""FORMAT_* and PARSE_* of dates and times: BigQuery's format elements by DuckDB's.

Source: "Format elements for date and time parts" of BigQuery's reference. The format must be a literal.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from embedded_bigquery.errors import NotSupported
from embedded_bigquery.sql.functions.duckdb_text import fail, let, literal
from embedded_bigquery.sql.functions.registry import Call, Function

ELEMENT = re.compile(r"%(E[*0-9]S|E4Y|Ez|.)")
# Elements that stand for others.
SHORTHANDS = {
    "%F": "%Y-%m-%d",
    "%T": "%H:%M:%S",
    "%R": "%H:%M",
    "%D": "%m/%d/%y",
    "%x": "%m/%d/%y",
    "%X": "%H:%M:%S",
    "%c": "%a %b %e %H:%M:%S %Y",
    "%r": "%I:%M:%S %p",
    "%h": "%b",
    "%E4Y": "%Y",
    "%n": "\n",
    "%t": "\t",
}
# The same in both.
SHARED = frozenset(f"%{letter}" for letter in "aAbBdHIjmMpSuUVwWyYG%")
# DuckDB text of what strftime lacks; v_ is the local time as a TIMESTAMP.
COMPUTED = {
    "%e": "lpad(CAST(day(v_) AS VARCHAR), 2, ' ')",
    "%k": "lpad(CAST(hour(v_) AS VARCHAR), 2, ' ')",
    "%l": "lpad(CAST((hour(v_) + 11) % 12 + 1 AS VARCHAR), 2, ' ')",
    "%Q": "CAST(quarter(v_) AS VARCHAR)",
    "%C": "lpad(CAST(year(v_) // 100 AS VARCHAR), 2, '0')",
    "%g": "lpad(CAST(isoyear(v_) % 100 AS VARCHAR), 2, '0')",
    "%P": "lower(strftime(v_, '%p'))",
    "%E*S": "rtrim(rtrim(strftime(v_, '%S.%f'), '0'), '.')",
    **{
        f"%E{digits}S": f"left(strftime(v_, '%S.%f'), {3 + digits})" if digits else "strftime(v_, '%S')"
        for digits in range(7)
    },
}


def _expanded(form: str) -> str:
    for _ in range(2):  # %c holds no shorthand that holds one itself
        form = ELEMENT.sub(lambda found: SHORTHANDS.get(found.group(), found.group()), form)
    return form


def _literal_format(call: Call) -> str:
    form = call.literal(0)
    if form is None:
        raise NotSupported(f"{call.name} with a format that is no literal")
    return _expanded(form)


def _format(call: Call) -> str:
    kind = call.name.split("_")[1]
    form = _literal_format(call)
    zone = call.text(2) if call.count > 2 else "'UTC'"
    value = call.text(1)
    if kind == "TIMESTAMP":
        local = f"timezone({zone}, {value})"
    elif kind == "TIME":
        local = f"(DATE '1970-01-01' + {value})"
    else:
        local = f"CAST({value} AS TIMESTAMP)"
    offset = f"date_diff('minute', timezone('UTC', {value}), {local})" if kind == "TIMESTAMP" else "0"
    pieces: list[str] = []
    plain, position = "", 0
    for found in ELEMENT.finditer(form):
        plain += form[position : found.start()]
        position = found.end()
        element = found.group()
        if element in SHARED:
            plain += element
            continue
        pieces += [f"strftime(v_, {literal(plain)})"] if plain else []
        plain = ""
        pieces.append(_element(call, element, kind, zone, offset, value))
    plain += form[position:]
    pieces += [f"strftime(v_, {literal(plain)})"] if plain else []
    text = " || ".join(pieces) or "''"
    return let(local, f"CASE WHEN v_ IS NOT NULL THEN {text} END")


def _element(call: Call, element: str, kind: str, zone: str, offset: str, value: str) -> str:
    if element in COMPUTED:
        return COMPUTED[element]
    if kind == "TIMESTAMP" and element in ("%z", "%Ez"):
        colon = ":" if element == "%Ez" else ""
        return (
            f"printf('%s%02d{colon}%02d', CASE WHEN {offset} < 0 THEN '-' ELSE '+' END, "
            f"CAST(abs({offset}) // 60 AS BIGINT), CAST(abs({offset}) % 60 AS BIGINT))"
        )
    if kind == "TIMESTAMP" and element == "%Z" and zone.upper() == "'UTC'":
        return "'UTC'"
    if kind == "TIMESTAMP" and element == "%s":
        return f"CAST(epoch_us({value}) // 1000000 AS VARCHAR)"
    raise NotSupported(f"{call.name} with the format element {element}")


PARSED = {
    "%e": "%d",
    "%k": "%H",
    "%l": "%I",
    "%P": "%p",
    "%E*S": "%S.%f",
    **{f"%E{digits}S": "%S.%f" if digits else "%S" for digits in range(7)},
}
PARSABLE = frozenset(f"%{letter}" for letter in "aAbBdHIjmMpSyY%f")


def _parse(call: Call) -> str:
    kind = call.name.split("_")[1]
    form = _literal_format(call)
    value = call.text(1)
    zone = call.text(2) if call.count > 2 else "'UTC'"
    if form == "%s" and kind == "TIMESTAMP":
        return f"timezone('UTC', make_timestamp(CAST({value} AS BIGINT) * 1000000))"
    has_offset = False
    for element in ELEMENT.findall(form):
        name = f"%{element}"
        has_offset = has_offset or name in ("%z", "%Ez")
        known = name in PARSABLE or name in PARSED or (kind == "TIMESTAMP" and name in ("%z", "%Ez"))
        if not known:
            raise NotSupported(f"{call.name} with the format element {name}")
    wanted = ELEMENT.sub(lambda found: PARSED.get(found.group(), found.group().replace("E", "")), form).strip()
    text = f"trim({value})"
    if not re.search(r"%[yY]", wanted):
        # BigQuery starts from 1970-01-01, DuckDB from 1900-01-01.
        wanted, text = f"%Y {wanted}", f"'1970 ' || {text}"
    # A fraction of a second may be missing.
    forms = [literal(wanted)] + ([literal(wanted.replace("%S.%f", "%S"))] if "%S.%f" in wanted else [])
    parsed = f"try_strptime({text}, [{', '.join(forms)}])"
    message = f"'Failed to parse input string \"' || {value} || '\"'"
    found = f"CASE WHEN {value} IS NULL THEN NULL ELSE coalesce({parsed}, {fail(message)}) END"
    if kind == "TIMESTAMP":
        # With an offset in the text DuckDB gives the instant in UTC.
        return f"timezone({chr(39) + 'UTC' + chr(39) if has_offset else zone}, CAST({found} AS TIMESTAMP))"
    return found if kind == "DATETIME" else f"CAST({found} AS {kind})"


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
