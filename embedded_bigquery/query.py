"""What a query job does: its parameters, its session, its statements, its destination, and what it reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from embedded_bigquery import destination
from embedded_bigquery.catalog import Resource, routine_of
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import EngineError, InvalidQuery, InvalidValue, NotSupported
from embedded_bigquery.inputs import from_api, parameter_type
from embedded_bigquery.jobs import Job, Result
from embedded_bigquery.rows import MemoryRows
from embedded_bigquery.script.outcome import Child, Outcome
from embedded_bigquery.sql.environment import TablePath
from embedded_bigquery.types import Field, Type, quoted

if TYPE_CHECKING:
    from embedded_bigquery.script.session import Session

Parameters = dict[str | int, tuple[Type, Any]]
GATHERED = "_destination_rows"  # the temporary table that a query's rows are gathered in before they are written


def run_query(engine: Engine, job: Job) -> Result:
    """Raises EngineError."""
    from embedded_bigquery.script.interpreter import run

    config = job.configuration["query"]
    text = config.get("query")
    if not text:
        raise InvalidValue("Required parameter is missing: query")
    if config.get("useLegacySql"):
        raise NotSupported("legacy SQL (useLegacySql: true)")
    parameters = read_parameters(config)
    children = _Children(engine, job)
    with engine.sessions.of_query(config) as (session, session_id):
        if session_id is not None:
            job.statistics["sessionInfo"] = {"sessionId": session_id}
        try:
            limit = config.get("maximumBytesBilled")
            session.maximum_bytes_billed = None if limit is None else int(limit)
            job.stoppable(session.cancel)
            if "destinationTable" in config and not job.is_dry_run:
                return _into_destination(engine, job, session, parameters)
            outcome = run(text, session, parameters, children.add, job_id=job.id, dry_run=job.is_dry_run)
        finally:
            job.stoppable(None)
    if outcome.kind in ("SCRIPT", "CALL"):
        job.statistics["numChildJobs"] = str(job.children)
    if job.is_dry_run:
        return Result(statistics_of(outcome))
    return result_of(outcome)


def read_parameters(config: dict[str, Any]) -> Parameters:
    """The values of a query's parameters, by lower-case name, or by position from 0."""
    found: Parameters = {}
    for position, item in enumerate(config.get("queryParameters", ())):
        kind = parameter_type(item.get("parameterType", {}))
        name = item.get("name")
        try:
            value = from_api(item.get("parameterValue"), kind)
        except InvalidValue as error:
            shown = f"'{name}'" if name else f"at position {position + 1}"
            raise InvalidValue(f"Query parameter {shown}: {error.message}") from error
        found[name.lower() if name else position] = (kind, value)
    return found


def columns_of(engine: Engine, text: str, default_dataset: dict[str, Any] | None = None) -> Outcome:
    """What a query would give, without running it: for the schema of a view."""
    from embedded_bigquery.script.interpreter import run

    config = {} if default_dataset is None else {"defaultDataset": default_dataset}
    with engine.sessions.of_query(config) as (session, _):
        return run(text, session, {}, lambda child: None, dry_run=True)


def checked_routine(engine: Engine, resource: Resource) -> Resource:
    """The routine that a client sent as the statement that made it would store it.

    Raises InvalidValue, InvalidQuery or NotFound.
    """
    from embedded_bigquery.script.routines import check_routine, routine_resource

    try:
        routine = routine_of(resource)
    except KeyError as error:
        raise InvalidValue(f"Invalid value for typeKind: {error.args[0]} is not a valid value") from error
    with engine.sessions.of_query({}) as (session, _):
        check_routine(routine, session)
    return routine_resource(routine)


def default_sql(engine: Engine, column: Field) -> str:
    """A column's default value as DuckDB text; raises InvalidQuery."""
    from embedded_bigquery.script.names import Names
    from embedded_bigquery.script.routines import default_value
    from embedded_bigquery.script.scope import Frame

    with engine.sessions.of_query({}) as (session, _):
        return default_value(column, Names(session, Frame(), {}, {}))


# ---- destination


