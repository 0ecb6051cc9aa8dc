"""Who may change a table: BigQuery's rules for transactions and statements that meet.

Of two transactions that update or delete rows of one table, one is cancelled; a statement outside a transaction
waits. INSERT conflicts with nothing. Readers are never held up: DuckDB gives each a snapshot.
Source: "Transaction concurrency" in "Multi-statement transactions", and "DML statement conflicts".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from embedded_bigquery.errors import InvalidQuery

LONGEST_WAIT = 120.0  # seconds that a statement queues
TURN = 0.05  # seconds between two looks at whether the waiting job was cancelled


class TransactionConflict(InvalidQuery):
    """The transaction was cancelled in favour of another one; it can only be rolled back."""

    def __init__(self, table: str) -> None:
        super().__init__(f"Transaction is aborted due to concurrent update against table {table}.")


class TableLocks:
    """The tables that are being changed, and when each was changed last. An owner is any object."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._owners: dict[str, object] = {}
        self._versions: dict[str, int] = {}
        self._version = 0

    def now(self) -> int:
        """The moment that a transaction's snapshot belongs to."""
        with self._changed:
            return self._version

    def claim(self, table: str, owner: object, since: int) -> None:
        """For a transaction whose snapshot is from `since`, until `release`; raises TransactionConflict."""
        with self._changed:
            holder = self._owners.get(table)
            if holder is owner:
                return
            if holder is not None or self._versions.get(table, 0) > since:
                raise TransactionConflict(table)
            self._owners[table] = owner

    def wait(self, table: str, owner: object, check: Callable[[], None]) -> None:
        """For one statement, until `release`; `check` is called while it waits and may raise."""
        deadline = time.monotonic() + LONGEST_WAIT
        with self._changed:
            while self._owners.get(table, owner) is not owner:
                check()
                if time.monotonic() > deadline:
                    raise InvalidQuery(f"Could not serialize access to table {table} due to concurrent update")
                self._changed.wait(TURN)
            self._owners[table] = owner

    def release(self, owner: object) -> None:
        """Frees all that the owner holds, and notes that it was changed."""
        with self._changed:
            held = [table for table, holder in self._owners.items() if holder is owner]
            if not held:
                return
            self._version += 1
            for table in held:
                del self._owners[table]
                self._versions[table] = self._version
            self._changed.notify_all()
