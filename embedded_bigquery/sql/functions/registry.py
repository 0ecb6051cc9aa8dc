"""The table of GoogleSQL functions: what each accepts, what it returns, and its DuckDB text.

A topic module (strings.py, math.py, …) exposes `FUNCTIONS`. How a caller uses one:

    function = lookup("SAFE.SUBSTR")          # None: "Function not found: …"
    call = function.bind(Call(name, args, types, nodes))   # checks arity and types; raises InvalidQuery
    call.result                               # BigQuery's result type, None when unknown
    function.render(call)                     # DuckDB text; stands alone as an operand

Arguments at `function.keyword_positions` are keywords (DAY, WEEK(MONDAY)), not columns: they are handed over
as they were parsed. The type None is both "unknown" and that of an untyped NULL: it fits every parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module

from embedded_bigquery.errors import InvalidQuery, NotSupported
from embedded_bigquery.natives.decimals import from_text
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.functions.signatures import (
    Signature,
    coerces,
    parse_signature,
    parse_type,
    supertype,
)
from embedded_bigquery.types import Type

__all__ = ["Call", "Function", "lookup", "refused", "supertype"]

SCALAR, AGGREGATE, WINDOW = "SCALAR", "AGGREGATE", "WINDOW"
TOPICS = (
    "refusals",
    "conditional",
    "aggregate",
    "window",
    "math",
    "strings",
    "patterns",
    "hashing",
    "net",
    "dates",
    "date_parts",
    "date_formats",
    "intervals",
    "ranges",
    "arrays",
    "json",
    "json_writing",
    "formatting",
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a function, its arguments already lowered to DuckDB text; keywords as they were written.

    `nodes` are the same arguments as they were parsed, so that literals and keywords can be told apart.
    """

    name: str
    args: tuple[str, ...]
    types: tuple[Type | None, ...]
    nodes: tuple[nodes.Node | None, ...] = ()
    result: Type | None = None
    distinct: bool = False
    order_by: str = ""  # "x DESC NULLS LAST, y" in DuckDB text, of an aggregate's ORDER BY
    limit: str = ""
    nulls: str = ""  # IGNORE or RESPECT
    having: tuple[str, str] | None = None  # ("MAX" or "MIN", DuckDB text)
    over: str = ""  # " OVER (…)" complete, to stand right after the function call
    parameters: tuple[Type | None, ...] = ()  # what the chosen signature wants, one an argument
    named: Mapping[str, tuple[str, Type | None]] = field(default_factory=dict)  # name => value

    def option(self, name: str, position: int | None = None) -> str | None:
        """DuckDB text of an argument given by name, or else at that position; None when it is not given."""
        if name in self.named:
            return self.named[name][0]
        return self.text(position) if position is not None and position < self.count else None

    def is_number(self, position: int) -> bool:
        return position < len(self.nodes) and isinstance(self.nodes[position], nodes.Number)

    def number(self, position: int) -> int | None:
        """The value of an INT64 literal argument, None for anything else."""
        node = self.nodes[position] if position < len(self.nodes) else None
        if not isinstance(node, nodes.Number):
            return None
        try:
            return int(node.text, 0)
        except ValueError:
            return None

    def text(self, position: int) -> str:
        """The argument's DuckDB text, converted to the type that the signature wants."""
        raw = self.raw(position)
        wanted = self.parameters[position] if position < len(self.parameters) else None
        if wanted is not None and wanted.kind in ("NUMERIC", "BIGNUMERIC") and self.is_number(position):
            return exact_literal(self.nodes[position], wanted)
        return raw if wanted is None else converted(raw, self.types[position], wanted)

    def raw(self, position: int) -> str:
        """The argument's DuckDB text as it was given."""
        return self.args[position]

    def keyword(self, position: int) -> str:
        """A keyword argument in upper case: DAY, WEEK(MONDAY), NFKC."""
        return self.args[position].upper()

    def literal(self, position: int) -> str | None:
        """The value of a STRING literal argument, None for anything else."""
        node = self.nodes[position] if position < len(self.nodes) else None
        return node.value if isinstance(node, nodes.String) else None

    def type(self, position: int) -> Type | None:
        """The argument's type after coercion."""
        wanted = self.parameters[position] if position < len(self.parameters) else None
        return wanted or self.types[position]

    def kind(self, position: int) -> str:
        """The kind of that type, "" when unknown."""
        found = self.type(position)
        return found.kind if found else ""

    def is_literal(self, position: int) -> bool:
        node = self.nodes[position] if position < len(self.nodes) else None
        return isinstance(node, nodes.Number | nodes.String | nodes.Parameter)

    @property
    def count(self) -> int:
        return len(self.args)

    @property
    def arguments(self) -> str:
        return ", ".join(self.text(position) for position in range(self.count))


