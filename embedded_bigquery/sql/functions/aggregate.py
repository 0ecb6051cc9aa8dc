"""Aggregate functions. Each stands over a group, or over a window when the call has an OVER clause.

Source: "Aggregate functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/aggregate_functions.
"""

from __future__ import annotations

from collections.abc import Callable

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql.functions.registry import AGGREGATE, Call, Function
from embedded_bigquery.sql.functions.signatures import or_int64
from embedded_bigquery.types import FLOAT64, INT64, Type, array_of, struct_of


def aggregate(call: Call, name: str, *, arguments: str | None = None, condition: str = "") -> str:
    """`name(DISTINCT … ORDER BY …) FILTER (…) OVER (…)` as DuckDB spells it."""
    if call.having is not None:
        raise NotSupported(f"HAVING {call.having[0]} in {call.name}")
    inner = ("DISTINCT " if call.distinct else "") + (call.arguments if arguments is None else arguments)
    if call.order_by:
        inner += f" ORDER BY {call.order_by}"
    where = f" FILTER (WHERE {condition})" if condition else ""
    return f"{name}({inner}){where}{call.over}"


def plain(name: str) -> Callable[[Call], str]:
    """The DuckDB aggregate of that name on the same arguments."""
    return lambda call: aggregate(call, name)


def _count(call: Call) -> str:
    if not call.count or call.raw(0) == "*":
        return aggregate(call, "count", arguments="*")
    return aggregate(call, "count", arguments=call.raw(0) if call.count == 1 else f"({call.arguments})")


def _countif(call: Call) -> str:
    if call.distinct:
        return aggregate(call, "count", condition=call.text(0))
    return aggregate(call, "count", arguments="*", condition=call.text(0))


def _sum(call: Call) -> str:
    text = aggregate(call, "sum")
    kind = call.type(0)
    # DuckDB widens to HUGEINT; the conversion back is what reports an overflow.
    return text if kind is None or kind == FLOAT64 else f"CAST({text} AS {kind.duckdb()})"


def _avg(call: Call) -> str:
    text = aggregate(call, "avg")
    kind = call.type(0)
    return f"CAST({text} AS {kind.duckdb()})" if kind is not None and kind.kind in ("NUMERIC", "BIGNUMERIC") else text


def _any_value(call: Call) -> str:
    if call.having is None:
        return aggregate(call, "any_value")
    name = "arg_max" if call.having[0].upper() == "MAX" else "arg_min"
    return f"{name}({call.text(0)}, {call.having[1]}){call.over}"


def _array_agg(call: Call) -> str:
    condition = f"{call.text(0)} IS NOT NULL" if call.nulls == "IGNORE" else ""
    text = aggregate(call, "array_agg", condition=condition)
    return f"list_slice({text}, 1, {call.limit})" if call.limit else text


def _string_agg(call: Call) -> str:
    if call.kind(0) == "BYTES":
        raise NotSupported("STRING_AGG of BYTES")
    separator = call.text(1) if call.count > 1 else "','"
    if not call.limit:
        return aggregate(call, "string_agg", arguments=f"{call.text(0)}, {separator}")
    values = aggregate(call, "array_agg", arguments=call.text(0), condition=f"{call.text(0)} IS NOT NULL")
    return f"array_to_string(list_slice({values}, 1, {call.limit}), {separator})"


def _array_concat_agg(call: Call) -> str:
    text = aggregate(call, "array_agg", condition=f"{call.text(0)} IS NOT NULL")
    return f"flatten(list_slice({text}, 1, {call.limit}))" if call.limit else f"flatten({text})"


def _literal_count(call: Call, position: int) -> int:
    try:
        return int(call.raw(position))
    except ValueError:
        raise InvalidQuery(f"Argument {position + 1} to {call.name} must be a literal or query parameter") from None


def _approx_quantiles(call: Call) -> str:
    parts = _literal_count(call, 1)
    points = ", ".join(repr(step / parts) for step in range(parts + 1))
    return aggregate(call, "quantile_disc", arguments=f"{call.text(0)}, [{points}]")


def _approx_top(call: Call) -> str:
    """The most frequent (or heaviest) values; exact here."""
    entry = "struct_pack(weight := -CAST(e_.value AS BIGINT), item := e_.key)"
    if call.name == "APPROX_TOP_SUM":
        raise NotSupported("APPROX_TOP_SUM")
    counted = f"map_entries({aggregate(call, 'histogram', arguments=call.text(0))})"
    ordered = f"list_sort(list_transform({counted}, lambda e_: {entry}))"
    return (
        f"list_transform(list_slice({ordered}, 1, {call.text(1)}), "
        'lambda e_: struct_pack("value" := e_.item, "count" := -e_.weight))'
    )


def _top_type(call: Call) -> Type | None:
    return array_of(struct_of(("value", or_int64(call.types[0])), ("count", INT64)))


