"""Who may change a table: BigQuery's rules for transactions and statements that meet.

Of two transactions that update or delete rows of one table, one is cancelled; a statement outside a transaction
waits. INSERT conflicts with nothing. Readers are never held up: DuckDB gives each a snapshot.
Source: "Transaction concurrency" in "Multi-statement transactions", and "DML statement conflicts".
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from enum import IntEnum

from embedded_bigquery.errors import InvalidQuery

LONGEST_WAIT = 120.0  # seconds that a statement queues
TURN = 0.05  # seconds between two looks at whether the waiting job was cancelled


class Change(IntEnum):
    """What happens to a table; each is more than the one before."""

    APPENDED = 0
    MUTATED = 1  # rows were updated or deleted
    DEFINED = 2  # the table was made, altered, replaced or dropped


class TransactionConflict(InvalidQuery):
    """The transaction was cancelled in favour of another one; it can only be rolled back."""

    def __init__(self, table: str) -> None:
        super().__init__(f"Transaction is aborted due to concurrent update against table {table}.")
        self.table = table


class TableLocks:
    """The tables that are being changed, and when each was changed last. An owner is any object."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._owners: dict[str, object] = {}
        self._under_way: Counter[tuple[str, Change]] = Counter()  # changes without an owner
        self._versions: dict[tuple[str, Change], int] = {}
        self._version = 0
        self._times: dict[str, int] = {}
        self._defining = self._defined = 0  # how many tables are being defined, and when one was last

    def now(self) -> int:
        """The moment that a transaction's snapshot belongs to: ask before it is taken."""
        with self._condition:
            return self._version

    def changed(self, table: str, owner: object, since: int, least: Change) -> bool:
        """Whether somebody else has changed the table after a snapshot from `since`, or is about to."""
        with self._condition:
            if least <= Change.MUTATED and self._owners.get(table, owner) is not owner:
                return True
            keys = [(table, change) for change in Change if change >= least]
            return any(self._versions.get(key, 0) > since or self._under_way[key] > 0 for key in keys)

    def version(self, table: str) -> int:
        """Another one after each change."""
        return max(self._versions.get((table, change), 0) for change in Change)

    def changed_ms(self, table: str) -> int:
        """When the table last changed while the file has been open, since 1970; 0 when it has not."""
        return self._times.get(table, 0)

    def settled(self) -> int:
        """The moment at which a table was defined last; waits for those that are being defined."""
        with self._condition:
            while self._defining:
                self._condition.wait(TURN)
            return self._defined

    def claim(self, table: str, owner: object, since: int) -> None:
        """For a transaction whose snapshot is from `since`, until `release`; raises TransactionConflict."""
        with self._condition:
            if self._owners.get(table) is owner:
                return
            if self.changed(table, owner, since, Change.MUTATED):
                raise TransactionConflict(table)
            self._owners[table] = owner

    def wait(self, table: str, owner: object, check: Callable[[], None]) -> None:
        """For one statement, until `release`; `check` is called while it waits and may raise."""
        deadline = time.monotonic() + LONGEST_WAIT
        with self._condition:
            while self._owners.get(table, owner) is not owner:
                check()
                if time.monotonic() > deadline:
                    raise InvalidQuery(f"Could not serialize access to table {table} due to concurrent update")
                self._condition.wait(TURN)
            self._owners[table] = owner

    def release(self, owner: object, *, worked: bool = True) -> None:
        """Frees all that the owner holds, and notes that it was changed, or may have been."""
        with self._condition:
            held = [table for table, holder in self._owners.items() if holder is owner]
            if not held:
                return
            for table in held:
                del self._owners[table]
            self._note(held, Change.MUTATED, worked)
            self._condition.notify_all()

    @contextmanager
    def mutating(self, table: str, check: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Around one statement outside a transaction, which waits for its turn as `wait` does."""
        owner = object()
        self.wait(table, owner, check)
        worked = False
        try:
            yield
            worked = True
        finally:
            self.release(owner, worked=worked)

    @contextmanager
    def changing(self, tables: Collection[str], change: Change) -> Iterator[None]:
        """Around a change that needs no owner, until it is committed: transactions will know of it."""
        if not tables:
            yield
            return
        keys = [(table, change) for table in tables]
        with self._condition:
            self._under_way.update(keys)
            self._defining += change is Change.DEFINED
        worked = False
        try:
            yield
            worked = True
        finally:
            with self._condition:
                self._under_way.subtract(keys)
                self._defining -= change is Change.DEFINED
                self._note(tables, change, worked)
                self._condition.notify_all()

    def _note(self, tables: Collection[str], change: Change, worked: bool) -> None:
        self._version += 1
        for table in tables:
            self._versions[table, change] = self._version
            if worked:
                self._times[table] = time.time_ns() // 1_000_000
        if change is Change.DEFINED:
            self._defined = self._version
