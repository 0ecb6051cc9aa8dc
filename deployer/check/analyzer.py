"""Statements and expressions of a text put to GoogleSQL's analyzer, with the names that they can see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from zetasql.wasi._pb2.zetasql.proto import options_pb2 as options
from zetasql.wasi._pb2.zetasql.public import options_pb2 as public

from deployer.check.catalogs import PSEUDO_COLUMNS, Catalogs
from deployer.check.definitions import Column, Definition, Parameter, Path
from deployer.check.googlesql import GoogleSql, Refusal, Trapped
from deployer.check.syntax import Node, Source
from deployer.check.types import message_of, text_of

STACK = "ARRAY<STRUCT<`line` INT64, `column` INT64, `filename` STRING, `location` STRING>>"
# Source: "System variables reference".
SYSTEM_VARIABLES = {
    "current_job_id": "STRING",
    "dataset_id": "STRING",
    "dataset_project_id": "STRING",
    "error.formatted_stack_trace": "STRING",
    "error.message": "STRING",
    "error.stack_trace": STACK,
    "error.statement_text": "STRING",
    "last_job_id": "STRING",
    "location": "STRING",
    "project_id": "STRING",
    "query_label": "STRING",
    "reservation": "STRING",
    "row_count": "INT64",
    "script.bytes_billed": "INT64",
    "script.bytes_processed": "INT64",
    "script.creation_time": "TIMESTAMP",
    "script.job_id": "STRING",
    "script.num_child_jobs": "INT64",
    "script.slot_ms": "INT64",
    "session_id": "STRING",
    "time_zone": "STRING",
}
SELECT = "SELECT "
WORD = re.compile(r"\w+")


class Analyzer:
    """Against the objects of a warehouse, by their paths."""

    def __init__(self, googlesql: GoogleSql, objects: Mapping[Path, Definition]) -> None:
        self.googlesql = googlesql
        self._catalogs = Catalogs(googlesql, objects)
        self._options = options.AnalyzerOptionsProto(error_message_mode=public.ERROR_MESSAGE_ONE_LINE)
        self._options.language_options.CopyFrom(googlesql.language)
        for name, kind in PSEUDO_COLUMNS:
            self._options.ddl_pseudo_columns.add(name=name, type=message_of(kind))
        for name, kind in SYSTEM_VARIABLES.items():
            self._options.system_variables.add(name_path=name.split("."), type=message_of(kind))

    def close(self) -> None:
        """Gives back the memory of the catalogs."""
        self._catalogs.close()

    def statement(
        self,
        source: Source,
        node: Node,
        local: Mapping[Path, Definition],
        parameters: Sequence[Parameter] = (),
        wanted: Sequence[str] = (),
    ) -> Any:
        """The resolved statement's message; raises Refusal with the place in the source."""
        return self._analyze(source, node, "", local, parameters, wanted)

    def expression(self, source: Source, node: Node, local: Mapping[Path, Definition], wanted: str = "") -> str:
        """The type of an expression, which must fit the wanted one; raises Refusal, UnknownType."""
        resolved = self._analyze(source, node, SELECT, local, (), (wanted,) if wanted else ())
        return columns_of(resolved)[0][1]

    def _analyze(
        self,
        source: Source,
        node: Node,
        prefix: str,
        local: Mapping[Path, Definition],
        parameters: Sequence[Parameter],
        wanted: Iterable[str],
    ) -> Any:
        made = self._options
        if parameters or wanted:
            made = options.AnalyzerOptionsProto()
            made.CopyFrom(self._options)
        for kind in wanted:
            made.target_column_types.add().CopyFrom(message_of(kind))
        for parameter in parameters:
            if parameter.name:
                made.query_parameters.add(name=parameter.name, type=message_of(parameter.type))
            else:
                made.parameter_mode = public.PARAMETER_POSITIONAL
                made.positional_query_parameters.add().CopyFrom(message_of(parameter.type))
        text = prefix + source.blanked(node.start, node.end)
        words = {word.lower() for word in WORD.findall(source.cut(node))}
        try:
            return self.googlesql.analyze(text, self._catalogs.fitting(words, local), made)
        except Trapped as trapped:
            if trapped.is_dead:
                self._catalogs.forget()
            raise
        except Refusal as refusal:
            raise _placed(refusal, source, node, len(prefix)) from None


def _placed(refusal: Refusal, source: Source, node: Node, shift: int) -> Refusal:
    """With its place in the source; what stands at a SELECT that is not there, or nowhere, belongs to the beginning."""
    column = refusal.column - (shift if refusal.line == 1 else 0)
    place = max(source.untabbed(refusal.line, column), source.place(node.start))
    return Refusal(refusal.message, *place)


def columns_of(resolved: Any) -> tuple[Column, ...]:
    """The columns that a resolved query, or a CREATE that holds one, gives; raises UnknownType."""
    statement = unwrapped(resolved)
    definitions = part_of(statement, "column_definition_list")
    if definitions:
        return tuple((column.name, text_of(column.type)) for column in definitions)
    found = part_of(statement, "output_column_list") or ()
    return tuple((column.name, text_of(column.column.type)) for column in found)


def unwrapped(message: Any) -> Any:
    """The one message that nested `Any…` messages hold."""
    while message.DESCRIPTOR.name.startswith("Any"):
        [(_, message)] = message.ListFields()
    return message


def part_of(message: Any, name: str) -> Any:
    """A part of a resolved message, its own or of a kind that it is a special case of."""
    while name not in message.DESCRIPTOR.fields_by_name:
        if "parent" not in message.DESCRIPTOR.fields_by_name:
            return None
        message = message.parent
    return getattr(message, name)
