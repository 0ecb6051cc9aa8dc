"""IF, COALESCE and their like, and what a query may ask about itself."""

from __future__ import annotations

from embedded_bigquery.errors import NotSupported
from embedded_bigquery.sql.environment import USER
from embedded_bigquery.sql.functions.duckdb_text import fail, let, literal
from embedded_bigquery.sql.functions.registry import Call, Function
from embedded_bigquery.sql.functions.signatures import or_int64


def _nullif(call: Call) -> str:
    return f"nullif({call.arguments})"


def _error(call: Call) -> str:
    return fail(call.text(0))


def _tried(call: Call) -> str:
    """The first argument inside of a STRUCT, which is NULL when evaluating it fails."""
    if "select " in call.raw(0).lower():
        raise NotSupported(f"{call.name} of a subquery")
    return f"TRY(struct_pack(v := {call.text(0)}))"


def _if_error(call: Call) -> str:
    other = call.text(1) if call.count > 1 else "NULL"
    return let(_tried(call), f"CASE WHEN v_ IS NULL THEN {other} ELSE v_.v END")


def _greatest(call: Call) -> str:
    # BigQuery's answer is NULL as soon as one argument is, and NaN as soon as one is; DuckDB skips NULLs.
    if call.count == 1:
        return call.text(0)
    nulls = " OR ".join(f"{call.text(position)} IS NULL" for position in range(call.count))
    found = f"{call.name.lower()}({call.arguments})"
    if call.name == "LEAST" and call.kind(0) == "FLOAT64":
        nans = " OR ".join(f"isnan({call.text(position)})" for position in range(call.count))
        return f"CASE WHEN {nulls} THEN NULL WHEN {nans} THEN 'nan'::DOUBLE ELSE {found} END"
    return f"CASE WHEN {nulls} THEN NULL ELSE {found} END"


FUNCTIONS = (
    Function("IF", ("IF(BOOL, T, T) -> T",), "CASE WHEN {0} THEN {1} ELSE {2} END"),
    Function("IFNULL", ("IFNULL(T, T) -> T",), "coalesce{*}"),
    Function("COALESCE", ("COALESCE(T, ...) -> T",), "coalesce{*}"),
    Function("NULLIF", ("NULLIF(T, T) -> T",), _nullif),
    Function("ZEROIFNULL", ("ZEROIFNULL(T) -> T",), "coalesce({0}, 0)"),
    Function("NULLIFZERO", ("NULLIFZERO(T) -> T",), "nullif({0}, 0)"),
    Function("GREATEST", ("GREATEST(T, ...) -> T",), _greatest),
    Function("LEAST", ("LEAST(T, ...) -> T",), _greatest),
    Function("ERROR", ("ERROR(STRING)",), _error),
    Function("IFERROR", ("IFERROR(T, T) -> T",), _if_error),
    Function("NULLIFERROR", ("NULLIFERROR(T) -> T",), _if_error),
    Function("ISERROR", ("ISERROR(ANY) -> BOOL",), lambda call: f"({_tried(call)} IS NULL)"),
    Function("TYPEOF", ("TYPEOF(ANY) -> STRING",), lambda call: literal(str(or_int64(call.types[0])))),
    Function("GENERATE_UUID", ("GENERATE_UUID() -> STRING",), "CAST(uuid() AS VARCHAR)"),
    Function("SESSION_USER", ("SESSION_USER() -> STRING",), f"'{USER}'"),
)
