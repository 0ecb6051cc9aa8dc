"""What a load job does: Parquet, NDJSON or CSV files, uploaded or of a bucket, into a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_bigquery import decorators, destination
from embedded_bigquery.catalog import fields_of
from embedded_bigquery.duck import Connection, execute, fetch
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import InvalidQuery, InvalidValue, NotSupported
from embedded_bigquery.jobs import Job, Result
from embedded_bigquery.sql.environment import TablePath
from embedded_bigquery.types import Field, Type, quoted

GZIP = b"\x1f\x8b"
# What DuckDB calls a column that it found itself.
FOUND = {
    "boolean": "BOOL",
    "tinyint": "INT64",
    "smallint": "INT64",
    "integer": "INT64",
    "bigint": "INT64",
    "utinyint": "INT64",
    "usmallint": "INT64",
    "uinteger": "INT64",
    "ubigint": "NUMERIC",
    "hugeint": "BIGNUMERIC",
    "float": "FLOAT64",
    "double": "FLOAT64",
    "blob": "BYTES",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "DATETIME",
    "timestamp_s": "DATETIME",
    "timestamp_ms": "DATETIME",
    "timestamp_ns": "DATETIME",
    "timestamp with time zone": "TIMESTAMP",
    "interval": "INTERVAL",
}
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


@dataclass(frozen=True, slots=True)
class Source:
    """A file as a DuckDB relation: its columns under their own names, and whether their values are plain text."""

    relation: str
    columns: dict[str, Field]  # by lower-case name
    is_text: bool


def run_load(engine: Engine, file: Path | None, job: Job) -> Result:
    """Raises EngineError. `file` is what was uploaded, and is deleted; without one the URIs are read."""
    config = job.configuration["load"]
    try:
        files = engine.buckets.sources(config.get("sourceUris", ())) if file is None else [file]
        if not files:
            raise InvalidValue("Required parameter is missing: sourceUris")
        with engine.connection() as connection:
            job.stoppable(connection.interrupt)
            try:
                return engine.catalog.anew(lambda: _load(engine, connection, files, config))
            except InvalidQuery as error:
                raise InvalidValue(f"Error while reading data, error message: {error.message}") from error
            finally:
                job.stoppable(None)
    finally:
        if file is not None:
            file.unlink(missing_ok=True)


def _load(engine: Engine, connection: Connection, files: list[Path], config: Mapping[str, Any]) -> Result:
    size = sum(file.stat().st_size for file in files)
    reference = config["destinationTable"]
    path = TablePath(reference.get("projectId", engine.catalog.project), reference["datasetId"], reference["tableId"])
    path, partition = decorators.split(path)
    existing = engine.catalog.table(path)
    declared = destination.checked_fields((config.get("schema") or {}).get("fields", ()))
    known = declared or (fields_of(existing) if existing is not None else ())
    form = (config.get("sourceFormat") or "CSV").upper()
    autodetects = bool(config.get("autodetect")) and not declared
    if not known and not autodetects and form != "PARQUET":
        raise InvalidValue("No schema specified on job or table.")
    readers = {"PARQUET": _parquet, "NEWLINE_DELIMITED_JSON": _json, "CSV": _csv}
    if form not in readers:
        raise NotSupported(f"load of {form}; known: {', '.join(readers)}")
    source = readers[form](connection, files, config, () if autodetects else known)
    replaces = config.get("writeDisposition") == "WRITE_TRUNCATE" and partition is None
    target = declared if declared else _target(source, known, is_fresh=existing is None or replaces)
    fields = _present(source, target, form, bool(config.get("ignoreUnknownValues")))
    write = destination.from_configuration(engine.catalog, config, fields, default_write="WRITE_APPEND")
    destination.check(engine, write)
    columns = ", ".join(_converted(source, field) for field in fields)
    rows = destination.write(engine, connection, write, f"SELECT {columns} FROM {source.relation}")
    written = fetch(execute(connection, f"SELECT count(*) FROM {source.relation}"))[0][0]
    statistics = {
        "inputFiles": str(len(files)),
        "inputFileBytes": str(size),
        "outputRows": str(written),
        "outputBytes": str(size),
        "badRecords": "0",
    }
    return Result({"load": statistics}, rows)


def _target(source: Source, known: tuple[Field, ...], *, is_fresh: bool) -> tuple[Field, ...]:
    """The columns to write when the job declares none: the table's own, and those that only the file has."""
    if source.is_text:
        return known
    if is_fresh:
        return tuple(source.columns.values())
    names = {field.name.lower() for field in known}
    return known + tuple(field for name, field in source.columns.items() if name not in names)


