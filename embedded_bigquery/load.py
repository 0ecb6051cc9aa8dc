"""What a load job does: Parquet, NDJSON, CSV or Avro files, uploaded or of a bucket, into a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embedded_bigquery import decorators, destination, tables
from embedded_bigquery.catalog import Resource, fields_of, path_of
from embedded_bigquery.duck import Connection, execute, fetch
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import InvalidQuery, InvalidValue, NotSupported
from embedded_bigquery.jobs import Job, Result
from embedded_bigquery.load_sources import DESCRIBED, READERS, Source
from embedded_bigquery.load_sources import text as quoted_text
from embedded_bigquery.sizes import bytes_sql
from embedded_bigquery.sql.assignments import sized
from embedded_bigquery.sql.environment import TablePath
from embedded_bigquery.types import Field, Type, quoted

WIDER = {
    "INT64": ("FLOAT64", "NUMERIC", "BIGNUMERIC", "STRING"),
    "FLOAT64": ("STRING",),
    "NUMERIC": ("BIGNUMERIC", "FLOAT64", "STRING"),
    "BIGNUMERIC": ("STRING",),
    "BOOL": ("STRING",),
    "DATE": ("DATETIME", "TIMESTAMP", "STRING"),
    "DATETIME": ("TIMESTAMP", "STRING"),  # an instant that its writer did not mark as UTC
    "TIMESTAMP": ("DATETIME", "STRING"),
    "STRING": ("JSON",),
    "JSON": ("STRING",),
}
UNSUPPORTED = ("hivePartitioningOptions", "decimalTargetTypes", "jsonExtension", "projectionFields", "fileSetSpecType")
READING = "Error while reading data, error message:"
COMPLAINT = "Bad "
COMPLAINED = re.compile(rf"Could not convert string ['\"]({COMPLAINT}.*?)['\"] to INT64.*", re.DOTALL)
# What DuckDB says of a file, without the place where the engine keeps it.
FILE = re.compile(r' in file "[^"]*"|file "[^"]*"')


def run_load(engine: Engine, file: Path | None, job: Job) -> Result:
    """Raises EngineError. `file` is what was uploaded, and is deleted; without one the URIs are read."""
    config = job.configuration["load"]
    try:
        files = engine.buckets.sources(config.get("sourceUris", ())) if file is None else [file]
        if not files:
            raise InvalidValue("Required parameter is missing: sourceUris")
        return load_files(engine, job, files, config)
    finally:
        if file is not None:
            for kept in (file, file.with_suffix(".ndjson")):
                kept.unlink(missing_ok=True)


def load_files(engine: Engine, job: Job, files: list[Path], config: Mapping[str, Any]) -> Result:
    """Raises EngineError."""
    unsupported = next((key for key in UNSUPPORTED if config.get(key)), None)
    if unsupported is not None:
        raise NotSupported(f"load with {unsupported}")
    with engine.connection() as connection:
        job.stoppable(connection.interrupt)
        try:
            return engine.catalog.anew(lambda: _load(engine, connection, files, config))
        except NotSupported:
            raise
        except InvalidQuery as error:
            message = COMPLAINED.sub(lambda found: found[1], FILE.sub("", error.message))
            raise InvalidValue(f"{READING} {message}") from error
        finally:
            job.stoppable(None)


def _load(engine: Engine, connection: Connection, files: list[Path], config: Mapping[str, Any]) -> Result:
    size = sum(file.stat().st_size for file in files)
    reference = config["destinationTable"]
    path = TablePath(reference.get("projectId", engine.catalog.project), reference["datasetId"], reference["tableId"])
    path, partition = decorators.split(path)
    existing = engine.catalog.table(path)
    declared = destination.checked_fields((config.get("schema") or {}).get("fields", ()))
    known = declared or (fields_of(existing) if existing is not None else ())
    form = (config.get("sourceFormat") or "CSV").upper()
    if form not in READERS:
        raise NotSupported(f"load of {form}; known: {', '.join(READERS)}")
    autodetects = bool(config.get("autodetect")) and not declared
    if not known and not autodetects and form not in DESCRIBED:
        raise InvalidValue("No schema specified on job or table.")
    source = READERS[form](connection, files, config, () if autodetects else known)
    is_fresh = existing is None or (config.get("writeDisposition") == "WRITE_TRUNCATE" and partition is None)
    target = declared or _target(source, known, form, is_fresh=is_fresh)
    fields = _present(source, target, is_fresh)
    write = destination.from_configuration(engine.catalog, config, fields, default_write="WRITE_APPEND")
    destination.check(engine, write)
    before = (0, 0) if is_fresh or existing is None else _measured(engine, connection, existing)
    query, bad = _query(connection, source, fields, config)
    skipped = bad + int(fetch(execute(connection, source.skipped))[0][0])
    if skipped > _limit(config):
        raise InvalidValue(f"{READING} too many errors, giving up. Errors: {skipped}; max bad: {_limit(config)}")
    rows = destination.write(engine, connection, write, query)
    after = _measured(engine, connection, tables.required_table(engine.catalog, path))
    written, held = ((max(new - old, 0)) for new, old in zip(after, before, strict=True))
    if partition is not None and config.get("writeDisposition") == "WRITE_TRUNCATE":
        written = rows.count()
    statistics = {
        "inputFiles": str(len(files)),
        "inputFileBytes": str(size),
        "outputRows": str(written),
        "outputBytes": str(held),
        "badRecords": str(skipped),
    }
    return Result({"load": statistics}, rows)


def _limit(config: Mapping[str, Any]) -> int:
    return int(config.get("maxBadRecords") or 0)


def _measured(engine: Engine, connection: Connection, table: Resource) -> tuple[int, int]:
    """Rows and logical bytes."""
    name = engine.catalog.duckdb_name(path_of(table))
    [(rows, size)] = fetch(execute(connection, f"SELECT count(*), {bytes_sql(fields_of(table))} FROM {name}"))
    return int(rows), int(size or 0)


def _target(source: Source, known: tuple[Field, ...], form: str, *, is_fresh: bool) -> tuple[Field, ...]:
    """The columns to write when the job declares none: the table's own, and those that only the file has."""
    if source.is_text and form not in DESCRIBED:
        return known
    if is_fresh:
        return tuple(source.columns.values())
    names = {field.name.lower() for field in known}
    return known + tuple(field for name, field in source.columns.items() if name not in names)


