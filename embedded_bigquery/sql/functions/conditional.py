"""IF, COALESCE and their like, and what a query may ask about itself."""

from __future__ import annotations

from embedded_bigquery.sql.functions.registry import Call, Function


def _nullif(call: Call) -> str:
    return f"nullif({call.arguments})"


def _error(call: Call) -> str:
    return "NULL" if call.safe else f"error({call.text(0)})"


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
    Function("GENERATE_UUID", ("GENERATE_UUID() -> STRING",), "CAST(uuid() AS VARCHAR)"),
    Function("SESSION_USER", ("SESSION_USER() -> STRING",), "'local@embedded-bigquery'"),
)
