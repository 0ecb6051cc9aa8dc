"""Runs one SQL statement, or evaluates one expression, in a session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from embedded_bigquery.duck import Connection, fetch
from embedded_bigquery.errors import BytesBilledExceeded, InvalidQuery, NotSupported
from embedded_bigquery.script.definer import Definer
from embedded_bigquery.script.names import Names
from embedded_bigquery.script.outcome import Outcome
from embedded_bigquery.script.session import Session
from embedded_bigquery.script.syntax import DEFINITIONS, QUERIES, UNSUPPORTED, WRITES
from embedded_bigquery.sizes import billed, bytes_sql
from embedded_bigquery.sql.environment import Translated
from embedded_bigquery.sql.functions.duckdb_text import default_zone
from embedded_bigquery.sql.functions.registry import converted
from embedded_bigquery.sql.functions.signatures import coerces
from embedded_bigquery.sql.queries import distinct_names
from embedded_bigquery.sql.tokens import Tokens
from embedded_bigquery.sql.translate import translate, translate_expression
from embedded_bigquery.types import Field, Type
from embedded_bigquery.values import fetch_sql, from_duckdb, sized, to_duckdb

Row = tuple[Any, ...]
# What each kind of statement does to rows, and each action of a MERGE.
COUNTS = {"INSERT": "inserted", "UPDATE": "updated", "DELETE": "deleted", "TRUNCATE_TABLE": "deleted"}
ACTIONS = {"INSERT": "inserted", "UPDATE": "updated", "DELETE": "deleted"}
MAXIMUM_KEPT = 1_000  # translations


def run_statement(
    session: Session, text: str, names: Names, *, dry_run: bool = False, into: str | None = None
) -> Outcome:
    """Runs a query, DML or DDL statement; raises EngineError with its place in the text.

    `into`: the rows of a query are left in this temporary table of DuckDB's.
    """
    return session.anew(lambda: _run_statement(session, text, names, dry_run, into))


def _run_statement(session: Session, text: str, names: Names, dry_run: bool, into: str | None) -> Outcome:
    word = Tokens(text).word()
    if word in DEFINITIONS:
        return Definer(session, names, evaluate, measured).run(text, dry_run=dry_run)
    if word not in QUERIES + WRITES:
        raise _unknown(text, word)
    translated = _translated(session, text, names)
    if dry_run or translated.kind == "SELECT":
        return _outcome(session, translated, names, dry_run=dry_run, into=into)
    # Whoever has to wait, or comes too late, does so before the costs of the statement are counted.
    with session.changing(translated.target, mutates=translated.kind != "INSERT"):
        return _outcome(session, translated, names)


def _outcome(
    session: Session, translated: Translated, names: Names, *, dry_run: bool = False, into: str | None = None
) -> Outcome:
    costs = measured(session, translated, names, dry_run)
    target = translated.target.path if translated.target else None
    if dry_run:
        return Outcome(translated.kind, distinct_names(translated.fields), target=target, **costs)
    if translated.kind == "SELECT" and into is not None:
        _gather(session, translated, names, into)
        return Outcome("SELECT", distinct_names(translated.fields), **costs)
    if translated.kind == "SELECT":
        return Outcome("SELECT", distinct_names(translated.fields), _rows(session, translated, names), **costs)
    counts = _write(session, translated, names)
    return Outcome(translated.kind, affected=sum(counts.values()), target=target, **counts, **costs)


def measured(session: Session, translated: Translated, names: Names, dry_run: bool) -> dict[str, Any]:
    """What the statement reads, as an Outcome has it; raises BytesBilledExceeded."""
    processed = bytes_processed(session, translated, names, dry_run)
    limit = session.maximum_bytes_billed
    if limit is not None and billed(processed) > limit:
        raise BytesBilledExceeded(
            f"Query exceeded limit for bytes billed: {limit}. {billed(processed)} or higher required."
        )
    return {
        "referenced": tuple(dict.fromkeys(read.relation.path for read in translated.reads)),
        "bytes_processed": processed,
        "bytes_billed": 0 if dry_run else billed(processed),
    }


def bytes_processed(session: Session, translated: Translated, names: Names, dry_run: bool) -> int:
    """The logical bytes of the columns that the statement refers to, in the partitions that its conditions leave.

    A dry run does not know what a script's variables will be.
    """
    total = 0
    for read in translated.reads:
        columns = [field for field in read.relation.fields if field.name in read.columns]
        if not columns or read.relation.kind not in ("TABLE", "TEMP"):
            continue
        given = [translated.binds[position] for position in read.binds]
        is_known = read.partitions is not None and not (dry_run and any(bind.kind == "VARIABLE" for bind in given))
        where, binds = "", []
        if is_known:
            where, binds = f" WHERE {read.partitions}", [names.value(bind) for bind in given]
        sql = f"SELECT {bytes_sql(columns)} FROM {read.relation.duckdb_name}{where}"
        total += int(fetch(session.run(sql, binds))[0][0])
    return total


def evaluate(session: Session, text: str, names: Names, target: Type | None = None) -> tuple[Type, Any]:
    """Type and value of a scalar expression, converted to `target` as an assignment does."""

    def once() -> tuple[Type, Any]:
        translated = _translated(session, text, names, Expression(target))
        [row] = _rows(session, translated, names)
        return translated.fields[0].type, row[0]

    return session.anew(once)


def convert(session: Session, value: Any, source: Type, target: Type, sizes: tuple[int, ...] = ()) -> Any:
    """The value as a variable of another type holds it; raises InvalidQuery when there is no such conversion."""
    if value is not None and source != target:
        if coerces(source, target, literal=True) is None:
            raise InvalidQuery(f"Cannot coerce a value of type {source} to type {target}")
        field = Field("", target)
        with default_zone(session.time_zone):
            sql = converted(f"CAST($1 AS {source.duckdb()})", source, target)
        [row] = fetch(session.run(fetch_sql(f"SELECT {sql} AS c0", (field,)), [to_duckdb(value, source)]))
        value = from_duckdb(row[0], target)
    return value if value is None or not sizes else sized(value, target, sizes)


def query(session: Session, text: str, names: Names) -> tuple[tuple[Field, ...], Sequence[Row]]:
    """Columns and rows of a query."""

    def once() -> tuple[tuple[Field, ...], Sequence[Row]]:
        translated = _translated(session, text, names)
        if translated.kind != "SELECT":
            raise InvalidQuery("Expected a query")
        return translated.fields, _rows(session, translated, names)

    return session.anew(once)


@dataclass(frozen=True, slots=True)
class Expression:
    """Marks a text as a scalar expression, to be converted to `target`."""

    target: Type | None


def _translated(session: Session, text: str, names: Names, expression: Expression | None = None) -> Translated:
    """The translation, kept for the next turn of a loop or the next job: it holds while names mean what they meant."""
    key, kept = (text, expression, names.time_zone, session.definitions()), session.catalog.translations
    made = kept.get(key)
    if made is None or any(names.type(bind) != bind.type for bind in made.binds):
        made = translate(text, names) if expression is None else translate_expression(text, names, expression.target)
        if len(kept) >= MAXIMUM_KEPT:
            kept.clear()
        # The rows of INFORMATION_SCHEMA stand in the text itself, as they are now.
        if all(read.relation.kind != "INFORMATION_SCHEMA" for read in made.reads):
            kept[key] = made
    session.sees(made)
    return made


def _rows(session: Session, translated: Translated, names: Names) -> list[Row]:
    binds = [names.value(bind) for bind in translated.binds]
    raw = fetch(session.run(fetch_sql(translated.duckdb_sql, translated.fields), binds))
    kinds = [field.type for field in translated.fields]
    return [tuple(from_duckdb(value, kind) for value, kind in zip(row, kinds, strict=True)) for row in raw]


def _gather(session: Session, translated: Translated, names: Names, into: str) -> None:
    columns = ", ".join(f"c{position} {field.type.duckdb()}" for position, field in enumerate(translated.fields))
    session.run(f"CREATE OR REPLACE TEMP TABLE {into} ({columns})")
    session.run(f"INSERT INTO {into} {translated.duckdb_sql}", [names.value(bind) for bind in translated.binds])


def _write(session: Session, translated: Translated, names: Names) -> dict[str, Any]:
    """How many rows were inserted, updated and deleted, as an Outcome has it."""
    binds = [names.value(bind) for bind in translated.binds]
    for guard in translated.guards:
        if fetch(session.run(guard.duckdb_sql, [binds[position] for position in guard.binds])):
            raise InvalidQuery(guard.message)
    connection = session.run(translated.duckdb_sql, binds, writes=True)
    if translated.kind == "MERGE":
        return _merged(connection)
    answer = fetch(connection)
    return {COUNTS[translated.kind]: int(answer[0][0]) if answer else 0}


def _merged(connection: Connection) -> dict[str, int]:
    """The rows that a MERGE … RETURNING merge_action tells of, by what happened to them."""
    found = dict.fromkeys(ACTIONS.values(), 0)
    while rows := fetch(connection, 10_000):
        for action, count in Counter(row[0] for row in rows).items():
            found[ACTIONS[action]] += count
    return found


def _unknown(text: str, word: str) -> InvalidQuery:
    tokens = Tokens(text)
    place = tokens.place(tokens.start)
    if word in UNSUPPORTED:
        return NotSupported(f"{word} statement", at=place)
    return tokens.unexpected()
