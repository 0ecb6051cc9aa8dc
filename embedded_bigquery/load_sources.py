"""Files as relations of DuckDB, with their columns: Parquet, NDJSON, CSV and Avro.

Source: the pages on loading each format, docs.cloud.google.com/bigquery/docs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_bigquery import avro
from embedded_bigquery.duck import Connection, execute, fetch
from embedded_bigquery.errors import InvalidValue, NotSupported
from embedded_bigquery.types import Field, Type, quoted

GZIP = b"\x1f\x8b"
ENCODINGS = {"UTF-8": "utf-8", "UTF8": "utf-8", "ISO-8859-1": "latin-1", "ISO8859_1": "latin-1"}
# What DuckDB calls a column that it found itself.
FOUND = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger"), "INT64"),
    **dict.fromkeys(("timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns"), "DATETIME"),
    "boolean": "BOOL",
    "ubigint": "NUMERIC",
    "hugeint": "BIGNUMERIC",
    "float": "FLOAT64",
    "double": "FLOAT64",
    "blob": "BYTES",
    "date": "DATE",
    "time": "TIME",
    "timestamp with time zone": "TIMESTAMP",
    "interval": "INTERVAL",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Files as a DuckDB relation: its columns by lower-case name, and whether their values are plain text.

    `skipped` is DuckDB text that counts the records that could not be read at all.
    """

    relation: str
    columns: dict[str, Field]
    is_text: bool
    is_csv: bool = False
    skipped: str = "SELECT 0"


def parquet(connection: Connection, files: list[Path], config: Mapping[str, Any], known: Sequence[Field]) -> Source:
    relation = f"read_parquet({_list(files)})"
    return Source(relation, _described(connection, relation), is_text=False)


def from_avro(connection: Connection, files: list[Path], config: Mapping[str, Any], known: Sequence[Field]) -> Source:
    """Each file is written anew as NDJSON beside itself, in the types that its own schema gives."""
    fields: tuple[Field, ...] = ()
    for file in files:
        fields = avro.to_ndjson(file, file.with_suffix(".ndjson"), bool(config.get("useAvroLogicalTypes")))
    made = json_lines(connection, [file.with_suffix(".ndjson") for file in files], {}, fields)
    columns = {field.name.lower(): field for field in fields}
    return Source(made.relation, columns, is_text=True)


def json_lines(connection: Connection, files: list[Path], config: Mapping[str, Any], known: Sequence[Field]) -> Source:
    options = f"format = 'newline_delimited', compression = '{_compression(files)}', maximum_object_size = 104857600"
    if not known:
        relation = f"read_json({_list(files)}, {options}, sample_size = -1)"
        return Source(relation, _described(connection, relation, zoned=True), is_text=False)
    tolerates = int(config.get("maxBadRecords") or 0) > 0
    objects = f"read_ndjson_objects({_list(files)}, {options}, ignore_errors = {str(tolerates).lower()})"
    [(structure,)] = fetch(execute(connection, f"SELECT json_group_structure(json) FROM {objects}"))
    found = json.loads(structure or "{}")
    if not isinstance(found, dict):
        raise InvalidValue("Error while reading data, error message: JSON parsing error: a line is not an object")
    names = {field.name.lower(): field for field in known}
    if not config.get("ignoreUnknownValues"):
        unknown = next(_unknown(found, known), None)
        if unknown is not None:
            raise InvalidValue(
                f"Error while reading data, error message: JSON parsing error: No such field: {unknown}."
            )
    columns = {name: names[name.lower()] for name in found if name.lower() in names}
    if not columns:
        return Source(f"(SELECT 1 FROM {objects})", {}, is_text=True)
    if tolerates:
        return _tolerant_json(objects, columns)
    texts = ", ".join(f"{text(name)}: {text(_text_type(field.type))}" for name, field in columns.items())
    relation = f"read_json({_list(files)}, {options}, columns = {{{texts}}})"
    return Source(relation, _under_own_names(columns), is_text=True)


def _under_own_names(columns: Mapping[str, Field]) -> dict[str, Field]:
    """By lower-case name, each under the name that the file has for it."""
    return {name.lower(): Field(name, field.type) for name, field in columns.items()}


