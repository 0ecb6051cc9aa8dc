"""What a query job does: its parameters, its session, its statements, its destination, and what it reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from embedded_bigquery import destination
from embedded_bigquery.catalog import Resource, routine_of
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import InvalidQuery, InvalidValue, NotSupported
from embedded_bigquery.inputs import from_api, parameter_type
from embedded_bigquery.jobs import Job, Result
from embedded_bigquery.rows import MemoryRows
from embedded_bigquery.script.outcome import Child, Outcome
from embedded_bigquery.sql.environment import TablePath
from embedded_bigquery.types import Field, Type

if TYPE_CHECKING:
    from embedded_bigquery.script.session import Session

Parameters = dict[str | int, tuple[Type, Any]]
GATHERED = "temp.main._destination_rows"  # where a query's rows are gathered before they are written


def run_query(engine: Engine, job: Job) -> Result:
    """Raises EngineError."""
    from embedded_bigquery.script.interpreter import run

    config = job.configuration["query"]
    text = config["query"]
    if config.get("useLegacySql"):
        raise NotSupported("legacy SQL (useLegacySql: true)")
    unknown = next((key for key in ("tableDefinitions", "userDefinedFunctionResources") if config.get(key)), None)
    if unknown is not None:
        raise NotSupported(unknown)
    parameters = read_parameters(config)
    with engine.sessions.of_query(config) as (session, session_id):
        if session_id is not None:
            job.statistics["sessionInfo"] = {"sessionId": session_id}
        try:
            limit = config.get("maximumBytesBilled")
            session.maximum_bytes_billed = None if limit is None else int(limit)
            job.stoppable(session.cancel)
            asked = [key for key in OF_DESTINATION if config.get(key) not in (None, [], *HARMLESS)]
            if asked and not job.is_dry_run:
                planned = run(text, session, parameters, lambda child: None, job_id=job.id, dry_run=True)
                _check_asked(asked, planned)
                if "destinationTable" in config:
                    return _into_destination(engine, job, session, parameters, planned)
            outcome = run(text, session, parameters, _Children(engine, job).add, job_id=job.id, dry_run=job.is_dry_run)
            if not job.children and (transaction := session.take_transaction_id()) is not None:
                job.statistics["transactionInfo"] = {"transactionId": transaction}
        finally:
            job.stoppable(None)
            if job.children:
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


# What belongs to the table that a query's rows go to, and the values that ask for nothing.
OF_DESTINATION = {
    "destinationTable": "destination table",
    "writeDisposition": "write disposition",
    "createDisposition": "create disposition",
    "schemaUpdateOptions": "schema update options",
    "timePartitioning": "time partitioning",
    "rangePartitioning": "range partitioning",
    "clustering": "clustering",
}
HARMLESS = ("WRITE_EMPTY", "CREATE_IF_NEEDED")


def _check_asked(asked: list[str], planned: Outcome) -> None:
    """Raises InvalidQuery for a statement that is not a query, and gives its rows to no table."""
    if planned.kind == "SELECT":
        return
    if planned.kind in ("SCRIPT", "CALL"):
        raise InvalidQuery(f"configuration.query.{asked[0]} cannot be set for scripts")
    kind = "DDL" if planned.operation is not None else "DML"
    raise InvalidQuery(f"Cannot set {OF_DESTINATION[asked[0]]} in jobs with {kind} statements")


def _into_destination(engine: Engine, job: Job, session: Session, parameters: Parameters, planned: Outcome) -> Result:
    from embedded_bigquery.script.interpreter import run

    config = job.configuration["query"]
    if session.transaction is not None:
        raise InvalidQuery("A job inside a transaction cannot have a destination table; use INSERT")
    write = destination.from_configuration(engine.catalog, config, planned.fields, default_write="WRITE_EMPTY")
    destination.check(engine, write)
    try:
        outcome = run(
            config["query"], session, parameters, lambda child: None, job_id=job.id, dry_run=False, into=GATHERED
        )
        rows = engine.catalog.anew(lambda: destination.write(engine, session.connection, write, f"FROM {GATHERED}"))
    finally:
        session.run(f"DROP TABLE IF EXISTS {GATHERED}")
    return Result(statistics_of(outcome), rows)


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
        if child.transaction is not None:
            job.statistics["transactionInfo"] = {"transactionId": child.transaction}
        job.statistics["scriptStatistics"] = {"evaluationKind": "STATEMENT", "stackFrames": [frame]}
        self.engine.jobs.finish_child(job, result_of(child.outcome) if child.outcome else None, child.error)
        job.ended_ms = child.ended_ms


def result_of(outcome: Outcome) -> Result:
    """Raises InvalidQuery for rows that cannot be a result."""
    for position, field in enumerate(outcome.fields):
        if field.type.is_array and any(None in row[position] for row in outcome.rows if row[position]):
            raise InvalidQuery(f"Array cannot have a null element; error in writing field {field.name}")
    rows = MemoryRows(outcome.fields, outcome.rows) if outcome.fields else None
    changed = outcome.target if outcome.affected is not None or outcome.kind == "CREATE_TABLE_AS_SELECT" else None
    return Result(statistics_of(outcome), rows, changed)


def statistics_of(outcome: Outcome) -> dict[str, Any]:
    """The API's statistics of a query."""
    query: dict[str, Any] = {
        "statementType": outcome.kind,
        "totalBytesProcessed": str(outcome.bytes_processed),
        "totalBytesBilled": str(outcome.bytes_billed),
        "estimatedBytesProcessed": str(outcome.bytes_processed),
        "billingTier": 1,
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
