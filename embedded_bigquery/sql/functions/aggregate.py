"""Aggregate functions. Each stands over a group, or over a window when the call has an OVER clause.

Source: "Aggregate functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/aggregate_functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.sql.functions.conversion import interval_numbers, made_interval
from embedded_bigquery.sql.functions.duckdb_text import let
from embedded_bigquery.sql.functions.registry import AGGREGATE, Call, Function
from embedded_bigquery.sql.functions.signatures import or_int64
from embedded_bigquery.types import BIGNUMERIC, FLOAT64, INT64, INTERVAL, NUMERIC, Type, array_of, struct_of

# What DuckDB can aggregate over a list.
LIST_AGGREGATES = (
    *("sum", "avg", "min", "max", "count", "array_agg", "string_agg", "bool_and", "bool_or", "bit_and", "bit_or"),
    *("bit_xor", "stddev_samp", "stddev_pop", "var_samp", "var_pop"),
)


def aggregate(call: Call, name: str, *, arguments: str | None = None, condition: str = "") -> str:
    """`name(DISTINCT … ORDER BY …) FILTER (…) OVER (…)` as DuckDB spells it."""
    if call.having is not None:
        return _of_extreme(call, name)
    inner = ("DISTINCT " if call.distinct else "") + (call.arguments if arguments is None else arguments)
    if call.order_by:
        inner += f" ORDER BY {call.order_by}"
    where = f" FILTER (WHERE {condition})" if condition else ""
    return f"{name}({inner}){where}{call.over}"


def _of_extreme(call: Call, name: str) -> str:
    """x HAVING MAX y: over the rows alone where y is greatest."""
    assert call.having is not None
    if call.order_by or name not in LIST_AGGREGATES:
        raise NotSupported(f"HAVING {call.having[0]} in {call.name}{' with ORDER BY' if call.order_by else ''}")
    which, value = call.having
    rows = f"array_agg(struct_pack(x := {call.text(0)}, y := {value})){call.over}"
    kept = "list_transform(list_filter(v_.l, lambda e_: e_.y = v_.m), lambda e_: e_.x)"
    kept = f"list_distinct({kept})" if call.distinct else kept
    if name == "array_agg":
        found = kept
    else:
        more = f", {call.text(1)}" if call.count > 1 else ", ','" if name == "string_agg" else ""
        found = f"list_aggr({kept}, '{name}'{more})"
    found = f"coalesce({found}, 0)" if name == "count" else found
    return let(f"struct_pack(l := {rows}, m := {which.lower()}({value}){call.over})", found)


def plain(name: str) -> Callable[[Call], str]:
    """The DuckDB aggregate of that name on the same arguments."""
    return lambda call: aggregate(call, name)


def _count(call: Call) -> str:
    return aggregate(call, "count", arguments="*" if not call.count or call.raw(0) == "*" else call.raw(0))


def _countif(call: Call) -> str:
    if call.distinct:
        return aggregate(call, "count", condition=call.text(0))
    return aggregate(call, "count", arguments="*", condition=call.text(0))


def _sum(call: Call) -> str:
    kind = call.type(0)
    if kind == INTERVAL:
        return made_interval(*(_summed(call, number) for number in interval_numbers(call.text(0))))
    text = aggregate(call, "sum")
    if kind == BIGNUMERIC:
        return f"bq_big_in_range({text})"
    # DuckDB widens to HUGEINT; the conversion back is what reports an overflow.
    return text if kind is None or kind == FLOAT64 else f"CAST({text} AS {kind.duckdb()})"


def _summed(call: Call, number: str) -> str:
    if call.distinct:
        raise NotSupported(f"{call.name} of DISTINCT INTERVALs")
    return f"CAST({aggregate(call, 'sum', arguments=number)} AS BIGINT)"


def _avg(call: Call) -> str:
    kind = call.type(0)
    if kind == INTERVAL:
        parts = ", ".join(_summed(call, number) for number in interval_numbers(call.text(0)))
        found = f"bq_average_interval({parts}, {aggregate(call, 'count', arguments=call.text(0))})"
        return let(found, made_interval("v_.months", "v_.days", "v_.micros"))
    if kind == BIGNUMERIC:
        return f"bq_big_shared({aggregate(call, 'sum')}, {aggregate(call, 'count')})"
    if kind == NUMERIC:
        # DuckDB averages decimals as FLOAT64.
        sums = f"CAST({aggregate(call, 'sum')} AS VARCHAR)"
        count = f"CAST(nullif({aggregate(call, 'count')}, 0) AS VARCHAR)"
        return f"CAST(bq_numeric_two('AVG', {sums}, {count}) AS DECIMAL(38, 9))"
    return aggregate(call, "avg")


def _extreme(name: str) -> Callable[[Call], str]:
    def render(call: Call) -> str:
        kind = call.type(0)
        if kind is not None and (kind.is_struct or kind.kind in ("JSON", "GEOGRAPHY")):
            raise InvalidQuery(f"{call.name} is not defined for arguments of type {kind}")
        text = aggregate(call, name)
        if name == "max" or kind != FLOAT64:
            return text
        # To DuckDB NaN is above all numbers, so that the greatest value tells whether there is one.
        return f"CASE WHEN isnan({aggregate(call, 'max')}) THEN 'nan'::DOUBLE ELSE {text} END"

    return render


def _by(name: str) -> Callable[[Call], str]:
    """The value of the row where another is extreme, which may be NULL."""
    return lambda call: f"{name}({call.text(0)}, {call.text(1)}){call.over}"


def _any_value(call: Call) -> str:
    if call.having is None:
        return aggregate(call, "any_value" if call.nulls == "IGNORE" else "first")
    which, value = call.having
    return f"arg_{which.lower()}_null({call.text(0)}, {value}){call.over}"


def _array_agg(call: Call) -> str:
    kind = call.type(0)
    if kind is not None and kind.is_array:
        raise InvalidQuery(f"The argument to ARRAY_AGG must not be an array type but was {kind}")
    condition = f"{call.text(0)} IS NOT NULL" if call.nulls == "IGNORE" else ""
    text = aggregate(call, "array_agg", condition=condition)
    return f"list_slice({text}, 1, {call.limit})" if call.limit else text


def _string_agg(call: Call) -> str:
    separator = call.text(1) if call.count > 1 else "','"
    value = call.text(0)
    if call.kind(0) == "BYTES":
        value, separator = f"bq_latin({value})", f"bq_latin({separator})" if call.count > 1 else "','"
    if not call.limit:
        text = aggregate(call, "string_agg", arguments=f"{value}, {separator}")
    else:
        values = aggregate(call, "array_agg", arguments=value, condition=f"{value} IS NOT NULL")
        text = f"array_to_string(list_slice({values}, 1, {call.limit}), {separator})"
    return f"bq_unlatin({text})" if call.kind(0) == "BYTES" else text


def _array_concat_agg(call: Call) -> str:
    text = aggregate(call, "array_agg", condition=f"{call.text(0)} IS NOT NULL")
    return f"flatten(list_slice({text}, 1, {call.limit}))" if call.limit else f"flatten({text})"


def _approx_quantiles(call: Call) -> str:
    parts = call.number(1)
    if parts is None:
        raise NotSupported("APPROX_QUANTILES with a number that is no literal")
    if parts < 1:
        raise InvalidQuery("The second argument to APPROX_QUANTILES must be greater than 0")
    if call.nulls == "RESPECT":
        values = aggregate(replace(call, order_by=""), "array_agg", arguments=call.text(0))
        place = f"CAST(greatest(1, ceil(len(v_) * i_ / {parts}.0)) AS BIGINT)"
        return let(
            f"list_sort({values}, 'ASC', 'NULLS FIRST')", f"list_transform(range({parts + 1}), lambda i_: v_[{place}])"
        )
    points = ", ".join(repr(step / parts) for step in range(parts + 1))
    return aggregate(call, "quantile_disc", arguments=f"{call.text(0)}, [{points}]")


def _approx_top_count(call: Call) -> str:
    """The most frequent values; exact here."""
    value = call.text(0)
    values = f"array_agg({value}){call.over}"
    ones = f"array_agg('1'){call.over}"
    return _heaviest(call, values, ones, call.text(1), "count", "BIGINT")


def _approx_top_sum(call: Call) -> str:
    kind = call.type(1) or INT64
    values, weights = f"array_agg({call.text(0)}){call.over}", f"array_agg(CAST({call.text(1)} AS VARCHAR)){call.over}"
    return _heaviest(call, values, weights, call.text(2), "sum", kind.duckdb())


def _heaviest(call: Call, values: str, weights: str, count: str, name: str, kind: str) -> str:
    del call
    found = f"bq_heaviest(CAST(v_.i AS VARCHAR[]), v_.w, {count})"
    entry = f'struct_pack("value" := v_.i[e_.position], "{name}" := CAST(e_.total AS {kind}))'
    return let(f"struct_pack(i := {values}, w := {weights})", f"list_transform({found}, lambda e_: {entry})")


def _top_type(call: Call) -> Type | None:
    name, kind = ("sum", or_int64(call.type(1))) if call.name == "APPROX_TOP_SUM" else ("count", INT64)
    return array_of(struct_of(("value", or_int64(call.types[0])), (name, kind)))


def _sketch(call: Call) -> str:
    values = f"array_agg(DISTINCT CAST({call.text(0)} AS VARCHAR)) FILTER (WHERE {call.text(0)} IS NOT NULL){call.over}"
    return f"bq_sketch({values})"


def _merged(call: Call) -> str:
    sketches = f"array_agg({call.text(0)}) FILTER (WHERE {call.text(0)} IS NOT NULL){call.over}"
    return f"bq_merged_sketch({sketches})"


def _corr(call: Call) -> str:
    # DuckDB answers NaN for a single pair, BigQuery NULL.
    return f"CASE WHEN {aggregate(call, 'regr_count')} > 1 THEN {aggregate(call, 'corr')} END"


def _statistic(name: str, *duckdb: str) -> Function:
    return Function(name, (f"{name}(FLOAT64) -> FLOAT64",), plain((duckdb or (name.lower(),))[0]), AGGREGATE)


def _of_population(name: str) -> Function:
    """Of one value that is no number DuckDB says 0, where nothing is known."""

    def render(call: Call) -> str:
        found = aggregate(call, name.lower())
        return found if call.having is not None else f"({found} + 0 * {aggregate(call, 'any_value')})"

    return Function(name, (f"{name}(FLOAT64) -> FLOAT64",), render, AGGREGATE)


def _pair(name: str) -> Function:
    return Function(name, (f"{name}(FLOAT64, FLOAT64) -> FLOAT64",), plain(name.lower()), AGGREGATE)


NUMBERS = ("INT64", "NUMERIC", "BIGNUMERIC", "FLOAT64")

FUNCTIONS = (
    Function("COUNT", ("COUNT() -> INT64", "COUNT(ANY) -> INT64"), _count, AGGREGATE),
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
    Function("MAX", ("MAX(T) -> T",), _extreme("max"), AGGREGATE),
    Function("MIN", ("MIN(T) -> T",), _extreme("min"), AGGREGATE),
    Function("MAX_BY", ("MAX_BY(T, U) -> T",), _by("arg_max_null"), AGGREGATE),
    Function("MIN_BY", ("MIN_BY(T, U) -> T",), _by("arg_min_null"), AGGREGATE),
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
    _of_population("STDDEV_POP"),
    _statistic("VARIANCE", "var_samp"),
    _statistic("VAR_SAMP"),
    _of_population("VAR_POP"),
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
    Function("APPROX_TOP_COUNT", ("APPROX_TOP_COUNT(T, INT64)",), _approx_top_count, AGGREGATE, infer=_top_type),
    Function("APPROX_TOP_SUM", ("APPROX_TOP_SUM(T, U, INT64)",), _approx_top_sum, AGGREGATE, infer=_top_type),
    Function(
        "HLL_COUNT.INIT",
        tuple(f"HLL_COUNT.INIT({kind}, [INT64]) -> BYTES" for kind in ("INT64", "NUMERIC", "STRING", "BYTES")),
        _sketch,
        AGGREGATE,
    ),
    Function("HLL_COUNT.MERGE_PARTIAL", ("HLL_COUNT.MERGE_PARTIAL(BYTES) -> BYTES",), _merged, AGGREGATE),
    Function(
        "HLL_COUNT.MERGE",
        ("HLL_COUNT.MERGE(BYTES) -> INT64",),
        lambda call: f"coalesce(bq_sketch_size({_merged(call)}), 0)",
        AGGREGATE,
    ),
    Function("HLL_COUNT.EXTRACT", ("HLL_COUNT.EXTRACT(BYTES) -> INT64",), "coalesce(bq_sketch_size({0}), 0)"),
    Function("GROUPING", ("GROUPING(ANY) -> INT64",), "CAST(grouping({0}) AS BIGINT)", AGGREGATE),
)
