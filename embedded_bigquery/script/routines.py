"""What a routine must be when it is made, whether by a statement or by a client, and how the API shows it."""

from __future__ import annotations

from contextlib import suppress

from embedded_bigquery import checks
from embedded_bigquery.catalog import Resource
from embedded_bigquery.errors import EngineError, InvalidQuery, NotSupported
from embedded_bigquery.script.names import Names
from embedded_bigquery.script.parser import parse_script
from embedded_bigquery.script.scope import Frame, Variable
from embedded_bigquery.script.session import Session
from embedded_bigquery.script.strict import check_body
from embedded_bigquery.sql.environment import Routine, RoutineArgument
from embedded_bigquery.sql.functions.duckdb_text import UTC
from embedded_bigquery.sql.functions.signatures import coerces
from embedded_bigquery.sql.parser import parse_expression
from embedded_bigquery.sql.translate import translate, translate_expression
from embedded_bigquery.types import INT64, Field, Type, standard, standard_field

HEAD = "SELECT "


def check_routine(routine: Routine, session: Session) -> None:
    """Raises InvalidValue, InvalidQuery or NotFound; a place is one in the routine's body."""
    checks.routine_id(routine.path.name)
    seen: set[str] = set()
    for argument in routine.arguments:
        if argument.name.lower() in seen:
            raise InvalidQuery(f"Duplicate argument name {argument.name}")
        seen.add(argument.name.lower())
    if routine.language not in ("SQL", "JAVASCRIPT"):
        raise NotSupported(f"routine in {routine.language}")
    if routine.kind == "PROCEDURE":
        _check_procedure(routine, session)
    elif routine.language == "JAVASCRIPT":
        if routine.returns is None:
            raise InvalidQuery(f"Function {routine.path.name} in JavaScript must have a return type")
    else:
        with suppress(NotSupported):  # the engine's limit is told to who calls it
            _check_function(routine, session)


def _check_procedure(routine: Routine, session: Session) -> None:
    if routine.language != "SQL":
        raise NotSupported(f"procedure in {routine.language}")
    if routine.options.get("strictMode", True):
        check_body(routine.body, routine.arguments, session)
    else:
        parse_script(routine.body, tuple(argument.name for argument in routine.arguments))


def _check_function(routine: Routine, session: Session) -> None:
    if routine.kind == "TABLE_VALUED_FUNCTION":
        if not any(argument.is_table or argument.type is None for argument in routine.arguments):
            _check_columns(routine, translate(routine.body, _names(routine, session)).fields)
        return
    if any(argument.type is None for argument in routine.arguments):
        parse_expression(routine.body)  # its types are those of each call
        return
    if routine.kind == "AGGREGATE_FUNCTION":
        found = _aggregate_type(routine, session)
    else:
        found = translate_expression(routine.body, _names(routine, session)).fields[0].type
    if routine.returns is not None and coerces(found, routine.returns, literal=True) is None:
        raise InvalidQuery(
            f"Function declared to return {routine.returns} but the function body produces incompatible type {found}",
            at=(1, 1),
        )


def default_value(column: Field, names: Names) -> str:
    """A column's default value, a GoogleSQL expression, as DuckDB text; raises InvalidQuery."""
    assert column.default is not None
    # The zone of this script is not that of the INSERTs to come.
    found = translate_expression(column.default, names.within_zone(UTC), column.type)
    if found.binds or found.reads:
        raise InvalidQuery(
            f"The default value of column {column.name} must be a literal or a function: {column.default}"
        )
    return found.duckdb_sql.removeprefix("SELECT ").removesuffix(" AS c0")


def _names(routine: Routine, session: Session) -> Names:
    frame = Frame()
    for argument in routine.arguments:
        frame.declare(argument.name, Variable(argument.type or INT64))
    return Names(session, frame, {}, {})


def _aggregate_type(routine: Routine, session: Session) -> Type:
    """The type of the body over rows that have the arguments as columns."""
    given = [argument for argument in routine.arguments if argument.is_aggregate]
    columns = ", ".join(f"CAST(NULL AS {argument.type}) AS `{argument.name}`" for argument in given)
    try:
        made = translate(f"{HEAD}{routine.body}\nFROM (SELECT {columns or 1})", _names(routine, session))
    except EngineError as error:
        if error.at is not None and error.at[0] == 1:
            error.at = (1, error.at[1] - len(HEAD))
        raise
    return made.fields[0].type


def _check_columns(routine: Routine, found: tuple[Field, ...]) -> None:
    names = {field.name.lower(): field.type for field in found}
    for column in routine.return_fields:
        kind = names.get(column.name.lower())
        if kind is None:
            raise InvalidQuery(f"Column {column.name} of RETURNS TABLE is not a column of the query", at=(1, 1))
        if coerces(kind, column.type, literal=True) is None:
            raise InvalidQuery(
                f"Column {column.name} of RETURNS TABLE has type {column.type}, and {kind} in the query", at=(1, 1)
            )


def routine_resource(routine: Routine) -> Resource:
    """The routine as routines.get answers it."""
    path = routine.path
    resource: Resource = {
        "routineReference": {"projectId": path.project, "datasetId": path.dataset, "routineId": path.name},
        "routineType": routine.kind,
        "language": routine.language,
        "arguments": [_argument_resource(argument, routine.kind) for argument in routine.arguments],
        "definitionBody": routine.body,
        **({"strictMode": True} if routine.kind == "PROCEDURE" else {}),
        **routine.options,
    }
    if routine.returns is not None:
        resource["returnType"] = standard(routine.returns)
    if routine.return_fields:
        resource["returnTableType"] = {"columns": [standard_field(column) for column in routine.return_fields]}
    return resource


def _argument_resource(argument: RoutineArgument, kind: str) -> Resource:
    resource: Resource = {"name": argument.name}
    if argument.is_table:
        if argument.table_fields:
            resource["tableType"] = {"columns": [standard_field(field) for field in argument.table_fields]}
        else:
            resource["argumentKind"] = "ANY_TABLE"
    elif argument.type is None:
        resource["argumentKind"] = "ANY_TYPE"
    else:
        resource["dataType"] = standard(argument.type)
    if kind == "PROCEDURE":
        resource["mode"] = argument.mode
    if kind == "AGGREGATE_FUNCTION" and not argument.is_aggregate:
        resource["isAggregate"] = False
    return resource
