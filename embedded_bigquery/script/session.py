"""A session: one DuckDB connection, and what lives as long as it does.

Temporary tables and functions, the open transaction and the settable system variables belong to a session; a job
has one of its own unless the client made one that outlives its jobs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from embedded_bigquery import information_schema
from embedded_bigquery.catalog import Catalog
from embedded_bigquery.duck import Connection, Database, execute
from embedded_bigquery.errors import InvalidQuery, Stopped
from embedded_bigquery.locks import Change
from embedded_bigquery.script.scope import Frame
from embedded_bigquery.script.transaction import Transaction
from embedded_bigquery.sql.environment import Relation, Routine, TablePath, Translated
from embedded_bigquery.sql.functions.duckdb_text import UTC
from embedded_bigquery.types import Field, quoted

T = TypeVar("T")
TEMPORARY = "_SESSION"
_Temporary = tuple[dict[str, Relation], dict[str, Routine]]


class Session:
    def __init__(self, database: Database, catalog: Catalog, default_dataset: tuple[str, str] | None = None) -> None:
        """`default_dataset` is (project, dataset)."""
        self.catalog = catalog
        self.connection: Connection = database.cursor()
        self.settings: dict[str, Any] = {"time_zone": None, "query_label": None}
        self.temporary: dict[str, Relation] = {}
        self.temporary_routines: dict[str, Routine] = {}
        self._temporary_names: object | None = None  # another object whenever a temporary thing comes or goes
        self.transaction: Transaction | None = None
        self._ended: str | None = None  # the id of the transaction that the last statement ended
        self._before: _Temporary = {}, {}  # the open transaction
        self.outlives_jobs = False  # the client made it, so its transaction may go on in the next job
        self.is_aborted = False
        self.maximum_bytes_billed: int | None = None  # of each statement of the job at hand
        self.variables = Frame()  # of the scripts of a session that outlives them
        self._cancelled = threading.Event()
        self.set_default_dataset(default_dataset)

    def set_default_dataset(self, dataset: tuple[str, str] | None) -> None:
        self.settings["dataset_project_id"], self.settings["dataset_id"] = dataset or (None, None)

    @property
    def time_zone(self) -> str:
        """@@time_zone, where it was not set the default."""
        return self.settings["time_zone"] or UTC

    def cancel(self) -> None:
        """From any thread: the running statement stops, and no other one starts."""
        self._cancelled.set()
        self.connection.interrupt()

    def resume(self) -> None:
        """Before the session's next job: a cancel stopped the one before it alone."""
        self._cancelled.clear()

    def abort(self) -> None:
        """BQ.ABORT_SESSION: no job can use the session any more."""
        self.is_aborted = True
        self.abandon()

    def close(self) -> None:
        """An open transaction is rolled back; temporary things go with the connection."""
        self.abandon()
        self.connection.close()

    # ---- names

    def relation(self, parts: tuple[str, ...]) -> Relation | None:
        """The table that a path means; a temporary one comes first."""
        if len(parts) == 1 or (len(parts) == 2 and parts[0].upper() == TEMPORARY):
            found = self.temporary.get(parts[-1].lower())
            if found is not None:
                return found
        dataset = self.settings["dataset_id"]
        view = information_schema.relation(self.catalog, parts, dataset) if len(parts) > 1 else None
        if view is not None:
            return view
        path = self.path(parts)
        return None if path is None else self.catalog.relation(path)

    def routine(self, parts: tuple[str, ...]) -> Routine | None:
        if len(parts) == 1 and (found := self.temporary_routines.get(parts[0].lower())) is not None:
            return found
        path = self.path(parts)
        return None if path is None else self.catalog.routine(path)

    def path(self, parts: tuple[str, ...]) -> TablePath | None:
        """The full name that one to three parts mean; None when there is no default dataset to complete it."""
        project, dataset = self.settings["dataset_project_id"], self.settings["dataset_id"]
        if len(parts) == 3:
            return TablePath(*parts)
        if len(parts) == 2:
            return TablePath(self.catalog.project, *parts)
        return None if dataset is None else TablePath(project or self.catalog.project, dataset, parts[0])

    def required_path(self, parts: tuple[str, ...], what: str = "Table") -> TablePath:
        found = self.path(parts)
        if found is None:
            raise InvalidQuery(f'{what} "{parts[0]}" must be qualified with a dataset (e.g. dataset.table).')
        return found

    def dataset_path(self, parts: tuple[str, ...]) -> TablePath:
        """The dataset that one or two parts mean."""
        project = parts[0] if len(parts) == 2 else self.settings["dataset_project_id"] or self.catalog.project
        return TablePath(project, parts[-1], "")

    def temporary_key(self, parts: tuple[str, ...]) -> str | None:
        """The key of the temporary table that the name means."""
        if len(parts) == 1 or parts[0].upper() == TEMPORARY:
            key = parts[-1].lower()
            return key if key in self.temporary else None
        return None

    @contextmanager
    def qualified(self) -> Iterator[None]:
        """Where a name must say its dataset."""
        saved = {key: self.settings[key] for key in ("dataset_project_id", "dataset_id")}
        self.set_default_dataset(None)
        try:
            yield
        finally:
            self.settings |= saved

    # ---- statements

    def sees(self, translated: Translated) -> None:
        """Before a statement is run; raises TransactionConflict."""
        for read in translated.reads:
            self.catalog.drop_partitions(read.relation.path)
        if self.transaction is not None:
            target = () if translated.target is None else (translated.target,)
            self.transaction.sees((*(read.relation for read in translated.reads), *target))

    def run(self, sql: str, binds: Sequence[Any] = (), *, writes: bool = False) -> Connection:
        """Runs DuckDB text. Inside a transaction a failure leaves the earlier writes in place, as on BigQuery."""
        self._check_cancelled()
        if self.transaction is None:
            return execute(self.connection, sql, binds)
        return self.transaction.run(sql, binds, writes=writes)

    def anew(self, action: Callable[[], T]) -> T:
        """As the catalog's; inside a transaction once, for then it is the transaction that begins anew."""
        return self.catalog.anew(action) if self.transaction is None else action()

    def _check_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise Stopped("Job execution was cancelled: User requested cancellation")

    @contextmanager
    def changing(self, target: Relation | None, *, mutates: bool) -> Iterator[None]:
        """Around a statement that writes the table; raises TransactionConflict when another transaction came first.

        `mutates`: it updates or deletes rows. An INSERT conflicts with nothing.
        """
        if target is None or target.kind == "TEMP":
            yield
        elif self.transaction is not None:
            with self.transaction.changing(target, mutates=mutates):
                yield
        else:
            with self._alone(str(target.path), mutates=mutates):
                yield

    @contextmanager
    def _alone(self, table: str, *, mutates: bool) -> Iterator[None]:
        """Outside a transaction a statement waits for its turn."""
        locks = self.catalog.locks
        with locks.mutating(table, self._check_cancelled) if mutates else locks.changing((table,), Change.APPENDED):
            yield

    # ---- transactions

    def begin(self) -> None:
        if self.transaction is not None:
            raise InvalidQuery("Transaction is already in progress; nested transactions are not supported")
        self._before = dict(self.temporary), dict(self.temporary_routines)
        self.transaction = Transaction(self.connection, self.catalog)

    def commit(self) -> None:
        transaction = self._required_transaction("COMMIT")
        transaction.commit()
        self._ended, self.transaction = transaction.id, None

    def roll_back(self) -> None:
        self._required_transaction("ROLLBACK")
        self.abandon()

    def abandon(self) -> None:
        """Ends a transaction that nobody ended."""
        if self.transaction is not None:
            self.transaction.roll_back()
            self._ended, self.transaction = self.transaction.id, None
            self._temporary_names = object()
            self.temporary, self.temporary_routines = self._before

    def take_transaction_id(self) -> str | None:
        """The id of the transaction that the last statement was part of."""
        ended, self._ended = self._ended, None
        return ended if self.transaction is None else self.transaction.id

    def _required_transaction(self, verb: str) -> Transaction:
        if self.transaction is None:
            raise InvalidQuery(f"{verb} TRANSACTION statement is not allowed: there is no active transaction")
        return self.transaction

    # ---- temporary tables

    def definitions(self) -> Hashable:
        """Equal as long as every name of a table or routine means the same thing, in any session."""
        dataset = self.settings["dataset_project_id"], self.settings["dataset_id"]
        return self.catalog.version, self._temporary_names, dataset

    def forget_temporary(self, key: str) -> Relation:
        self._temporary_names = object()
        return self.temporary.pop(key)

    def add_temporary_routine(self, routine: Routine) -> None:
        self._temporary_names = object()
        self.temporary_routines[routine.path.name.lower()] = routine

    def forget_temporary_routine(self, name: str) -> bool:
        """False when there is no such routine."""
        self._temporary_names = object()
        return self.temporary_routines.pop(name.lower(), None) is not None

    @contextmanager
    def unchanged_routines(self) -> Iterator[None]:
        """The temporary routines that are made inside are gone afterwards."""
        saved = dict(self.temporary_routines)
        try:
            yield
        finally:
            self._temporary_names = object()
            self.temporary_routines = saved

    def add_temporary(self, name: str, fields: tuple[Field, ...]) -> Relation:
        path = TablePath(self.catalog.project, TEMPORARY, name)
        made = Relation(path, fields, f"temp.main.{quoted(name)}", kind="TEMP")
        self._temporary_names = object()
        self.temporary[name.lower()] = made
        return made