def _present(source: Source, target: tuple[Field, ...], form: str, ignores_unknown: bool) -> tuple[Field, ...]:
    """Those of the columns that the file has; raises InvalidValue for a column of the file that nothing takes."""
    names = {field.name.lower() for field in target}
    extra = next((field.name for name, field in source.columns.items() if name not in names), None)
    if extra is not None and not ignores_unknown and form != "PARQUET":
        raise InvalidValue(f"Error while reading data, error message: JSON parsing error: No such field: {extra}.")
    for field in target:
        if field.required and field.name.lower() not in source.columns:
            raise InvalidValue(f"Error while reading data, error message: Missing required field: {field.name}.")
    return tuple(field for field in target if field.name.lower() in source.columns)


# ---- files


def _parquet(connection: Connection, files: list[Path], config: Mapping[str, Any], known: tuple[Field, ...]) -> Source:
    relation = f"read_parquet({_list(files)})"
    return Source(relation, _described(connection, relation), is_text=False)


def _json(connection: Connection, files: list[Path], config: Mapping[str, Any], known: tuple[Field, ...]) -> Source:
    options = f"format = 'newline_delimited', compression = '{_compression(files)}', maximum_object_size = 104857600"
    if not known:
        relation = f"read_json({_list(files)}, {options}, sample_size = -1)"
        return Source(relation, _described(connection, relation, zoned=True), is_text=False)
    keys = fetch(
        execute(
            connection, f"SELECT DISTINCT unnest(json_keys(json)) FROM read_ndjson_objects({_list(files)}, {options})"
        )
    )
    names = {field.name.lower(): field for field in known}
    columns = {name: names.get(name.lower()) or Field(name, Type("STRING")) for (name,) in keys}
    texts = ", ".join(f"{quoted_text(name)}: {quoted_text(_text_type(field.type))}" for name, field in columns.items())
    if not texts:
        return Source("(SELECT 1 WHERE false)", {}, is_text=True)
    relation = f"read_json({_list(files)}, {options}, columns = {{{texts}}})"
    return Source(relation, {name.lower(): field for name, field in columns.items()}, is_text=True)


def _csv(connection: Connection, files: list[Path], config: Mapping[str, Any], known: tuple[Field, ...]) -> Source:
    skipped = int(config.get("skipLeadingRows") or 0)
    delimiter = {"tab": "\t", "\\t": "\t"}.get(config.get("fieldDelimiter", ","), config.get("fieldDelimiter", ","))
    options = [
        f"delim = {quoted_text(delimiter)}",
        f"quote = {quoted_text(config.get('quote', chr(34)))}",
        "escape = '\"'",
        f"compression = '{_compression(files)}'",
        f"null_padding = {'true' if config.get('allowJaggedRows') else 'false'}",
    ]
    if config.get("encoding", "UTF-8") in ("ISO-8859-1", "ISO8859_1"):
        options.append("encoding = 'latin-1'")
    if not known:
        options.append(f"header = true, skip = {max(skipped - 1, 0)}" if skipped != 0 else "sample_size = -1")
        relation = f"read_csv({_list(files)}, {', '.join(options)})"
        return Source(relation, _described(connection, relation, zoned=True), is_text=False)
    columns = ", ".join(f"{quoted_text(field.name)}: 'VARCHAR'" for field in known)
    # An empty field is an empty STRING, and NULL in a column of any other type; `_converted` sees to it.
    marker = config.get("nullMarker")
    options += [f"columns = {{{columns}}}", "auto_detect = false", f"skip = {skipped}", "header = false"]
    options.append(f"nullstr = {quoted_text(marker if marker is not None else chr(1))}")
    relation = f"read_csv({_list(files)}, {', '.join(options)})"
    return Source(relation, {field.name.lower(): field for field in known}, is_text=True)