def _tolerant_json(objects: str, columns: Mapping[str, Field]) -> Source:
    """Lines that are no JSON are left out, and counted."""
    for field in columns.values():
        inner = field.type.element or field.type
        if inner.is_struct:
            raise NotSupported(f"maxBadRecords with a column of records ({field.name})")
    values = ", ".join(f"json_extract_string(json, {text(_pointer(name))}) AS {quoted(name)}" for name in columns)
    arrays = ", ".join(
        f"CAST(json_extract(json, {text(_pointer(name))}) AS VARCHAR[]) AS {quoted(name)}"
        for name, field in columns.items()
        if field.type.is_array
    )
    chosen = f"* REPLACE ({arrays})" if arrays else "*"
    inner_rows = f"SELECT json, {values} FROM {objects} WHERE json_type(json) = 'OBJECT'"
    relation = f"(SELECT {chosen} FROM ({inner_rows}))"
    skipped = f"SELECT count(*) FROM {objects} WHERE json IS NULL OR json_type(json) <> 'OBJECT'"
    return Source(relation, _under_own_names(columns), is_text=True, skipped=skipped)


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _unknown(structure: Mapping[str, Any], known: Sequence[Field], path: str = "") -> Iterator[str]:
    """The keys of the file, in records too, that the columns do not have."""
    names = {field.name.lower(): field for field in known}
    for key, inner in structure.items():
        field = names.get(key.lower())
        if field is None:
            yield f"{path}{key}"
            continue
        kind = field.type.element if field.type.is_array and field.type.element is not None else field.type
        while isinstance(inner, list) and inner:
            inner = inner[0]
        if kind.is_struct and isinstance(inner, dict):
            yield from _unknown(inner, kind.fields, f"{path}{key}.")


def csv(connection: Connection, files: list[Path], config: Mapping[str, Any], known: Sequence[Field]) -> Source:
    skipped = int(config.get("skipLeadingRows") or 0)
    delimiter = {"tab": "\t", "\\t": "\t"}.get(config.get("fieldDelimiter", ","), config.get("fieldDelimiter", ","))
    encoding = config.get("encoding", "UTF-8")
    if encoding not in ENCODINGS:
        raise NotSupported(f"encoding {encoding}; known: {', '.join(ENCODINGS)}")
    tolerates = int(config.get("maxBadRecords") or 0) > 0
    options = [
        f"delim = {text(delimiter)}",
        f"quote = {text(config.get('quote', chr(34)))}",
        "escape = '\"'",
        f"compression = '{_compression(files)}'",
        f"encoding = '{ENCODINGS[encoding]}'",
        f"null_padding = {'true' if config.get('allowJaggedRows') else 'false'}",
        f"strict_mode = {'false' if config.get('ignoreUnknownValues') else 'true'}",
    ]
    if tolerates:
        options += ["ignore_errors = true", "store_rejects = true", "rejects_scan = 'rejected_scans'"]
        options += ["rejects_table = 'rejected_rows'"]
    if not known:
        options.append(f"header = true, skip = {max(skipped - 1, 0)}" if skipped != 0 else "sample_size = -1")
        relation = f"read_csv({_list(files)}, {', '.join(options)})"
        return Source(relation, _described(connection, relation, zoned=True), is_text=False)
    columns = ", ".join(f"{text(field.name)}: 'VARCHAR'" for field in known)
    # An empty field is an empty STRING, and NULL in a column of any other type; the conversion sees to it.
    markers = config.get("nullMarkers") or [config["nullMarker"] if config.get("nullMarker") is not None else chr(1)]
    options += [f"columns = {{{columns}}}", "auto_detect = false", f"skip = {skipped}", "header = false"]
    options.append(f"nullstr = [{', '.join(map(text, markers))}]")
    relation = f"read_csv({_list(files)}, {', '.join(options)})"
    rejected = "SELECT count(*) FROM (SELECT DISTINCT file_id, line FROM rejected_rows)" if tolerates else "SELECT 0"
    columns_by_name = {field.name.lower(): field for field in known}
    return Source(relation, columns_by_name, is_text=True, is_csv=True, skipped=rejected)


READERS = {"PARQUET": parquet, "NEWLINE_DELIMITED_JSON": json_lines, "CSV": csv, "AVRO": from_avro}
DESCRIBED = ("PARQUET", "AVRO")  # formats whose files tell their columns


def _list(files: list[Path]) -> str:
    """The files as DuckDB's readers take them."""
    return f"[{', '.join(text(str(file)) for file in files)}]"


def _compression(files: list[Path]) -> str:
    found = {"gzip" if _start(file) == GZIP else "none" for file in files}
    if len(found) > 1:
        raise NotSupported("load of compressed and plain files together")
    return found.pop()


def _start(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(len(GZIP))


def text(value: str) -> str:
    """A DuckDB string literal."""
    return "'" + value.replace("'", "''") + "'"


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


def _text_type(kind: Type) -> str:
    """A DuckDB type of the same shape whose scalars are text."""
    if kind.is_array and kind.element is not None:
        return f"{_text_type(kind.element)}[]"
    if kind.is_struct:
        return (
            f"STRUCT({', '.join(f'{quoted(name)} {_text_type(field.type)}' for name, field in kind.storage_fields())})"
        )
    return "JSON" if kind.kind == "JSON" else "VARCHAR"
