"""Names that an expression can see, and the text that DuckDB knows them by."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.environment import Bind, Environment, Read, Relation
from embedded_bigquery.types import Field, Type, quoted

Place = tuple[int, int] | None
AGGREGATE = "an aggregate"  # the clause of what stands inside one


@dataclass(frozen=True, slots=True)
class Lowered:
    """An expression as DuckDB text; type None is unknown, or an untyped NULL."""

    sql: str
    type: Type | None = None
    name: str = ""  # the column name it gives when nothing else names it
    is_aggregate: bool = False  # it has an aggregate inside, and none may be around it
    written: nodes.Node | None = None  # of a function's argument: the literal that was given for it


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: Type | None
    sql: str
    is_value: bool = False  # the one column of a value table: its fields are the table's columns
    is_aggregate: bool = False
    is_literal: bool = False  # in all rows: a set operation gives it the type of the other side


@dataclass(frozen=True, slots=True)
class Source:
    """One item of a FROM clause."""

    alias: str
    columns: tuple[Column, ...]
    value: Column | None = None  # of UNNEST and of value tables: the alias itself is a value
    relation: Relation | None = None
    hidden: tuple[Column, ...] = ()  # pseudo-columns: they have names, and * leaves them out
    reference: Reference | None = None  # of a table: where the columns that are used are noted
    is_range: bool = False  # its columns are seen through its alias alone

    def column(self, name: str) -> Column | None:
        lower = name.lower()
        found = [column for column in (*self.columns, *self.hidden) if column.name.lower() == lower]
        if len(found) > 1:
            raise InvalidQuery(f"Column name {name} is ambiguous")
        return found[0] if found else None

    @property
    def all(self) -> tuple[Column, ...]:
        """Every column that the source has names for, its value included."""
        return (*self.columns, *self.hidden, *([self.value] if self.value is not None else []))

    def anonymous(self) -> Source:
        """The same columns, without a name for the row."""
        return replace(self, alias="")

    def row(self) -> Lowered:
        """The whole row as a STRUCT."""
        if self.value is not None:
            return Lowered(self.value.sql, self.value.type, self.alias)
        return Lowered(*row_of(self.columns), self.alias)


def row_of(columns: Sequence[Column]) -> tuple[str, Type]:
    """A STRUCT of the columns: its DuckDB text and type."""
    kind = Type("STRUCT", fields=tuple(Field(column.name, column.type or Type("INT64")) for column in columns))
    parts = zip(kind.storage_fields(), columns, strict=True)
    return f"struct_pack({', '.join(f'{quoted(name)} := {column.sql}' for (name, _), column in parts)})", kind


@dataclass(slots=True)
class Reference:
    """One mention of a table in FROM: the columns that are used of it, and the partitions that are left."""

    relation: Relation
    columns: set[str] = field(default_factory=set)
    partitions: str | None = None


# A bind in DuckDB text; literals and quoted names, which may look like one, come first.
BIND = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\d+)""")


