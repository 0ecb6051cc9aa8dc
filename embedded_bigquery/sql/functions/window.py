"""Functions that only make sense with an OVER clause.

Source: "Numbering functions" and "Navigation functions" of BigQuery's reference.
"""

from __future__ import annotations

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql.functions.registry import WINDOW, Call, Function


def _over(call: Call) -> str:
    if not call.over:
        raise InvalidQuery(f"Analytic function {call.name} cannot be called without an OVER clause")
    return call.over


def _numbering(call: Call) -> str:
    return f"{call.name.lower()}({call.arguments}){_over(call)}"


def _navigation(call: Call) -> str:
    nulls = f" {call.nulls} NULLS" if call.nulls else ""
    return f"{call.name.lower()}({call.arguments}{nulls}){_over(call)}"


def _percentile(call: Call) -> str:
    name = "quantile_cont" if call.name == "PERCENTILE_CONT" else "quantile_disc"
    return f"{name}({call.arguments}){_over(call)}"


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
    Function("PERCENTILE_CONT", ("PERCENTILE_CONT(FLOAT64, FLOAT64) -> FLOAT64",), _percentile, WINDOW),
    Function("PERCENTILE_DISC", ("PERCENTILE_DISC(T, FLOAT64) -> T",), _percentile, WINDOW),
)
