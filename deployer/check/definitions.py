"""What a CREATE statement makes known to the statements that come after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from deployer.check.syntax import Node, Source

Column = tuple[str, str]  # name and type
Path = tuple[str, ...]
MODES: dict[int, Literal["IN", "OUT", "INOUT"]] = {0: "IN", 1: "IN", 2: "OUT", 3: "INOUT"}
ANY = ""  # the type of an ANY TYPE parameter


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: str
    mode: Literal["IN", "OUT", "INOUT"] = "IN"

    def __str__(self) -> str:
        return f"{self.mode} {self.name} {self.type}"


@dataclass(frozen=True, slots=True)
class Table:
    """Also a view, when its columns are known."""

    columns: tuple[Column, ...]
    partition: str = ""  # the column that it is partitioned by


@dataclass(frozen=True, slots=True)
class Variable:
    """Of a script: a parameter, something declared, a loop's record."""

    type: str


@dataclass(frozen=True, slots=True)
class Function:
    parameters: tuple[Parameter, ...]
    returns: str
    is_aggregate: bool = False
    text: str = ""  # of its expression, when the types of a call decide what that returns


@dataclass(frozen=True, slots=True)
class TableFunction:
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Procedure:
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something is there, but what it is like cannot be said: its own definition is wrong, or not analysed."""


Definition = Table | Variable | Function | TableFunction | Procedure | Unknown

KINDS = {
    "CreateTableStatement": "TABLE",
    "CreateExternalTableStatement": "TABLE",
    "CreateSnapshotTableStatement": "TABLE",
    "CreateViewStatement": "VIEW",
    "CreateMaterializedViewStatement": "VIEW",
    "CreateFunctionStatement": "FUNCTION",
    "CreateTableFunctionStatement": "FUNCTION",
    "CreateProcedureStatement": "PROCEDURE",
}
TEMPORARY = 3  # the scope of a CREATE TEMP


def created_name(create: Node) -> Node | None:
    """The PathExpression of what a CREATE statement makes."""
    declaration = create.one("function_declaration")
    return declaration.one("name") if declaration is not None else create.one("name")


def declared(create: Node, source: Source) -> Definition | None:
    """What the text of the CREATE tells by itself; None when only its analysis tells more."""
    if create.kind == "CreateProcedureStatement":
        return Procedure(parameters(create.one("parameters")))
    if create.kind == "CreateTableStatement":
        elements = create.one("table_element_list")
        if elements is None:
            return None
        columns = tuple(_column(element) for element in elements.all("elements") if element.one("schema"))
        return Table(columns, partition_column(create))
    declaration = create.one("function_declaration")
    listed = parameters(declaration.one("parameters") if declaration is not None else None)
    if create.kind == "CreateFunctionStatement":
        returns, is_aggregate = create.one("return_type"), bool(create.value("is_aggregate"))
        if any(parameter.type == ANY for parameter in listed):
            body = create.one("sql_function_body")
            return Function(listed, "", is_aggregate, source.cut(body) if body is not None else "")
        return Function(listed, written(returns), is_aggregate) if returns is not None else None
    if create.kind == "CreateTableFunctionStatement":
        schema = create.one("return_tvf_schema")
        if schema is not None:
            return TableFunction(listed, tuple(_column(column) for column in schema.all("columns")))
    return None


def parameters(node: Node | None) -> tuple[Parameter, ...]:
    """The parameters of a routine."""
    found = []
    for entry in node.all("parameter_entries") if node is not None else ():
        name, kind = entry.one("name"), entry.one("type")
        mode = MODES[entry.value("procedure_parameter_mode") or 0]
        label = name.path[0] if name is not None else ""
        found.append(Parameter(label, written(kind) if kind is not None else ANY, mode))
    return tuple(found)


def _column(node: Node) -> Column:
    name, kind = node.one("name"), node.one("schema") or node.one("type")
    return (name.path[0] if name is not None else "", written(kind) if kind is not None else "")


def partition_column(create: Node) -> str:
    """The column that a table is partitioned by, whatever function cuts it into days or ranges; "" for none."""
    clause = create.one("partition_by")
    for expression in clause.all("partitioning_expressions") if clause is not None else ():
        for path in expression.find("PathExpression"):
            is_function = any(call.one("function") is path for call in expression.find("FunctionCall"))
            if not is_function:
                return path.path[-1]
    return ""


def written(node: Node) -> str:
    """The type that a Type or a ColumnSchema names, without its parameters, options and constraints."""
    if node.kind in ("SimpleType", "SimpleColumnSchema"):
        name = node.one("type_name")
        return ".".join(name.path).upper() if name is not None else ""
    inner = node.one("element_type") or node.one("element_schema")
    if inner is not None:
        return f"{'RANGE' if node.kind.startswith('Range') else 'ARRAY'}<{written(inner)}>"
    fields = []
    for field in node.all("struct_fields"):
        name, kind = field.one("name"), field.one("type") or field.one("schema")
        label = f"`{name.path[0]}` " if name is not None else ""
        fields.append(label + (written(kind) if kind is not None else ""))
    return f"STRUCT<{', '.join(fields)}>"