def renumbered(sql: str) -> tuple[str, tuple[int, ...]]:
    """A part of a statement with its binds numbered anew, and their positions in the statement."""
    used: list[int] = []

    def number(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        position = int(match[1]) - 1
        if position not in used:
            used.append(position)
        return f"${used.index(position) + 1}"

    return BIND.sub(number, sql), tuple(used)


@dataclass(slots=True)
class Statement:
    """What one statement gathers while it is lowered."""

    environment: Environment
    binds: list[Bind] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    counter: int = 0
    calls: tuple[str, ...] = ()  # functions whose bodies are being lowered, outermost first

    def bind(self, kind: str, name: str | int, type_: Type) -> Lowered:
        made = Bind(kind, name, type_)
        if made not in self.binds:
            self.binds.append(made)
        return Lowered(f"CAST(${self.binds.index(made) + 1} AS {type_.duckdb()})", type_)

    def unique(self, prefix: str) -> str:
        self.counter += 1
        return f"_{prefix}{self.counter}"

    def refer(self, relation: Relation) -> Reference:
        made = Reference(relation)
        self.references.append(made)
        return made

    def reads(self) -> tuple[Read, ...]:
        """Each table that is read, once: all columns that are used, and the partitions that any mention leaves."""
        mentions: dict[str, list[Reference]] = {}
        for reference in self.references:
            mentions.setdefault(reference.relation.duckdb_name, []).append(reference)
        found = []
        for same in mentions.values():
            columns = frozenset().union(*(reference.columns for reference in same))
            kept = list(dict.fromkeys(reference.partitions for reference in same))
            tests = [test for test in kept if test is not None]
            condition, binds = renumbered(" OR ".join(f"({test})" for test in tests))
            found.append(Read(same[0].relation, columns, None if None in kept else condition, binds))
        return tuple(found)


@dataclass(slots=True)
class Block:
    """What decides whether one SELECT is grouped, and which of its columns then stand outside the grouping."""

    keys: set[str] = field(default_factory=set)  # DuckDB text of what is grouped by
    aggregates: int = 0  # how many there are
    is_grouped: bool = False  # by a clause, or because something is aggregated
    loose: list[tuple[Column, Place]] = field(default_factory=list)  # columns used outside of keys and aggregates


@dataclass(slots=True)
class Scope:
    """Sources of one query block, what it names itself, and the block around it."""

    statement: Statement
    parent: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    merged: dict[str, Column] = field(default_factory=dict)  # columns joined by USING
    aliases: dict[str, Lowered | None] = field(
        default_factory=dict
    )  # of the SELECT list where it can be seen; None: two
    tables: dict[str, tuple[str, tuple[Column, ...]]] = field(default_factory=dict)  # WITH: DuckDB's name, columns
    windows: Mapping[str, nodes.Window] = field(default_factory=dict)
    constants: dict[str, Lowered] = field(default_factory=dict)  # arguments of a function whose body this is
    bindings: dict[str, Lowered] = field(default_factory=dict)  # of a WITH expression: they beat all other names
    is_body: bool = False  # of a function: variables and parameters of the caller are out of sight
    block: Block | None = None  # None inside an aggregate: its columns need no grouping
    clause: str = ""  # the clause that this is, where it takes no aggregates
    over: str = ""  # of a call of an aggregate UDF: the window that the aggregates of its body stand over

    def ancestors(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def variant(self, **changes: object) -> Scope:
        """The same names under another light."""
        made = copy.copy(self)
        for name, value in changes.items():
            setattr(made, name, value)
        return made

    def source(self, alias: str) -> Source | None:
        lower = alias.lower()
        return next((source for source in self.sources if source.alias.lower() == lower), None)

    def find_source(self, alias: str) -> Source | None:
        return next((found for scope in self.ancestors() if (found := scope.source(alias)) is not None), None)

    def table(self, name: str) -> tuple[str, tuple[Column, ...]] | None:
        lower = name.lower()
        for scope in self.ancestors():
            for known, table in scope.tables.items():
                if known.lower() == lower:
                    return table
        return None

    def own_name(self, name: str, rest: Sequence[str], at: Place) -> Lowered | None:
        """What `name` is in this block alone; `rest` are the parts of the path that follow it."""
        lower = name.lower()
        if lower in self.bindings:
            return self.bindings[lower]
        if lower in self.aliases:
            known = self.aliases[lower]
            if known is None:
                raise InvalidQuery(f"Column name {name} is ambiguous", at=at)
            if known.is_aggregate and self.clause == AGGREGATE:
                raise InvalidQuery("Aggregations of aggregations are not allowed", at=at)
            return known
        if lower in self.merged:
            return self.use(None, self.merged[lower], at)
        source = self.source(name)
        if source is not None:  # a table's alias beats a column
            if source.value is not None:
                return self.use(source, source.value, at)
            return None if rest else self._row(source, at)
        found = [(s, c) for s in self.sources if not s.is_range and (c := s.column(name)) is not None]
        if len(found) > 1:
            raise InvalidQuery(f"Column name {name} is ambiguous", at=at)
        if found:
            return self.use(*found[0], at)
        fields = [
            inner
            for s in self.sources
            if s.value is not None
            and not s.is_range
            and (inner := struct_field(Lowered(s.value.sql, s.value.type), name)) is not None
            and self.use(s, s.value, at)
        ]
        if len(fields) > 1:
            raise InvalidQuery(f"Column name {name} is ambiguous", at=at)
        return fields[0] if fields else self.constants.get(lower)

    def _row(self, source: Source, at: Place) -> Lowered:
        for column in source.columns:
            self.use(source, column, at)
        return source.row()

    def use(self, source: Source | None, column: Column, at: Place = None) -> Lowered:
        if source is not None and source.reference is not None:
            source.reference.columns.add(column.name)
        if self.block is not None and column.sql not in self.block.keys:
            self.block.loose.append((column, at))
        return Lowered(column.sql, column.type, column.name)


def struct_field(value: Lowered, name: str) -> Lowered | None:
    """value.name of a STRUCT; None when it has no such field."""
    if value.type is None or not value.type.is_struct:
        return None
    lower = name.lower()
    found = [(stored, member) for stored, member in value.type.storage_fields() if member.name.lower() == lower]
    if len(found) > 1:
        raise InvalidQuery(f"Struct field name {name} is ambiguous")
    return next((Lowered(f"({value.sql}).{quoted(s)}", m.type, m.name) for s, m in found), None)


def resolve(scope: Scope, parts: Sequence[str], at: Place) -> Lowered:
    """A path of identifiers: columns of the nearest block first, then variables. Raises InvalidQuery."""
    first, rest = parts[0], parts[1:]
    is_body = False
    for block in scope.ancestors():
        is_body = is_body or block.is_body
        found = block.own_name(first, rest, at)
        if found is None and rest and (source := block.source(first)) is not None:
            column = source.column(rest[0])
            if column is None:
                raise InvalidQuery(f"Name {rest[0]} not found inside {first}", at=at)
            return follow(block.use(source, column, at), rest[1:], at)
        if found is not None:
            return follow(found, rest, at)
    kind = None if is_body else scope.statement.environment.variable(first)
    if kind is not None:
        bound = scope.statement.bind("VARIABLE", first.lower(), kind)
        return follow(Lowered(bound.sql, bound.type, first), rest, at)
    raise InvalidQuery(f"Unrecognized name: {first}{_suggestion(scope, first)}", at=at)


def _suggestion(scope: Scope, name: str) -> str:
    """BigQuery's "; Did you mean x?" for a name that is nearly one that can be seen."""
    known = {
        found: found
        for block in scope.ancestors()
        for source in block.sources
        for found in (source.alias, *(column.name for column in source.columns))
        if found and not found.startswith("_")
    }
    lower = {found.lower(): found for found in known}
    close = get_close_matches(name.lower(), lower, n=1, cutoff=0.8)
    return f"; Did you mean {lower[close[0]]}?" if close else ""


def follow(value: Lowered, names: Sequence[str], at: Place) -> Lowered:
    """value.a.b of a STRUCT or JSON; raises InvalidQuery."""
    for name in names:
        if value.type is not None and value.type.kind == "JSON":
            path = "'$.\"" + name.replace("'", "''") + "\"'"
            value = Lowered(f"json_extract({value.sql}, {path})", value.type, name)
            continue
        inner = struct_field(value, name)
        if inner is None and value.type is not None and value.type.is_struct:
            raise InvalidQuery(f"Field name {name} does not exist in {value.type}", at=at)
        if inner is None:
            shown = value.type or "an expression of unknown type"
            raise InvalidQuery(f"Cannot access field {name} on a value with type {shown}", at=at)
        value = inner
    return value


def value_name(node: nodes.Node, value: Lowered) -> str:
    """The name that a column has by itself: paths give theirs, other expressions none."""
    return value.name if isinstance(node, nodes.Path | nodes.FieldOf) else ""
