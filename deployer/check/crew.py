"""The processes that do the work of a check: this one when there is little to do, else one a core."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import PurePath
from typing import TYPE_CHECKING, Self, TypeVar

from deployer.check.outlines import Analysed, Outline
from deployer.errors import DeployerError, UsageError

if TYPE_CHECKING:
    from deployer.check.work import Work

T = TypeVar("T")

CHUNK = 25  # files; they share a catalog
WORTH_A_PROCESS = 30  # files: fewer are done sooner than another process has started

_work: Work | None = None


class Crew:
    """Each file stays with one process, which keeps what it has parsed. Use it in a `with`."""

    def __init__(self, texts: Mapping[PurePath, str]) -> None:
        self._texts = dict(texts)
        self._own: Work | None = None
        self._pools: list[ProcessPoolExecutor] = []
        self._share: dict[PurePath, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)

    def outlines(self, paths: Sequence[PurePath]) -> Iterator[Outline]:
        """In no special order."""
        yield from self._done(_outlines, paths)

    def analyse(self, paths: Sequence[PurePath], outlines: Mapping[str, Outline]) -> Iterator[Analysed]:
        """In no special order; `outlines` are those of all files by the names of their objects."""
        if not paths:
            return
        self._staff(len(paths))
        for pool in self._pools:
            pool.submit(_know, outlines)
        if not self._pools:
            _know(outlines)
        yield from self._done(_analyse, paths)

    def _staff(self, files: int) -> None:
        """As many processes as the work is worth, but never fewer than before."""
        if find_spec("zetasql") is None:
            raise UsageError("GoogleSQL's analyzer is not installed; run `pip install 'sid-publisher-job[check]'`.")
        count = min(os.cpu_count() or 1, files // WORTH_A_PROCESS)
        if not self._pools and count > 1:
            spawned = get_context("spawn")  # a forked copy of a process with threads may hang
            self._pools = [ProcessPoolExecutor(1, spawned, _begin, (self._texts,)) for _ in range(count)]
        elif not self._pools and self._own is None:
            self._own = _begin(self._texts)

    def _done(self, do: Callable[[Sequence[PurePath]], list[T]], paths: Sequence[PurePath]) -> Iterator[T]:
        if not paths:
            return
        self._staff(len(paths))
        if not self._pools:
            for first in range(0, len(paths), CHUNK):
                yield from do(paths[first : first + CHUNK])
            return
        # The largest first, in turns, so that all processes end at about the same time.
        for path in sorted(paths, key=lambda path: (-len(self._texts[path]), path)):
            self._share.setdefault(path, len(self._share) % len(self._pools))
        jobs = []
        for number, pool in enumerate(self._pools):
            own = [path for path in paths if self._share[path] == number]
            jobs += [pool.submit(do, own[first : first + CHUNK]) for first in range(0, len(own), CHUNK)]
        try:
            for job in as_completed(jobs):
                yield from job.result()
        except BrokenProcessPool:
            raise DeployerError("A process of the check was ended from outside, for want of memory perhaps.") from None


def _begin(texts: Mapping[PurePath, str]) -> Work:
    global _work
    from deployer.check.work import Work

    _work = Work(texts)
    return _work


def _outlines(paths: Sequence[PurePath]) -> list[Outline]:
    assert _work is not None
    return _work.outlines(paths)


def _know(outlines: Mapping[str, Outline]) -> None:
    assert _work is not None
    _work.know(outlines)


def _analyse(paths: Sequence[PurePath]) -> list[Analysed]:
    assert _work is not None
    return _work.analyse(paths)