def _list(files: list[Path]) -> str:
    """The files as DuckDB's readers take them."""
    return f"[{', '.join(quoted_text(str(file)) for file in files)}]"


def _compression(files: list[Path]) -> str:
    found = {"gzip" if _start(file) == GZIP else "none" for file in files}
    if len(found) > 1:
        raise NotSupported("load of compressed and plain files together")
    return found.pop()


def _start(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(len(GZIP))


def quoted_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _described(connection: Connection, relation: str, *, zoned: bool = False) -> dict[str, Field]:
    """The columns of a file that says their types itself; `zoned`: its date-times are instants in UTC."""
    description = execute(connection, f"SELECT * FROM {relation} LIMIT 0").description or ()
    return {item[0].lower(): Field(item[0], _found(item[1], zoned)) for item in description}


def _found(kind: Any, zoned: bool) -> Type:
    if kind.id == "list":
        return Type("ARRAY", element=_found(kind.children[0][1], zoned))
    if kind.id == "struct":
        return Type("STRUCT", fields=tuple(Field(name, _found(inner, zoned)) for name, inner in kind.children))
    if kind.id == "decimal":
        (_, precision), (_, scale) = kind.children
        return Type("NUMERIC" if scale <= 9 and precision - scale <= 29 else "BIGNUMERIC")
    if zoned and kind.id == "timestamp":
        return Type("TIMESTAMP")
    return Type("JSON" if str(kind) == "JSON" else FOUND.get(kind.id, "STRING"))


# ---- values


def _text_type(kind: Type) -> str:
    """A DuckDB type of the same shape whose scalars are text."""
    if kind.is_array and kind.element is not None:
        return f"{_text_type(kind.element)}[]"
    if kind.is_struct:
        return (
            f"STRUCT({', '.join(f'{quoted(name)} {_text_type(field.type)}' for name, field in kind.storage_fields())})"
        )
    return "JSON" if kind.kind == "JSON" else "VARCHAR"


def _converted(source: Source, field: Field) -> str:
    """The column of the file in the type of the table's."""
    found = source.columns[field.name.lower()]
    column = quoted(found.name)
    if not source.is_text:
        if not _fits(found.type, field.type):
            problem = f"Field {field.name} has changed type from {field.type} to {found.type}"
            raise InvalidValue(f"Provided Schema does not match the table. {problem}")
        if field.type.kind == "BIGNUMERIC":
            return f"bq_big(CAST({column} AS VARCHAR))"
        if "BIGNUM" in field.type.duckdb():
            raise NotSupported(f"BIGNUMERIC inside of column {field.name} of a file that is not text")
        return f"CAST({column} AS {field.type.duckdb()})"
    if source.relation.startswith("read_csv") and field.type.kind not in ("STRING", "BYTES"):
        column = f"nullif(trim({column}), '')"
    return _from_text(column, field.type)


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
            # A cast of its own would round 1.5.
            exact = f"CAST({value} AS DECIMAL(38, 9))"
            wrong = f"error('Bad int64 value: ' || {value})"
            return f"CASE WHEN {exact} = floor({exact}) THEN CAST({exact} AS BIGINT) ELSE {wrong} END"
        case "BIGNUMERIC":
            return f"bq_big({value})"
        case "TIMESTAMP":
            seconds = f"CAST(CAST({value} AS DECIMAL(38, 6)) * 1000000 AS BIGINT)"
            is_number = rf"regexp_full_match({value}, '-?\d+(\.\d*)?')"
            return f"CASE WHEN {is_number} THEN make_timestamptz({seconds}) ELSE CAST({value} AS TIMESTAMPTZ) END"
        case _:
            return f"CAST({value} AS {kind.duckdb()})"