def _into_destination(engine: Engine, job: Job, session: Session, parameters: Parameters) -> Result:
    from embedded_bigquery.script.interpreter import run

    config = job.configuration["query"]
    text = config["query"]
    planned = run(text, session, parameters, lambda child: None, job_id=job.id, dry_run=True)
    if planned.kind != "SELECT":
        what = {"SCRIPT": "scripts", "CALL": "scripts"}.get(planned.kind)
        what = what or f"jobs with {'DML' if planned.target and not planned.operation else 'DDL'} statements"
        raise InvalidQuery(f"Cannot set destination table in {what}")
    if session.transaction is not None:
        raise InvalidQuery("A job inside a transaction cannot have a destination table; use INSERT")
    write = destination.from_configuration(engine.catalog, config, planned.fields, default_write="WRITE_EMPTY")
    destination.check(engine, write)
    definitions = ", ".join(f"{quoted(field.name)} {field.type.duckdb()}" for field in planned.fields)
    gathered = session.add_temporary(GATHERED, planned.fields)
    session.run(f"CREATE OR REPLACE TEMP TABLE {gathered.duckdb_name} ({definitions})")
    try:
        try:
            run(f"INSERT INTO _SESSION.{GATHERED}\n{text}", session, parameters, lambda child: None, job_id=job.id)
        except EngineError as error:
            if error.at is not None:  # the text stands one line lower than in the job
                error.at = (error.at[0] - 1, error.at[1])
            raise
        rows = destination.write(engine, session.connection, write, f"FROM {gathered.duckdb_name}")
    finally:
        del session.temporary[GATHERED]
        session.run(f"DROP TABLE IF EXISTS {gathered.duckdb_name}")
    return Result(statistics_of(planned), rows)


# ---- what is reported


class _Children:
    """Turns what the interpreter tells of a script's statements into child jobs."""

    def __init__(self, engine: Engine, parent: Job) -> None:
        self.engine, self.parent = engine, parent

    def add(self, child: Child) -> None:
        if self.parent.is_dry_run:
            return
        job = self.engine.jobs.add_child(self.parent)
        job.configuration["query"] = {"query": child.text, "useLegacySql": False}
        job.created_ms = job.started_ms = child.started_ms
        lines = child.text.split("\n")
        frame = {
            "startLine": child.line,
            "startColumn": child.column,
            "endLine": child.line + len(lines) - 1,
            "endColumn": len(lines[-1]) + (child.column if len(lines) == 1 else 1),
            "text": child.text,
        }
        if child.procedure is not None:
            frame["procedureId"] = child.procedure
        job.statistics["scriptStatistics"] = {"evaluationKind": "STATEMENT", "stackFrames": [frame]}
        self.engine.jobs.finish_child(job, result_of(child.outcome) if child.outcome else None, child.error)
        job.ended_ms = child.ended_ms


def result_of(outcome: Outcome) -> Result:
    """Raises InvalidQuery for rows that cannot be a result."""
    for position, field in enumerate(outcome.fields):
        if field.type.is_array and any(None in row[position] for row in outcome.rows if row[position]):
            raise InvalidQuery(f"Array cannot have a null element; error in writing field {field.name}")
    rows = MemoryRows(outcome.fields, outcome.rows) if outcome.fields else None
    return Result(statistics_of(outcome), rows)


def statistics_of(outcome: Outcome) -> dict[str, Any]:
    """The API's statistics of a query."""
    query: dict[str, Any] = {
        "statementType": outcome.kind,
        "totalBytesProcessed": str(outcome.bytes_processed),
        "totalBytesBilled": str(outcome.bytes_billed),
        "cacheHit": False,
    }
    if outcome.fields:
        query["schema"] = {"fields": [field.api() for field in outcome.fields]}
    if outcome.referenced:
        query["referencedTables"] = [table_reference(path) for path in outcome.referenced]
    if outcome.affected is not None:
        query["numDmlAffectedRows"] = str(outcome.affected)
        counts = {
            "insertedRowCount": outcome.inserted,
            "updatedRowCount": outcome.updated,
            "deletedRowCount": outcome.deleted,
        }
        query["dmlStats"] = {name: str(count) for name, count in counts.items() if count is not None}
    if outcome.operation is not None:
        query["ddlOperationPerformed"] = outcome.operation
        if outcome.target is not None and outcome.target.name:
            query["ddlTargetTable"] = table_reference(outcome.target)
        elif outcome.target is not None:
            query["ddlTargetDataset"] = {"projectId": outcome.target.project, "datasetId": outcome.target.dataset}
        if outcome.routine is not None:
            path = outcome.routine
            names = {"projectId": path.project, "datasetId": path.dataset, "routineId": path.name}
            query["ddlTargetRoutine"] = names
    return {"query": query, "totalBytesProcessed": str(outcome.bytes_processed)}


def table_reference(path: TablePath) -> dict[str, str]:
    return {"projectId": path.project, "datasetId": path.dataset, "tableId": path.name}
