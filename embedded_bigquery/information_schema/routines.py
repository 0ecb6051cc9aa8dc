"""ROUTINES, ROUTINE_OPTIONS and PARAMETERS."""

from __future__ import annotations

from collections.abc import Iterator

from embedded_bigquery.catalog import routine_of
from embedded_bigquery.ddl_text import routine_ddl, routine_options
from embedded_bigquery.information_schema.views import OPTION, SPECIFIC, Row, View, Where, named, time

KINDS = {"SCALAR_FUNCTION": "FUNCTION", "TABLE_VALUED_FUNCTION": "TABLE FUNCTION"}
DETERMINISM = {"DETERMINISTIC": "YES", "NOT_DETERMINISTIC": "NO"}


def _routines(where: Where) -> Iterator[Row]:
    for names, resource in where.routines():
        routine = routine_of(resource)
        is_external = routine.language != "SQL"
        yield {
            **names,
            **{key.replace("specific", "routine"): value for key, value in names.items()},
            "routine_type": KINDS.get(routine.kind, routine.kind.replace("_", " ")),
            "data_type": routine.returns.sql() if routine.returns else None,
            "routine_body": "EXTERNAL" if is_external else "SQL",
            "routine_definition": routine.body,
            "external_language": routine.language if is_external else None,
            "is_deterministic": DETERMINISM.get(str(routine.options.get("determinismLevel"))),
            "created": time(resource.get("creationTime")),
            "last_altered": time(resource.get("lastModifiedTime")),
            "ddl": routine_ddl(resource),
        }


def _options(where: Where) -> Iterator[Row]:
    for names, resource in where.routines():
        for option in named(routine_options(resource)):
            yield {**names, **option}


def _parameters(where: Where) -> Iterator[Row]:
    for names, resource in where.routines():
        routine = routine_of(resource)
        if routine.returns is not None:
            yield {**names, "ordinal_position": 0, "is_result": "YES", "data_type": routine.returns.sql()}
        for position, argument in enumerate(routine.arguments, 1):
            kind = argument.type.sql() if argument.type else "ANY TABLE" if argument.is_table else "ANY TYPE"
            yield {
                **names,
                "ordinal_position": position,
                "parameter_mode": argument.mode if routine.kind == "PROCEDURE" else None,
                "is_result": "NO",
                "parameter_name": argument.name,
                "data_type": kind,
            }


VIEWS = {
    "ROUTINES": View(
        f"{SPECIFIC}, routine_catalog STRING, routine_schema STRING, routine_name STRING, routine_type STRING, "
        "data_type STRING, routine_body STRING, routine_definition STRING, external_language STRING, "
        "is_deterministic STRING, security_type STRING, created TIMESTAMP, last_altered TIMESTAMP, ddl STRING, "
        "connection STRING",
        _routines,
    ),
    "ROUTINE_OPTIONS": View(f"{SPECIFIC}, {OPTION}", _options),
    "PARAMETERS": View(
        f"{SPECIFIC}, ordinal_position INT64, parameter_mode STRING, is_result STRING, parameter_name STRING, "
        "data_type STRING, parameter_default STRING, is_aggregate STRING",
        _parameters,
    ),
}
