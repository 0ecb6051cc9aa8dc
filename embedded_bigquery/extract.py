"""What an extract job does: a table into CSV, NDJSON or Parquet files of a bucket.

Source: "Exporting table data", docs.cloud.google.com/bigquery/docs/exporting-data, for the form of the values.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from embedded_bigquery import tables
from embedded_bigquery.catalog import fields_of
from embedded_bigquery.duck import Connection, execute, fetch
from embedded_bigquery.engine import Engine
from embedded_bigquery.errors import InvalidValue, NotSupported
from embedded_bigquery.jobs import Job, Result
from embedded_bigquery.sizes import bytes_sql
from embedded_bigquery.types import Field, Type, quoted
from embedded_bigquery.values import fetch_sql, from_duckdb, to_api

COMPRESSIONS = {
    "CSV": ("NONE", "GZIP"),
    "NEWLINE_DELIMITED_JSON": ("NONE", "GZIP"),
    "PARQUET": ("NONE", "GZIP", "SNAPPY", "ZSTD"),
}
FETCHED = 10_000  # rows at a time


def run_extract(engine: Engine, job: Job) -> Result:
    """Raises EngineError. A file is there whole or not at all."""
    return engine.catalog.anew(lambda: _extract(engine, job))


def _extract(engine: Engine, job: Job) -> Result:
    config = job.configuration["extract"]
    if "sourceTable" not in config:
        raise NotSupported("extract of a model")
    form = config.get("destinationFormat") or "CSV"
    if form not in COMPRESSIONS:
        raise NotSupported(f"extract as {form}; known: {', '.join(COMPRESSIONS)}")
    compression = config.get("compression") or "NONE"
    if compression not in COMPRESSIONS[form]:
        raise InvalidValue(f"Compression {compression} does not go with {form}; {', '.join(COMPRESSIONS[form])} do")
    resource, name = tables.source_table(engine.catalog, config["sourceTable"])
    fields = fields_of(resource)
    uris = config.get("destinationUris") or [config["destinationUri"]]
    if len(uris) > 1:
        raise NotSupported("extract to several URIs")
    if form == "CSV":
        nested = next((field.name for field in fields if field.type.is_array or field.type.is_struct), None)
        if nested is not None:
            raise InvalidValue(f"Operation cannot be performed on a nested schema. Field: {nested}")
    target = engine.buckets.target(uris[0])
    part = target.with_name(f"{target.name}.part")
    query = f"SELECT {', '.join(quoted(field.name) for field in fields)} FROM {name}"
    with engine.connection() as connection:
        job.stoppable(connection.interrupt)
        try:
            if form == "PARQUET":
                codec = "UNCOMPRESSED" if compression == "NONE" else compression
                place = str(part).replace("'", "''")
                execute(connection, f"COPY ({query}) TO '{place}' (FORMAT parquet, COMPRESSION {codec})")
            else:
                with _opened(part, compression) as stream:
                    _write(stream, _rows(connection, query, fields), fields, form, config)
            [(size,)] = fetch(execute(connection, f"SELECT {bytes_sql(fields)} FROM {name}"))
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        finally:
            job.stoppable(None)
    part.replace(target)
    return Result({"extract": {"destinationUriFileCounts": ["1"], "inputBytes": str(size or 0)}})


def _opened(file: Path, compression: str) -> TextIO:
    if compression == "GZIP":
        return io.TextIOWrapper(gzip.open(file, "wb"), encoding="utf-8", newline="")
    return file.open("w", encoding="utf-8", newline="")


def _rows(connection: Connection, query: str, fields: tuple[Field, ...]) -> Iterator[list[Any]]:
    execute(connection, fetch_sql(query, fields))
    while found := fetch(connection, FETCHED):
        for row in found:
            yield [from_duckdb(value, field.type) for value, field in zip(row, fields, strict=True)]


def _write(
    stream: TextIO, rows: Iterator[list[Any]], fields: tuple[Field, ...], form: str, config: Mapping[str, Any]
) -> None:
    if form == "CSV":
        delimiter = {"tab": "\t", "\\t": "\t"}.get(config.get("fieldDelimiter", ","), config.get("fieldDelimiter", ","))
        writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
        if config.get("printHeader", True):
            writer.writerow([field.name for field in fields])
        for row in rows:
            values = zip(row, fields, strict=True)
            writer.writerow(["" if value is None else _text(value, field.type) for value, field in values])
    else:
        for row in rows:
            stream.write(json.dumps(_record(row, fields), ensure_ascii=False, separators=(",", ":")) + "\n")


def _record(values: list[Any] | tuple[Any, ...], fields: tuple[Field, ...]) -> dict[str, Any]:
    """NULLs are left out."""
    pairs = zip(values, fields, strict=True)
    return {field.name: _json(value, field.type) for value, field in pairs if value is not None}


def _json(value: Any, kind: Type) -> Any:
    if kind.is_array and kind.element is not None:
        return [_json(item, kind.element) for item in value]
    if kind.is_struct:
        return _record(value, kind.fields)
    if kind.kind == "BOOL":
        return value
    if kind.kind == "JSON":
        return json.loads(value)
    if kind.kind == "FLOAT64" and value - value == 0:  # neither infinite nor NaN, which JSON lacks
        return value
    return _text(value, kind)


def _text(value: Any, kind: Type) -> str:
    return str(to_api(value, kind, _timestamp))


def _timestamp(value: datetime) -> str:
    micros = value.microsecond
    precision = "seconds" if not micros else "microseconds" if micros % 1_000 else "milliseconds"
    return value.replace(tzinfo=None).isoformat(" ", precision) + " UTC"