def _corr(call: Call) -> str:
    # DuckDB answers NaN for a single pair, BigQuery NULL.
    return f"CASE WHEN {aggregate(call, 'regr_count')} > 1 THEN {aggregate(call, 'corr')} END"


def _statistic(name: str, *duckdb: str) -> Function:
    return Function(name, (f"{name}(FLOAT64) -> FLOAT64",), plain((duckdb or (name.lower(),))[0]), AGGREGATE)


def _pair(name: str) -> Function:
    return Function(name, (f"{name}(FLOAT64, FLOAT64) -> FLOAT64",), plain(name.lower()), AGGREGATE)


NUMBERS = ("INT64", "NUMERIC", "BIGNUMERIC", "FLOAT64")

FUNCTIONS = (
    Function("COUNT", ("COUNT() -> INT64", "COUNT(ANY) -> INT64", "COUNT(ANY, ...) -> INT64"), _count, AGGREGATE),
    Function("COUNTIF", ("COUNTIF(BOOL) -> INT64",), _countif, AGGREGATE),
    Function(
        "SUM",
        (*(f"SUM({kind}) -> {kind}" for kind in NUMBERS), "SUM(INTERVAL) -> INTERVAL"),
        _sum,
        AGGREGATE,
    ),
    Function(
        "AVG",
        (
            "AVG(INT64) -> FLOAT64",
            "AVG(FLOAT64) -> FLOAT64",
            "AVG(NUMERIC) -> NUMERIC",
            "AVG(BIGNUMERIC) -> BIGNUMERIC",
            "AVG(INTERVAL) -> INTERVAL",
        ),
        _avg,
        AGGREGATE,
    ),
    Function("MAX", ("MAX(T) -> T",), plain("max"), AGGREGATE),
    Function("MIN", ("MIN(T) -> T",), plain("min"), AGGREGATE),
    Function("MAX_BY", ("MAX_BY(T, U) -> T",), plain("arg_max"), AGGREGATE),
    Function("MIN_BY", ("MIN_BY(T, U) -> T",), plain("arg_min"), AGGREGATE),
    Function("ANY_VALUE", ("ANY_VALUE(T) -> T",), _any_value, AGGREGATE),
    Function("ARRAY_AGG", ("ARRAY_AGG(T) -> ARRAY<T>",), _array_agg, AGGREGATE),
    Function("ARRAY_CONCAT_AGG", ("ARRAY_CONCAT_AGG(ARRAY<T>) -> ARRAY<T>",), _array_concat_agg, AGGREGATE),
    Function(
        "STRING_AGG",
        ("STRING_AGG(STRING, [STRING]) -> STRING", "STRING_AGG(BYTES, [BYTES]) -> BYTES"),
        _string_agg,
        AGGREGATE,
    ),
    Function("LOGICAL_AND", ("LOGICAL_AND(BOOL) -> BOOL",), plain("bool_and"), AGGREGATE),
    Function("LOGICAL_OR", ("LOGICAL_OR(BOOL) -> BOOL",), plain("bool_or"), AGGREGATE),
    Function("BIT_AND", ("BIT_AND(INT64) -> INT64",), plain("bit_and"), AGGREGATE),
    Function("BIT_OR", ("BIT_OR(INT64) -> INT64",), plain("bit_or"), AGGREGATE),
    Function("BIT_XOR", ("BIT_XOR(INT64) -> INT64",), plain("bit_xor"), AGGREGATE),
    _statistic("STDDEV", "stddev_samp"),
    _statistic("STDDEV_SAMP"),
    _statistic("STDDEV_POP"),
    _statistic("VARIANCE", "var_samp"),
    _statistic("VAR_SAMP"),
    _statistic("VAR_POP"),
    Function("CORR", ("CORR(FLOAT64, FLOAT64) -> FLOAT64",), _corr, AGGREGATE),
    _pair("COVAR_POP"),
    _pair("COVAR_SAMP"),
    # Exact: within the error that BigQuery allows itself.
    Function(
        "APPROX_COUNT_DISTINCT",
        ("APPROX_COUNT_DISTINCT(ANY) -> INT64",),
        lambda call: f"count(DISTINCT {call.raw(0)}){call.over}",
        AGGREGATE,
    ),
    Function("APPROX_QUANTILES", ("APPROX_QUANTILES(T, INT64) -> ARRAY<T>",), _approx_quantiles, AGGREGATE),
    Function("APPROX_TOP_COUNT", ("APPROX_TOP_COUNT(T, INT64)",), _approx_top, AGGREGATE, infer=_top_type),
    Function("APPROX_TOP_SUM", ("APPROX_TOP_SUM(T, U, INT64)",), _approx_top, AGGREGATE, infer=_top_type),
    Function("GROUPING", ("GROUPING(ANY) -> INT64",), "CAST(grouping({0}) AS BIGINT)", AGGREGATE),
)
