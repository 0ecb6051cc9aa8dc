"""The catalogs that statements are analysed against.

Registering a catalog costs as much as analysing a few statements, nearly all of it for the built-in functions. So one
catalog serves every statement for which it holds the right thing under each of the statement's words: mostly those of
many procedures, since procedures of one house name their parameters alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from zetasql.wasi._pb2.zetasql.proto import function_pb2 as functions
from zetasql.wasi._pb2.zetasql.proto import simple_catalog_pb2 as catalogs
from zetasql.wasi._pb2.zetasql.public import function_pb2 as enums

from deployer.check.definitions import (
    ANY,
    Column,
    Definition,
    Function,
    Parameter,
    Path,
    Procedure,
    Table,
    TableFunction,
    Variable,
)
from deployer.check.googlesql import GoogleSql
from deployer.check.types import ALIASES, UnknownType, message_of

KEPT = 12  # catalogs; each holds some megabytes
PSEUDO_COLUMNS = (("_PARTITIONTIME", "TIMESTAMP"), ("_PARTITIONDATE", "DATE"))


class Catalogs:
    """Catalogs with the same objects of the warehouse, and whatever objects of their own scripts have made."""

    def __init__(self, googlesql: GoogleSql, objects: Mapping[Path, Definition]) -> None:
        self._googlesql = googlesql
        self._base = catalogs.SimpleCatalogProto(name="warehouse")
        self._base.builtin_function_options.language_options.CopyFrom(googlesql.language)
        for alias, kind in ALIASES.items():
            self._base.named_type.add(name=alias, type=message_of(kind))
        _add_own(self._base)
        _add(self._base, objects)
        self._made: list[tuple[dict[Path, Definition], int]] = []  # the latest first

    def fitting(self, words: set[str], local: Mapping[Path, Definition]) -> int:
        """The number of a catalog that has, of all that `words` (in lower case) may name, what `local` has."""
        for content, number in self._made:
            if _named(content, words) == _named(local, words):
                return number
        content = dict(self._made[0][0]) if self._made else {}
        for path in _named(content, words):
            del content[path]
        content |= local
        catalog = catalogs.SimpleCatalogProto()
        catalog.CopyFrom(self._base)
        _add(catalog, content)
        number = self._googlesql.register(catalog)
        self._made.insert(0, (content, number))
        self._keep(KEPT)
        return number

    def close(self) -> None:
        """Gives back what is registered."""
        self._keep(0)

    def _keep(self, most: int) -> None:
        for _, old in self._made[most:]:
            self._googlesql.unregister(old)
        del self._made[most:]

    def forget(self) -> None:
        """After the analyzer died: nothing is registered any more."""
        self._made.clear()


def _add_own(root: catalogs.SimpleCatalogProto) -> None:
    """Functions that BigQuery has and GoogleSQL has not."""
    for name in ("MAX_BY", "MIN_BY"):
        made = root.custom_function.add(name_path=[name], mode=enums.FunctionEnums.AGGREGATE, group="BigQuery")
        signature = made.signature.add()
        for kind in (enums.ARG_TYPE_ANY_1, enums.ARG_TYPE_ANY_2):
            signature.argument.add(kind=kind, num_occurrences=-1)
        signature.return_type.kind, signature.return_type.num_occurrences = enums.ARG_TYPE_ANY_1, -1


def _named(content: Mapping[Path, Definition], words: set[str]) -> dict[Path, Definition]:
    return {path: made for path, made in content.items() if path[-1] in words}


def _add(root: catalogs.SimpleCatalogProto, objects: Mapping[Path, Definition]) -> None:
    inside: dict[Path, catalogs.SimpleCatalogProto] = {(): root}
    for path, definition in objects.items():
        catalog = root
        for depth in range(1, len(path)):
            if path[:depth] not in inside:
                inside[path[:depth]] = _child(inside[path[: depth - 1]], path[depth - 1])
            catalog = inside[path[:depth]]
        with suppress(UnknownType):  # the CREATE itself is refused for that
            _put(catalog, path, definition)
            if path[0] == SESSION:
                _put(root, path[1:], definition)
            elif len(path) > 1:
                _put(root, (".".join(path),), definition)  # in one pair of backticks


def _child(catalog: catalogs.SimpleCatalogProto, name: str) -> catalogs.SimpleCatalogProto:
    for known in catalog.catalog:
        if known.name == name:
            return known
    return catalog.catalog.add(name=name)


# A script's own objects stand under this name, and can be named without it.
SESSION = "_session"


def _put(catalog: catalogs.SimpleCatalogProto, path: Path, definition: Definition) -> None:
    name = path[-1]
    match definition:
        case Table():
            table = catalog.table.add(name=name, full_name=".".join(path))
            for column, kind in definition.columns:
                table.column.add(name=column, type=message_of(kind), is_writable_column=True)
            for column, kind in PSEUDO_COLUMNS:
                if all(column.lower() != known.lower() for known, _ in definition.columns):
                    table.column.add(name=column, type=message_of(kind), is_pseudo_column=True)
        case Variable():
            catalog.constant.add(name_path=path, type=message_of(definition.type)).value.SetInParent()
        case Procedure():
            made = catalog.procedure.add(name_path=path)
            made.signature.CopyFrom(_signature(definition.parameters))
            _fix(made.signature.return_type, "INT64")
            made.signature.return_type.num_occurrences = -1
        case Function():
            _put_function(catalog, path, definition)
        case TableFunction():
            tvf = catalog.custom_tvf.add(name_path=path, type=enums.FunctionEnums.FIXED_OUTPUT_SCHEMA_TVF)
            tvf.signature.CopyFrom(_signature(definition.parameters))
            returns = tvf.signature.return_type
            returns.kind, returns.num_occurrences = enums.ARG_TYPE_RELATION, -1
            _relation(returns.options.relation_input_schema, definition.columns)
            tvf.signatures.add().CopyFrom(tvf.signature)


def _put_function(catalog: catalogs.SimpleCatalogProto, path: Path, definition: Function) -> None:
    mode = enums.FunctionEnums.AGGREGATE if definition.is_aggregate else enums.FunctionEnums.SCALAR
    made = catalog.custom_function.add(name_path=path, mode=mode, group="warehouse")
    made.options.sql_name = ".".join(path)
    signature = made.signature.add()
    signature.CopyFrom(_signature(definition.parameters))
    if definition.text:
        made.group = "Templated_SQL_Function"
        made.parse_resume_location.input = definition.text  # the expression alone
        made.templated_sql_function_argument_name.extend(parameter.name for parameter in definition.parameters)
        signature.return_type.kind, signature.return_type.num_occurrences = enums.ARG_TYPE_ARBITRARY, -1
    else:
        _fix(signature.return_type, definition.returns)
        signature.return_type.num_occurrences = -1


def _signature(parameters: Iterable[Parameter]) -> functions.FunctionSignatureProto:
    signature = functions.FunctionSignatureProto()
    for parameter in parameters:
        argument = signature.argument.add(num_occurrences=-1)
        argument.options.argument_name = parameter.name
        if parameter.type == ANY:
            argument.kind = enums.ARG_TYPE_ARBITRARY
        else:
            _fix(argument, parameter.type)
    return signature


def _fix(argument: functions.FunctionArgumentTypeProto, kind: str) -> None:
    argument.kind = enums.ARG_TYPE_FIXED
    argument.type.CopyFrom(message_of(kind))


def _relation(relation: functions.TVFRelationProto, columns: Iterable[Column]) -> None:
    for name, kind in columns:
        relation.column.add(name=name, type=message_of(kind))
