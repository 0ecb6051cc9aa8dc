"""The open transaction of a session, on DuckDB.

A statement that fails leaves a transaction of BigQuery open, with its earlier work; DuckDB gives up the whole
transaction and has no savepoints. So it begins anew, on a newer snapshot, and what was written is written again.
That is right as long as nothing that the transaction has seen was changed in between, and nothing that it wrote
comes out different: then it is as if it had begun later. Otherwise it is cancelled, as when two transactions meet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from embedded_bigquery.catalog import Catalog
from embedded_bigquery.duck import Connection, WriteConflict, execute, rollback
from embedded_bigquery.errors import EngineError, NotSupported
from embedded_bigquery.locks import Change, TransactionConflict
from embedded_bigquery.sql.environment import Relation

# The parts of a DuckDB text in which a word means nothing, or a function that gives another value each time.
QUOTED = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\""
RANDOM = re.compile(rf"{QUOTED}|\b(random\(\)|uuid\(\)|TABLESAMPLE\b)")
NOW = re.compile(rf"{QUOTED}|\b(now)\(\)")


class Transaction:
    def __init__(self, connection: Connection, catalog: Catalog) -> None:
        """Begins."""
        self.id = uuid4().hex
        self._connection, self._catalog, self._locks = connection, catalog, catalog.locks
        self._started = self._begin()
        self._written: list[tuple[str, Sequence[Any]]] = []  # DuckDB texts with their binds
        self._is_repeatable = True
        self._seen: set[str] = set()  # permanent tables
        self._appended: set[str] = set()
        self._is_given_up = False  # by DuckDB
        self._was_repeated = False
        self._conflict: TransactionConflict | None = None

    def _begin(self) -> str:
        self._since = self._locks.now()
        execute(self._connection, "BEGIN TRANSACTION")
        return self._catalog.take_snapshot(self._connection)

    # ---- statements

    def sees(self, relations: Iterable[Relation]) -> None:
        """Before a statement on these tables; raises TransactionConflict for one that is no more what it was."""
        if self._conflict is not None:
            raise self._conflict
        names = {str(relation.path) for relation in relations if relation.kind == "TABLE"}
        for name in names:
            if self._locks.changed(name, self, self._since, Change.DEFINED):
                raise self._cancelled(name)
        self._seen |= names

    def run(self, sql: str, binds: Sequence[Any], *, writes: bool) -> Connection:
        """Runs DuckDB text; after a failure the transaction goes on with what was written before."""
        if self._conflict is not None:
            raise self._conflict
        if self._is_given_up:
            self._repeat()
        if self._was_repeated:
            sql = self._at_start(sql)
        try:
            result = execute(self._connection, sql, binds)
        except EngineError:
            redefined = self._redefined()
            if redefined is not None:
                raise self._cancelled(redefined) from None
            self._is_given_up = True
            raise
        if writes:
            self._written.append((sql, binds))
        return result

    @contextmanager
    def changing(self, target: Relation, *, mutates: bool) -> Iterator[None]:
        """Around a statement that writes a permanent table; raises TransactionConflict when another came first."""
        if self._conflict is not None:
            raise self._conflict
        name = str(target.path)
        try:
            if mutates:
                self._locks.claim(name, self, self._since)
            yield
        except TransactionConflict as conflict:
            raise self._cancelled(conflict.table) from None
        except WriteConflict:
            raise self._cancelled(name) from None
        if not mutates:
            self._appended.add(name)
        # A default may be any expression.
        self._is_repeatable &= all("(" not in (field.default or "") for field in target.fields)

    def _cancelled(self, table: str) -> TransactionConflict:
        self._conflict = TransactionConflict(table)
        self._end()
        return self._conflict

    # ---- beginning anew

    def _repeat(self) -> None:
        rollback(self._connection)
        since = self._since
        self._begin()
        for name in sorted(self._seen):
            if self._locks.changed(name, self, since, Change.APPENDED):
                raise self._cancelled(name)
        if not self._is_repeatable or any(found[1] for sql, _ in self._written for found in RANDOM.finditer(sql)):
            raise NotSupported("going on after a failed statement in a transaction that wrote random values")
        self._was_repeated = True
        for sql, binds in self._written:
            execute(self._connection, self._at_start(sql), binds)
        self._is_given_up = False

    def _at_start(self, sql: str) -> str:
        """The text with the time at which the transaction began first: DuckDB's now() is that of the second time."""
        return NOW.sub(lambda found: f"TIMESTAMPTZ '{self._started}'" if found[1] else found[0], sql)

    # ---- the end

    def commit(self) -> None:
        """Raises TransactionConflict; then it is over, too."""
        if self._conflict is not None:
            raise self._conflict
        if self._is_given_up:
            self._repeat()
        with self._locks.changing(self._appended, Change.APPENDED):
            try:
                execute(self._connection, "COMMIT")
            except WriteConflict as conflict:
                # DuckDB names the table without its dataset.
                known = (name for name in sorted(self._seen) if f'"{name.rpartition(".")[2]}"' in str(conflict))
                raise self._cancelled(self._redefined() or next(known, min(self._seen))) from None
        self._locks.release(self)

    def _redefined(self) -> str | None:
        names = (name for name in sorted(self._seen) if self._locks.changed(name, self, self._since, Change.DEFINED))
        return next(names, None)

    def roll_back(self) -> None:
        if self._conflict is None:
            self._end()

    def _end(self) -> None:
        rollback(self._connection)
        self._locks.release(self, worked=False)