Renderer = Callable[[Call], str]
Infer = Callable[[Call], Type | None]  # of the bound call


@dataclass(frozen=True, slots=True)
class Function:
    """A function: `signatures` as BigQuery's reference prints them, "SUBSTR(STRING, INT64, [INT64]) -> STRING".

    `template` is DuckDB text with {0}, {1}, … or {*} for all arguments, or a callable for what depends on the call.
    """

    name: str
    signatures: tuple[str, ...]
    template: str | Renderer
    group: str = SCALAR
    infer: Infer | None = None  # overrides the signatures' result
    safe: bool = False
    options: tuple[str, ...] = ()  # what may be given by name, "max_distance INT64"

    @property
    def is_aggregate(self) -> bool:
        return self.group == AGGREGATE

    @property
    def is_window(self) -> bool:
        """Whether it makes sense only with an OVER clause."""
        return self.group == WINDOW

    @property
    def parsed(self) -> tuple[Signature, ...]:
        return tuple(parse_signature(text) for text in self.signatures)

    @property
    def min_args(self) -> int:
        return min(signature.min_args for signature in self.parsed)

    @property
    def max_args(self) -> int | None:
        """None when there is no limit."""
        limits = [signature.max_args for signature in self.parsed]
        return None if None in limits else max(limit for limit in limits if limit is not None)

    @property
    def keyword_positions(self) -> frozenset[int]:
        """Positions of arguments that are keywords and must not be resolved as columns."""
        return frozenset(
            position
            for signature in self.parsed
            for position, parameter in enumerate(signature.parameters)
            if parameter.is_keyword
        )

    def bind(self, call: Call) -> Call:
        """The call with its result type and the conversions of its arguments; raises InvalidQuery."""
        signatures = self.parsed
        if not any(signature.takes(call.count) for signature in signatures):
            raise InvalidQuery(self._mismatch(call))
        best: tuple[int, Signature, tuple[Type | None, ...], Type | None] | None = None
        for signature in signatures:
            if not signature.takes(call.count):
                continue
            fit = _fit(signature, call)
            if fit is not None and (best is None or fit[0] < best[0]):
                best = (fit[0], signature, fit[1], fit[2])
        if best is None:
            raise InvalidQuery(self._mismatch(call))
        bound = replace(call, parameters=best[2], result=best[3], named=self._named(call))
        return bound if self.infer is None else replace(bound, result=self.infer(bound))

    def _named(self, call: Call) -> Mapping[str, tuple[str, Type | None]]:
        known = {name: parse_type(kind) for name, kind in (option.split(" ") for option in self.options)}
        for name in call.named:
            if name not in known:
                raise InvalidQuery(f"Named argument {name} not found in signature for call to function {self.name}")
        return {name: (converted(text, kind, known[name]), known[name]) for name, (text, kind) in call.named.items()}

    def render(self, call: Call) -> str:
        """The DuckDB text of a bound call."""
        if self.safe:
            return self._render_safe(call)
        return self._render(call)

    def _render_safe(self, call: Call) -> str:
        # Only the function's own errors are caught: arguments that may fail are evaluated outside of TRY(), and
        # so are subqueries and volatile functions, which it refuses.
        names = [f"a{position}_" for position in range(call.count)]
        hard = any(word in call.raw(n).lower() for n in range(call.count) for word in ("error(", "select ", "random("))
        if not hard:
            return f"TRY({self._render(call)})"
        keywords = self.keyword_positions
        inner = tuple(call.args[n] if n in keywords else f"r_.{name}" for n, name in enumerate(names))
        values = ", ".join(f"{name} := {call.raw(n)}" for n, name in enumerate(names) if n not in keywords)
        body = f"TRY({self._render(replace(call, args=inner))})"
        return f"list_transform([struct_pack({values})], lambda r_: {body})[1]"

    def _render(self, call: Call) -> str:
        if callable(self.template):
            text = self.template(call)
        elif self.template.endswith("{*}"):
            text = f"{self.template[:-3]}({call.arguments}){call.over}"
        else:
            text = self.template.format(*(call.text(position) for position in range(call.count)))
        return text

    def _mismatch(self, call: Call) -> str:
        types = ", ".join(str(kind) if kind else "NULL" for kind in call.types)
        supported = "; ".join(text.split(" -> ")[0] for text in self.signatures)
        given = f"for argument types: {types}" if types else "with no arguments"
        return f"No matching signature for function {self.name} {given}. Supported signatures: {supported}"


