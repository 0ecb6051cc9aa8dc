"""What every benchmark needs: two things timed side by side, processes measured from outside, a table in Markdown."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of a table; `most` is the target that `value` must not exceed, None where there is none."""

    name: str
    value: float
    unit: str  # "x" for a ratio
    most: float | None = None
    note: str = ""

    @property
    def is_met(self) -> bool:
        return self.most is None or self.value <= self.most


def table(measures: Sequence[Measure]) -> str:
    lines = ["| measure | value | target | |", "|---|---|---|---|"]
    for each in measures:
        target = "" if each.most is None else f"≤ {each.most:g} {each.unit}"
        verdict = each.note if each.is_met else f"**missed** {each.note}".rstrip()
        lines.append(f"| {each.name} | {each.value:.3g} {each.unit} | {target} | {verdict} |")
    return "\n".join(lines)


def side_by_side(
    ours: Callable[[], object], theirs: Callable[[], object], repeats: int
) -> tuple[list[float], list[float]]:
    """Seconds of each, taken in turns, so that whatever else the machine does falls on both."""
    found: tuple[list[float], list[float]] = ([], [])
    for action in (theirs, ours):
        action()  # caches are warm for both
    for _ in range(repeats):
        for seconds, action in zip(found, (ours, theirs), strict=True):
            seconds.append(timed(action))
    return found


def timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, str]:
    """Of the fastest times, which other work on the machine disturbs least; and the medians as a note."""
    medians = statistics.median(ours) / statistics.median(theirs)
    return min(ours) / min(theirs), f"{min(ours) * 1e3:.0f} ms; of medians {medians:.2f}"


def undisturbed(seconds: Sequence[float], size: int = 20) -> float:
    """The median of the quietest stretch of so many measurements."""
    return min(statistics.median(seconds[start : start + size]) for start in range(0, len(seconds), size))


@dataclass(frozen=True, slots=True)
class Usage:
    """Of a process: its own work in seconds of the processor, and its peak memory in bytes."""

    cpu_seconds: float
    peak_bytes: int


def process(*words: str, code: str | None = None) -> Usage:
    """Runs Python with these words, or with this code; raises CalledProcessError when it fails."""
    command = [sys.executable, *(("-c", code) if code is not None else ()), *words]
    # An installed package has its bytecode; where the environment forbids it every start would compile the sources.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    assert child.stderr is not None
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command, stderr=errors.decode())
    return Usage(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
