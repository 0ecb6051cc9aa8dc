"""Signatures of functions and BigQuery's coercion rules.

A signature reads "NAME(STRING, INT64, [INT64]) -> STRING". Besides types a parameter may be a type
variable (T, U: the common supertype of the arguments it stands for), ARRAY<T>, ANY (anything),
KEYWORD (a date part or other word). `[X]` is optional, `X, ...` repeats the last one from one time on,
and `[X, ...]` from no time on. A result may be a variable as well; no arrow means an unknown result.

Source: "Conversion rules", docs.cloud.google.com/bigquery/docs/reference/standard-sql/conversion_rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from embedded_bigquery.types import ALIASES, INT64, Field, Type

LOSSY = 9  # the cost of a conversion that may lose digits
VARIABLES = ("T", "U", "V")
NUMERIC_ORDER = ("INT64", "NUMERIC", "BIGNUMERIC", "FLOAT64")
# What BigQuery coerces without CAST whatever the expression, cheapest first.
WIDENINGS = {
    # FLOAT64 first: SQRT(4) is one.
    "INT64": ("FLOAT64", "NUMERIC", "BIGNUMERIC"),
    "NUMERIC": ("BIGNUMERIC", "FLOAT64"),
    "BIGNUMERIC": ("FLOAT64",),
    "DATE": ("DATETIME",),
}
# What it coerces besides when the argument is a literal or a query parameter.
LITERAL_WIDENINGS = {"STRING": ("DATE", "DATETIME", "TIME", "TIMESTAMP", "JSON_PATH"), "DATE": ("TIMESTAMP",)}


@dataclass(frozen=True, slots=True)
class Parameter:
    text: str
    type: Type | None = None
    variable: str | None = None
    is_array_of_variable: bool = False
    is_keyword: bool = False
    optional: bool = False

    def resolved(self, bound: Mapping[str, Type | None]) -> Type | None:
        """The type wanted, given what the variables stand for; None when anything goes."""
        if self.variable is None:
            return self.type
        inner = bound.get(self.variable)
        if inner is None:
            return None
        return Type("ARRAY", element=inner) if self.is_array_of_variable else inner


@dataclass(frozen=True, slots=True)
class Signature:
    parameters: tuple[Parameter, ...]
    repeated: bool
    result: Parameter | None

    @property
    def min_args(self) -> int:
        return sum(not parameter.optional for parameter in self.parameters)

    @property
    def max_args(self) -> int | None:
        return None if self.repeated else len(self.parameters)

    def takes(self, count: int) -> bool:
        return self.min_args <= count and (self.max_args is None or count <= self.max_args)

    def parameter(self, position: int) -> Parameter:
        return self.parameters[min(position, len(self.parameters) - 1)]

    def result_type(self, bound: Mapping[str, Type | None]) -> Type | None:
        if self.result is None:
            return None
        found = self.result.resolved(bound)
        # An untyped NULL is an INT64 to BigQuery where nothing else decides.
        return found if found is not None or self.result.variable is None else None


@cache
def parse_signature(text: str) -> Signature:
    """The parsed form of a signature; raises ValueError on a type that does not exist."""
    head, _, result = text.partition(" -> ")
    inner = head[head.index("(") + 1 : head.rindex(")")].strip()
    repeated = "..." in inner
    inner = re.sub(r",\s*\.\.\.", "", inner)
    parameters = tuple(_parameter(part) for part in _split(inner))
    return Signature(parameters, repeated, _parameter(result.strip()) if result else None)


def _split(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for position, letter in enumerate(text):
        depth += (letter in "<") - (letter in ">")
        if letter == "," and not depth:
            parts.append(text[start:position].strip())
            start = position + 1
    last = text[start:].strip()
    return [*parts, last] if last else parts


def _parameter(text: str) -> Parameter:
    optional = text.startswith("[")
    name = text.strip("[] ")
    if name == "ANY":
        return Parameter(name, optional=optional)
    if name == "KEYWORD":
        return Parameter(name, is_keyword=True, optional=optional)
    if name in VARIABLES:
        return Parameter(name, variable=name, optional=optional)
    if name.startswith("ARRAY<") and name[6:-1] in VARIABLES:
        return Parameter(name, variable=name[6:-1], is_array_of_variable=True, optional=optional)
    return Parameter(name, type=parse_type(name), optional=optional)


def parse_type(text: str) -> Type:
    """A type from GoogleSQL's spelling, sizes ignored; raises ValueError when there is no such type."""
    text = text.strip()
    upper = text.upper()
    if upper.startswith(("ARRAY<", "RANGE<")):
        return Type(upper[:5], element=parse_type(text[6:-1]))
    if upper.startswith("STRUCT<"):
        fields = []
        for part in _split(text[7:-1]):
            name, _, kind = part.partition(" ")
            named = bool(kind) and "<" not in name
            fields.append(Field(name if named else "", parse_type(kind if named else part)))
        return Type("STRUCT", fields=tuple(fields))
    base = upper.split("(")[0].strip()
    if base not in ALIASES:
        raise ValueError(f"no such type: {text}")
    return Type(ALIASES[base])


