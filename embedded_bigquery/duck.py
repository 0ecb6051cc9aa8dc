"""DuckDB: the one database file of an engine and its cursors. The only importer of duckdb."""

from __future__ import annotations

import atexit
import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import duckdb

from embedded_bigquery.errors import EngineError, InvalidQuery, Stopped
from embedded_bigquery.wording import reworded

Connection = duckdb.DuckDBPyConnection
# What calls Python functions, or may: a default of a column, and whatever follows in a transaction, whose snapshot
# would be older than the functions.
MAY_CALL_NATIVES = re.compile(r"\s*(?:BEGIN|INSERT|MERGE)\b|[\s\S]*\bbq_\w+\(")


class DatabaseLocked(EngineError):
    """Another process holds the database file."""

    reason = "resourceInUse"


class WriteConflict(InvalidQuery):
    """Another connection changed the same rows since the transaction began."""


class NameUnknown(InvalidQuery):
    """DuckDB has no such table or column: not any more, when it was looked up before."""


class Database:
    """One DuckDB database, in memory when `path` is None. Each job or session takes a cursor of its own."""

    def __init__(self, path: str | Path | None = None) -> None:
        """Raises DatabaseLocked when another process has the file open."""
        self.path = None if path is None else Path(path)
        try:
            self._connection = duckdb.connect(":memory:" if path is None else str(path))
        except duckdb.IOException as error:
            if not str(error).startswith("IO Error: Could not set lock on file"):
                raise
            raise DatabaseLocked(
                f"{path} is in use by another process. Only one process may open an embedded warehouse: "
                "wait until that one ends, or serve the file with `deployer emulate` and point both at it."
            ) from error
        self._has_natives, self._lock = False, threading.Lock()
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        # The file's name: a complete table name begins with it, since a dataset may be called the same.
        self.name = str(self._connection.execute("SELECT current_database()").fetchall()[0][0])

    def cursor(self) -> Connection:
        """A connection with its own transaction and temporary tables; close it after use."""
        made = self._connection.cursor()
        _databases[made] = self
        return made

    def add_natives(self, sql: str) -> None:
        """Registers the Python functions, which takes numpy and a tenth of a second: not before one may be called."""
        if self._has_natives or MAY_CALL_NATIVES.match(sql) is None:
            return
        from embedded_bigquery.natives import NATIVES

        with self._lock:
            if self._has_natives:
                return
            for native in NATIVES:
                parameters: Any = None if native.parameters is None else list(native.parameters)
                options: dict[str, Any] = {"null_handling": "special"}
                self._connection.create_function(native.name, native.function, parameters, native.result, **options)
            self._has_natives = True
        # Python functions that outlive the interpreter's end are reported by DuckDB as leaks.
        atexit.register(self._connection.close)

    def close(self) -> None:
        atexit.unregister(self._connection.close)
        self._connection.close()


_databases: WeakKeyDictionary[Connection, Database] = WeakKeyDictionary()


def execute(connection: Connection, sql: str, binds: Sequence[Any] = ()) -> Connection:
    """Runs one DuckDB statement; its failure becomes the engine's own error."""
    database = _databases.get(connection)
    if database is not None:
        database.add_natives(sql)
    try:
        return connection.execute(sql, list(binds)) if binds else connection.execute(sql)
    except duckdb.InterruptException as error:
        raise Stopped("Job execution was cancelled: User requested cancellation") from error
    except duckdb.TransactionException as error:
        raise WriteConflict(_first_line(str(error))) from error
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise NameUnknown(_first_line(str(error))) from error
    except duckdb.Error as error:
        raise InvalidQuery(_first_line(str(error))) from error


def fetch(connection: Connection, count: int | None = None) -> list[tuple[Any, ...]]:
    """The next `count` rows of the last query, or all that are left."""
    try:
        return connection.fetchall() if count is None else connection.fetchmany(count)
    except duckdb.InterruptException as error:
        raise Stopped("Job execution was cancelled: User requested cancellation") from error
    except duckdb.Error as error:
        raise InvalidQuery(_first_line(str(error))) from error


def rollback(connection: Connection) -> None:
    """Ends the open transaction, if there is one: a COMMIT that failed has ended it already."""
    with suppress(duckdb.TransactionException):
        connection.rollback()


def _first_line(text: str) -> str:
    return reworded(text.split("\n", 1)[0].split(" Error: ", 1)[-1])