def _present(source: Source, target: tuple[Field, ...], is_fresh: bool) -> tuple[Field, ...]:
    """The columns that are written: all of a table that is made, those that the file has of another.

    Raises InvalidValue for a required one that the file lacks.
    """
    for field in target:
        if field.required and field.name.lower() not in source.columns:
            raise InvalidValue(f"{READING} Missing required field: {field.name}.")
    return target if is_fresh else tuple(field for field in target if field.name.lower() in source.columns)


# ---- values


def _query(
    connection: Connection, source: Source, fields: tuple[Field, ...], config: Mapping[str, Any]
) -> tuple[str, int]:
    """The rows in the types of their columns as DuckDB text, and how many bad records are left out of them.

    Raises InvalidValue for a record that cannot be loaded, unless bad ones are allowed.
    """
    values = [(field, _converted(source, field)) for field in fields]
    refused = [
        (
            f"list_count({_raw(source, field)}) < len({_raw(source, field)})",
            f"Only optional fields can be set to NULL. Field: {field.name}; Value: NULL",
        )
        for field in fields
        if source.is_text and field.type.is_array and field.name.lower() in source.columns
    ]
    if source.is_csv and not config.get("allowQuotedNewlines"):
        texts = [_raw(source, field) for field in fields if field.type.kind == "STRING"]
        refused += [(f"contains({text}, chr(10))", 'Missing close double quote (") character.') for text in texts]
    if not source.is_text or not _limit(config):
        wrong = [f"WHEN {condition} THEN {quoted_text(message)}" for condition, message in refused]
        if wrong:
            first = f"SELECT m FROM (SELECT CASE {' '.join(wrong)} END AS m FROM {source.relation}) WHERE m IS NOT NULL"
            for (message,) in fetch(execute(connection, f"{first} LIMIT 1")):
                raise InvalidValue(f"{READING} {message}")
        chosen = ", ".join(sized(value, field) for field, value in values)
        return f"SELECT {chosen} FROM {source.relation}", 0
    conditions = [condition for condition, _ in refused]
    for field, value in values:
        if field.name.lower() in source.columns:
            conditions.append(f"TRY({value}) IS NULL AND {_raw(source, field)} IS NOT NULL")
        if field.required:
            conditions.append(f"TRY({value}) IS NULL")
    bad = " OR ".join(f"coalesce({condition}, false)" for condition in conditions) or "false"
    [(count,)] = fetch(execute(connection, f"SELECT count(*) FROM {source.relation} WHERE {bad}"))
    chosen = ", ".join(sized(f"TRY({value})", field) for field, value in values)
    return f"SELECT {chosen} FROM {source.relation} WHERE NOT ({bad})", int(count)


