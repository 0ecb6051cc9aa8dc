"""SIGINT and SIGTERM end the process in order, in the time that it has for that; a second signal ends it at once."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Protocol

BOTH = (signal.SIGINT, signal.SIGTERM)
RESERVE = 0.9  # of the grace is for ending in order; who is still there at its end is ended


class Ended(KeyboardInterrupt):
    """A signal that asks the process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(f"Ended by {signal.Signals(number).name}.")
        self.exit_status = 128 + number


class Work(Protocol):
    """What a signal interrupts, unless it is about to end by itself."""

    @property
    def is_published(self) -> bool: ...

    is_ending: bool


class Hurried(Protocol):
    def hurry(self, seconds: float) -> None: ...


class Signals:
    def __init__(self) -> None:
        self.grace_seconds = 25.0
        self._received: int | None = None
        self._work: Work | None = None
        self._patience: Hurried | None = None

    def install(self) -> None:
        for number in BOTH:
            signal.signal(number, self._receive)

    def watch(self, work: Work, patience: Hurried) -> None:
        """From now on a signal interrupts this work, and what it waits for is over in time."""
        self._work, self._patience = work, patience

    def finish(self) -> None:
        """From now on the exit status is settled: no signal changes it, not even while Python shuts down."""
        for number in BOTH:
            signal.signal(number, signal.SIG_IGN)

    def check(self) -> None:
        """Raises Ended if there was a signal that interrupted nothing; for before a next piece of work."""
        if self._received is not None:
            raise Ended(self._received)

    def _receive(self, number: int, _: FrameType | None) -> None:
        for each in BOTH:
            signal.signal(each, signal.SIG_DFL)
        self._received = number
        watchdog = threading.Timer(self.grace_seconds, os._exit, (128 + number,))
        watchdog.daemon = True
        watchdog.start()
        if self._patience is not None:
            self._patience.hurry(self.grace_seconds * RESERVE)
        if self._work is None or not (self._work.is_ending or self._work.is_published):
            raise Ended(number)


SIGNALS = Signals()