def coerces(source: Type, target: Type, *, literal: bool = False) -> int | None:
    """The cost of BigQuery's implicit conversion (0: same type), None when there is none."""
    if source == target:
        return 0
    if source.is_array and target.is_array and source.element and target.element:
        # Only the element of an array literal is converted, but the caller's own ARRAY typing decides that.
        if source.element.is_struct:
            return 1 if same_shape(source.element, target.element) else None
        return coerces(source.element, target.element, literal=literal)
    if source.is_struct and target.is_struct and len(source.fields) == len(target.fields):
        steps = [coerces(a.type, b.type, literal=literal) for a, b in zip(source.fields, target.fields, strict=True)]
        return None if None in steps else 1 + sum(step for step in steps if step is not None)
    order = WIDENINGS.get(source.kind, ()) + (LITERAL_WIDENINGS.get(source.kind, ()) if literal else ())
    if target.kind == "FLOAT64" and source.kind in ("NUMERIC", "BIGNUMERIC"):
        return LOSSY
    if target.kind in order and not target.element:
        return 1 + order.index(target.kind)
    if literal and source.kind == "FLOAT64" and target.kind in ("NUMERIC", "BIGNUMERIC"):
        return 1
    return None


def same_shape(left: Type, right: Type) -> bool:
    """Whether two types differ in the names of fields alone."""
    if left.is_struct and right.is_struct and len(left.fields) == len(right.fields):
        return all(same_shape(a.type, b.type) for a, b in zip(left.fields, right.fields, strict=True))
    if left.element is not None and right.element is not None:
        return left.kind == right.kind and same_shape(left.element, right.element)
    return left == right


def supertype(types: Iterable[Type | None]) -> Type | None:
    """The common type of several expressions by BigQuery's rules; None when there is none or all are unknown."""
    known = [kind for kind in types if kind is not None]
    if not known:
        return None
    first = known[0]
    if all(kind == first for kind in known):
        return first
    if all(kind.is_numeric for kind in known):
        return max(known, key=lambda kind: NUMERIC_ORDER.index(kind.kind))
    if all(kind.is_array for kind in known):
        inner = supertype([kind.element for kind in known])
        return None if inner is None else Type("ARRAY", element=inner)
    if all(kind.is_struct for kind in known):
        return _struct_supertype(known)
    for candidate in known:
        if all(coerces(kind, candidate) is not None for kind in known):
            return candidate
    return None


def _struct_supertype(types: list[Type]) -> Type | None:
    width = len(types[0].fields)
    if any(len(kind.fields) != width for kind in types):
        return None
    fields = []
    for position, field in enumerate(types[0].fields):
        inner = supertype([kind.fields[position].type for kind in types])
        if inner is None:
            return None
        fields.append(Field(field.name, inner))
    return Type("STRUCT", fields=tuple(fields))


def or_int64(kind: Type | None) -> Type:
    """What BigQuery takes an untyped NULL for where nothing else decides."""
    return INT64 if kind is None else kind