def _raw(source: Source, field: Field) -> str:
    """The value as the file has it; an empty field of CSV is NULL unless its column is text."""
    column = quoted(source.columns[field.name.lower()].name)
    if source.is_csv and field.type.kind not in ("STRING", "BYTES"):
        return f"nullif(trim({column}), '')"
    return column


def _converted(source: Source, field: Field) -> str:
    """The column of the file in the type of the table's; raises InvalidValue when it is of another."""
    found = source.columns.get(field.name.lower())
    if found is None:
        if field.default is not None:
            raise NotSupported(f"default value of column {field.name}, which the file lacks, in a new table")
        return f"CAST({'[]' if field.type.is_array else 'NULL'} AS {field.type.duckdb()})"
    if not source.is_text:
        column = quoted(found.name)
        if not _fits(found.type, field.type):
            problem = f"Field {field.name} has changed type from {field.type} to {found.type}"
            raise InvalidValue(f"Provided Schema does not match the table. {problem}")
        if field.type.kind == "BIGNUMERIC":
            return f"bq_big(CAST({column} AS VARCHAR))"
        if "BIGNUM" in field.type.duckdb():
            raise NotSupported(f"BIGNUMERIC inside of column {field.name} of a file that is not text")
        return f"CAST({column} AS {field.type.duckdb()})"
    return _from_text(_raw(source, field), field.type)


def _fits(found: Type, wanted: Type) -> bool:
    """Whether a typed column of a file may go into a column: a cast that could round or fail is refused."""
    if found.is_array and wanted.is_array and found.element is not None and wanted.element is not None:
        return _fits(found.element, wanted.element)
    if found.is_struct and wanted.is_struct:
        types = {field.name.lower(): field.type for field in found.fields}
        return all(
            field.name.lower() in types and _fits(types[field.name.lower()], field.type) for field in wanted.fields
        )
    return found == wanted or wanted.kind in WIDER.get(found.kind, ())


def _from_text(value: str, kind: Type, depth: int = 0) -> str:
    if kind.is_array and kind.element is not None:
        item = f"v{depth}"
        inner = _from_text(item, kind.element, depth + 1)
        return f"coalesce(list_transform({value}, lambda {item}: {inner}), [])"
    if kind.is_struct:
        parts = (
            f"{quoted(name)} := {_from_text(f'({value}).{quoted(name)}', field.type, depth)}"
            for name, field in kind.storage_fields()
        )
        return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({', '.join(parts)}) END"
    match kind.kind:
        case "BYTES":
            return f"from_base64({value})"
        case "INT64":
            # A cast of its own would round 1.5; what is no whole number fails in the cast of its complaint.
            whole = f"regexp_full_match({value}, '\\s*[-+]?\\d+(\\.0*)?\\s*')"
            exact = f"CAST(CAST({value} AS DECIMAL(38, 9)) AS BIGINT)"
            return f"CASE WHEN {whole} THEN {exact} ELSE CAST('{COMPLAINT}int64 value: ' || {value} AS BIGINT) END"
        case "BIGNUMERIC":
            return f"bq_big({value})"
        case "TIMESTAMP":
            seconds = f"CAST(CAST({value} AS DECIMAL(38, 6)) * 1000000 AS BIGINT)"
            is_number = rf"regexp_full_match({value}, '-?\d+(\.\d*)?')"
            return f"CASE WHEN {is_number} THEN make_timestamptz({seconds}) ELSE CAST({value} AS TIMESTAMPTZ) END"
        case _:
            return f"CAST({value} AS {kind.duckdb()})"