def converted(text: str, source: Type | None, target: Type) -> str:
    """`text` of BigQuery type `source` as DuckDB text of type `target`; nothing to do when they agree."""
    if source == target or target.kind in ("ANY",):
        return text
    if source is None and text.upper() != "NULL":
        return text
    if source is None:
        return f"CAST(NULL AS {target.duckdb()})"
    from embedded_bigquery.sql.functions.conversion import cast

    return cast(text, source, target)


def exact_literal(node: nodes.Node | None, kind: Type) -> str:
    """A number's own digits as a decimal: by way of FLOAT64 some would be lost."""
    assert isinstance(node, nodes.Number)
    number = str(int(node.text, 0)) if "x" in node.text.lower() else node.text
    if kind.kind == "BIGNUMERIC":
        return f"CAST('{from_text(number)}' AS BIGNUM)"
    return f"CAST('{number}' AS {kind.duckdb()})"


def _fit(signature: Signature, call: Call) -> tuple[int, tuple[Type | None, ...], Type | None] | None:
    """(cost, wanted type of each argument, result) when the arguments fit the signature."""
    bound: dict[str, Type | None] = {}
    parameters = [signature.parameter(position) for position in range(call.count)]
    # Literals last: they take the type of the other arguments where they can.
    for position in sorted(range(call.count), key=call.is_literal):
        parameter = parameters[position]
        variable, given = parameter.variable, call.types[position]
        if variable is None or given is None:
            continue
        if parameter.is_array_of_variable:
            if not given.is_array:
                return None
            given = given.element
        known = bound.get(variable)
        merged = given if known is None else supertype([known, given])
        if known and given and call.is_literal(position) and coerces(given, known, literal=True) is not None:
            merged = known
        if merged is None:
            return None
        bound[variable] = merged
    cost = 0
    wanted: list[Type | None] = []
    for position, parameter in enumerate(parameters):
        target = parameter.resolved(bound)
        given = call.types[position]
        wanted.append(None if parameter.is_keyword else target)
        if parameter.is_keyword or target is None or given is None or given == target:
            continue
        step = coerces(given, target, literal=call.is_literal(position))
        if step is None:
            return None
        cost += step
    return cost, tuple(wanted), signature.result_type(bound)


def refused(name: str, construct: str | None = None) -> Function:
    """A function of BigQuery's that this engine cannot do: any call of it raises NotSupported."""

    def render(call: Call) -> str:
        raise NotSupported(construct or f"function {name}")

    return Function(name, (f"{name}([ANY, ...])",), render)


@cache
def _table() -> dict[str, Function]:
    table: dict[str, Function] = {}
    for topic in TOPICS:
        module = import_module(f"embedded_bigquery.sql.functions.{topic}")
        for function in module.FUNCTIONS:
            table[function.name] = function
    return table


@cache
def lookup(name: str) -> Function | None:
    """The function of that name, in any case, or None. `SAFE.X` is X with NULL in place of an error."""
    upper = name.upper()
    if upper.startswith("SAFE.") and upper not in _table():
        function = _table().get(upper[5:])
        return None if function is None or function.group != SCALAR else replace(function, safe=True)
    return _table().get(upper)
