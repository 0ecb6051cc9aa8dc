"""What a table is, by its file and by the warehouse, and how the one becomes the other.

`CREATE TABLE IF NOT EXISTS` passes over a table that exists, so a change of its file must be told from the two.
Compared are columns, partitioning, clustering, and the options of OPTIONS_COMPARED.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp, parse_one
from sqlglot.errors import ParseError

from deployer.errors import SourceError
from deployer.sync.definitions import Definition

if TYPE_CHECKING:
    from google.cloud.bigquery import SchemaField, Table

OPTIONS_COMPARED = ("description", "require_partition_filter", "partition_expiration_days")
TYPE_OF_LEGACY_NAME = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
MILLISECONDS_A_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Column:
    """Texts are SQL as sqlglot writes it, so that two spellings of one thing are equal."""

    name: str
    type: str
    required: bool = False
    default: str = ""
    description: str = ""

    def __str__(self) -> str:
        parts = [
            self.type,
            "NOT NULL" if self.required else "",
            f"DEFAULT {self.default}" if self.default else "",
            f"OPTIONS (description = {_literal(self.description)})" if self.description else "",
        ]
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Shape:
    columns: tuple[Column, ...]
    partitioning: str = ""  # `column by UNIT`
    clustering: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()


def new_columns(wanted: Shape, live: Shape) -> tuple[Column, ...] | None:
    """The columns whose addition makes the live table the wanted one; None if that is not all that differs."""
    known = len(live.columns)
    added = wanted.columns[known:]
    rest = Shape(wanted.columns[:known], wanted.partitioning, wanted.clustering, wanted.options)
    if list(differences(rest, live)) or any(column.required or column.default for column in added):
        return None
    return added


def add_columns(table: str, columns: tuple[Column, ...]) -> str:
    return f"ALTER TABLE {table}\n" + ",\n".join(f"  ADD COLUMN `{column.name}` {column}" for column in columns) + ";"


def differences(wanted: Shape, live: Shape) -> Iterator[str]:
    """What differs, one thing at a time, as texts for people."""
    ours = {column.name.lower(): column for column in wanted.columns}
    theirs = {column.name.lower(): column for column in live.columns}
    for key in ours.keys() | theirs.keys():
        here, there = ours.get(key), theirs.get(key)
        if here is None or there is None or str(here) != str(there):
            yield f"column {key}: {_sides(here, there)}"
    if ours.keys() == theirs.keys() and list(ours) != list(theirs):
        yield f"order of columns: {_sides(', '.join(ours), ', '.join(theirs))}"
    if wanted.partitioning.lower() != live.partitioning.lower():
        yield f"partitioning: {_sides(wanted.partitioning, live.partitioning)}"
    if wanted.clustering != live.clustering:
        yield f"clustering: {_sides(', '.join(wanted.clustering), ', '.join(live.clustering))}"
    if wanted.options != live.options:
        sides = (", ".join(f"{name} = {value}" for name, value in shape.options) for shape in (wanted, live))
        yield f"options: {_sides(*sides)}"


def shape_of_definition(definition: Definition) -> Shape:
    """Raises SourceError for a CREATE TABLE that lists no columns."""
    try:
        created = parse_one(definition.text, dialect="bigquery")
    except ParseError as error:
        place = error.errors[0] if error.errors else {}
        line, column = definition.place_in_file(place.get("line") or 1, place.get("col") or 1)
        problem = place.get("description", "cannot be read as a CREATE TABLE")
        raise SourceError(problem, definition.source.path, line, column) from error
    schema = created.this
    if not isinstance(schema, exp.Schema):
        message = "lists no columns, so a change of it cannot be told from the table that exists; list them"
        raise SourceError(message, definition.source.path)
    properties = created.args.get("properties")
    partitioned = properties and properties.find(exp.PartitionedByProperty)
    clustered = properties and properties.find(exp.ClusterProperty)
    options = _options(properties.expressions if properties else ())
    return Shape(
        tuple(_column(column) for column in schema.expressions if isinstance(column, exp.ColumnDef)),
        _partitioning(partitioned.this) if partitioned else "",
        tuple(column.name for column in clustered.expressions) if clustered else (),
        tuple((name, options[name]) for name in OPTIONS_COMPARED if name in options),
    )


def shape_of_table(table: Table) -> Shape:
    time, integer = table.time_partitioning, table.range_partitioning
    partitioning = f"{time.field or '_PARTITIONTIME'} by {time.type_}" if time else ""
    if integer:
        limits = integer.range_
        partitioning = f"{integer.field} by {limits.start}, {limits.end}, {limits.interval}"
    values: dict[str, object] = {
        "description": table.description and _literal(table.description),
        "require_partition_filter": table.require_partition_filter and "TRUE",
        "partition_expiration_days": time and time.expiration_ms and time.expiration_ms / MILLISECONDS_A_DAY,
    }
    return Shape(
        tuple(_live_column(column) for column in table.schema),
        partitioning,
        tuple(table.clustering_fields or ()),
        tuple((name, _number(str(value))) for name, value in values.items() if value),
    )


def _sides(here: object, there: object) -> str:
    return f"the file says {here or 'nothing'}, the warehouse has {there or 'nothing'}"


def _literal(text: str) -> str:
    return exp.Literal.string(text).sql("bigquery")


def _number(text: str) -> str:
    return text.removesuffix(".0")


def _column(column: exp.ColumnDef) -> Column:
    kinds = [constraint.args["kind"] for constraint in column.args.get("constraints") or ()]
    default = next((kind.this for kind in kinds if isinstance(kind, exp.DefaultColumnConstraint)), None)
    options: dict[str, str] = {}
    for kind in kinds:
        if isinstance(kind, exp.Properties):
            options |= _options(kind.expressions)
    description = options.get("description", "")
    return Column(
        column.name,
        _type(column.args["kind"]),
        any(isinstance(kind, exp.NotNullColumnConstraint) for kind in kinds),
        default.sql("bigquery", comments=False) if default else "",
        parse_one(description, dialect="bigquery").name if description else "",
    )


def _live_column(column: SchemaField) -> Column:
    default = column.default_value_expression
    return Column(
        column.name,
        _type(exp.DataType.build(_live_type(column), dialect="bigquery")),
        column.mode == "REQUIRED",
        parse_one(default, dialect="bigquery").sql("bigquery", comments=False) if default else "",
        column.description or "",
    )


def _live_type(column: SchemaField) -> str:
    name = TYPE_OF_LEGACY_NAME.get(column.field_type, column.field_type)
    if name in ("RECORD", "STRUCT"):
        inner = (f"{f.name} {_live_type(f)}{' NOT NULL' * (f.mode == 'REQUIRED')}" for f in column.fields)
        name = f"STRUCT<{', '.join(inner)}>"
    elif name == "RANGE" and column.range_element_type:
        name = f"RANGE<{column.range_element_type.element_type}>"
    limits = [str(limit) for limit in (column.max_length or column.precision, column.scale) if limit]
    if limits:
        name = f"{name}({', '.join(limits)})"
    return f"ARRAY<{name}>" if column.mode == "REPEATED" else name


def _type(kind: exp.DataType) -> str:
    plain = kind.copy()
    for options in list(plain.find_all(exp.Properties)):
        options.parent.pop() if options.parent else None
    return plain.sql("bigquery", comments=False)


def _options(expressions: Iterator[exp.Expression] | list[exp.Expression] | tuple[()]) -> dict[str, str]:
    return {
        each.name.lower(): _number(each.args["value"].sql("bigquery", comments=False))
        for each in expressions
        if type(each) is exp.Property
    }


def _partitioning(expression: exp.Expression) -> str:
    """`column by UNIT`: PARTITION BY ts's DATE(ts) and TIMESTAMP_TRUNC(ts, DAY) are one thing to the API."""
    column = expression.find(exp.Column) or expression
    name = "_PARTITIONTIME" if column.name.upper() == "_PARTITIONDATE" else column.name
    if isinstance(expression, exp.RangeBucket):
        series = expression.expression
        limits = (series.args[part].sql("bigquery") for part in ("start", "end", "step"))
        return f"{name} by {', '.join(limits)}"
    unit = expression.args.get("unit")
    return f"{name} by {unit.name if unit else 'DAY'}"
