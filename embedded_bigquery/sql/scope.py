"""Names that an expression can see, and the text that DuckDB knows them by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql.environment import Bind, Environment, Relation
from embedded_bigquery.types import Field, Type, quoted


@dataclass(frozen=True, slots=True)
class Lowered:
    """An expression as DuckDB text; type None is unknown, or an untyped NULL."""

    sql: str
    type: Type | None = None
    name: str = ""  # the column name it gives when nothing else names it


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: Type | None
    sql: str


@dataclass(frozen=True, slots=True)
class Source:
    """One item of a FROM clause."""

    alias: str
    columns: tuple[Column, ...]
    value: Column | None = None  # of UNNEST: the alias itself is a value
    relation: Relation | None = None

    def column(self, name: str) -> Column | None:
        found = [column for column in self.columns if column.name.lower() == name.lower()]
        if len(found) > 1:
            raise InvalidQuery(f"Column name {name} is ambiguous")
        return found[0] if found else None

    def row(self) -> Lowered:
        """The whole row as a STRUCT."""
        if self.value is not None:
            return Lowered(self.value.sql, self.value.type, self.alias)
        fields = tuple(Field(column.name, column.type or Type("STRING")) for column in self.columns)
        kind = Type("STRUCT", fields=fields)
        parts = zip(kind.storage_fields(), self.columns, strict=True)
        inner = ", ".join(f"{quoted(name)} := {column.sql}" for (name, _), column in parts)
        return Lowered(f"struct_pack({inner})", kind, self.alias)


@dataclass(slots=True)
class Statement:
    """What one statement gathers while it is lowered."""

    environment: Environment
    binds: list[Bind] = field(default_factory=list)
    reads: dict[str, tuple[Relation, set[str]]] = field(default_factory=dict)
    counter: int = 0

    def bind(self, kind: str, name: str | int, type_: Type) -> Lowered:
        made = Bind(kind, name, type_)
        if made not in self.binds:
            self.binds.append(made)
        return Lowered(f"CAST(${self.binds.index(made) + 1} AS {type_.duckdb()})", type_)

    def unique(self, prefix: str) -> str:
        self.counter += 1
        return f"_{prefix}{self.counter}"

    def read(self, relation: Relation) -> set[str]:
        return self.reads.setdefault(relation.duckdb_name, (relation, set()))[1]


@dataclass(slots=True)
class Scope:
    """Sources of one query block, what it names itself, and the block around it."""

    statement: Statement
    parent: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    merged: dict[str, Column] = field(default_factory=dict)  # columns joined by USING
    aliases: dict[str, Lowered] = field(default_factory=dict)  # of the SELECT list, where they can be seen
    tables: dict[str, tuple[str, tuple[Column, ...]]] = field(default_factory=dict)  # WITH: DuckDB name, columns
    windows: Mapping[str, object] = field(default_factory=dict)
    is_query: bool = True
    constants: dict[str, Lowered] = field(default_factory=dict)  # arguments of a function whose body this is

    def ancestors(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def source(self, alias: str) -> Source | None:
        found = [source for source in self.sources if source.alias.lower() == alias.lower()]
        return found[0] if found else None

    def find_source(self, alias: str) -> Source | None:
        return next((found for scope in self.ancestors() if (found := scope.source(alias)) is not None), None)

    def table(self, name: str) -> tuple[str, tuple[Column, ...]] | None:
        for scope in self.ancestors():
            for known, table in scope.tables.items():
                if known.lower() == name.lower():
                    return table
        return None

    def own_name(self, name: str, rest: bool) -> Lowered | None:
        """What `name` is in this block alone; `rest`: more parts of the path follow."""
        lower = name.lower()
        if lower in self.aliases:
            return self.aliases[lower]
        if lower in self.merged:
            column = self.merged[lower]
            return Lowered(column.sql, column.type, column.name)
        source = self.source(name)
        if source is not None and (rest or source.value is not None):
            return None if source.value is None and rest else source.row()
        found = [(s, c) for s in self.sources if s.value is None and (c := s.column(name)) is not None]
        if len(found) > 1:
            raise InvalidQuery(f"Column name {name} is ambiguous")
        if found:
            return self.use(*found[0])
        if source is not None:
            for column in source.columns:
                self.use(source, column)
            return source.row()
        struct = [s.value for s in self.sources if s.value is not None and s.value.type and s.value.type.is_struct]
        for value in struct:
            inner = struct_field(Lowered(value.sql, value.type), name)
            if inner is not None:
                return inner
        return self.constants.get(lower)

    def use(self, source: Source, column: Column) -> Lowered:
        if source.relation is not None:
            self.statement.read(source.relation).add(column.name)
        return Lowered(column.sql, column.type, column.name)


def struct_field(value: Lowered, name: str) -> Lowered | None:
    """value.name of a STRUCT; None when it has no such field."""
    if value.type is None or not value.type.is_struct:
        return None
    for stored, member in value.type.storage_fields():
        if member.name.lower() == name.lower():
            return Lowered(f"({value.sql}).{quoted(stored)}", member.type, member.name)
    return None


def resolve(scope: Scope, parts: list[str], at: tuple[int, int] | None) -> Lowered:
    """A path of identifiers: columns of the nearest block first, then variables. Raises InvalidQuery."""
    first, rest = parts[0], parts[1:]
    try:
        for block in scope.ancestors():
            found = block.own_name(first, bool(rest))
            if found is None and rest and (source := block.source(first)) is not None:
                column = source.column(rest[0])
                if column is None:
                    raise InvalidQuery(f"Name {rest[0]} not found inside {first}", at=at)
                return _fields(block.use(source, column), rest[1:], at)
            if found is not None:
                return _fields(found, rest, at)
    except InvalidQuery as error:
        raise error if error.at else InvalidQuery(error.bare_message, at=at) from None
    kind = scope.statement.environment.variable(first)
    if kind is not None:
        bound = scope.statement.bind("VARIABLE", first.lower(), kind)
        return _fields(Lowered(bound.sql, bound.type, first), rest, at)
    raise InvalidQuery(f"Unrecognized name: {first}", at=at)


def _fields(value: Lowered, names: list[str], at: tuple[int, int] | None) -> Lowered:
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
