"""Functions that only make sense with an OVER clause.

Source: "Numbering functions" and "Navigation functions" of BigQuery's reference.
"""

from __future__ import annotations

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql.functions.duckdb_text import let
from embedded_bigquery.sql.functions.registry import AGGREGATE, WINDOW, Call, Function
from embedded_bigquery.types import FLOAT64


def _over(call: Call) -> str:
    if not call.over:
        raise InvalidQuery(f"Analytic function {call.name} cannot be called without an OVER clause")
    return call.over


def _numbering(call: Call) -> str:
    return f"{call.name.lower()}({call.arguments}){_over(call)}"


def _navigation(call: Call) -> str:
    if call.nulls and call.name in ("LAG", "LEAD"):
        raise InvalidQuery(f"IGNORE NULLS and RESPECT NULLS are not allowed for analytic function {call.name}")
    nulls = f" {call.nulls} NULLS" if call.nulls else ""
    return f"{call.name.lower()}({call.arguments}{nulls}){_over(call)}"


def _percentile(call: Call) -> str:
    """Interpolated between neighbours (CONT), or the first value that so large a part does not exceed (DISC)."""
    is_continuous = call.name == "PERCENTILE_CONT"
    value, part = call.text(0), call.text(1)
    if call.nulls != "RESPECT":
        name = "quantile_cont" if is_continuous else "quantile_disc"
        return f"{name}({value}, {part}){call.over}"
    # NULL comes before all values, and gives way to a neighbour that is none.
    values = f"list_sort(array_agg({value}){call.over}, 'ASC', 'NULLS FIRST')"
    if not is_continuous:
        return let(values, f"v_[CAST(greatest(1, ceil({part} * len(v_))) AS BIGINT)]")
    place = f"({part} * (len(v_) - 1))"
    low, high = (f"v_[CAST({name}({place}) AS BIGINT) + 1]" for name in ("floor", "ceil"))
    between = f"{low} + ({high} - {low}) * ({place} - floor({place}))"
    kind = (call.result or FLOAT64).duckdb()
    return let(values, f"CAST(CASE WHEN {low} IS NULL THEN {high} ELSE {between} END AS {kind})")


FUNCTIONS = (
    *(
        Function(name, (f"{name}() -> {kind}",), _numbering, WINDOW)
        for name, kind in (
            ("ROW_NUMBER", "INT64"),
            ("RANK", "INT64"),
            ("DENSE_RANK", "INT64"),
            ("PERCENT_RANK", "FLOAT64"),
            ("CUME_DIST", "FLOAT64"),
        )
    ),
    Function("NTILE", ("NTILE(INT64) -> INT64",), _numbering, WINDOW),
    *(Function(name, (f"{name}(T, [INT64], [T]) -> T",), _navigation, WINDOW) for name in ("LAG", "LEAD")),
    *(Function(name, (f"{name}(T) -> T",), _navigation, WINDOW) for name in ("FIRST_VALUE", "LAST_VALUE")),
    Function("NTH_VALUE", ("NTH_VALUE(T, INT64) -> T",), _navigation, WINDOW),
    Function(
        "PERCENTILE_CONT",
        tuple(f"PERCENTILE_CONT({kind}, {kind}) -> {kind}" for kind in ("FLOAT64", "NUMERIC")),
        _percentile,
        AGGREGATE,
    ),
    Function("PERCENTILE_DISC", ("PERCENTILE_DISC(T, FLOAT64) -> T",), _percentile, AGGREGATE),
)
