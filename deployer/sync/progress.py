"""Shows a plan being carried out: on a terminal a live view, elsewhere a line an object."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from deployer.sync.compare import Step
from deployer.sync.plan import Plan
from deployer.sync.render import line_of_step
from deployer.sync.state import Key

if TYPE_CHECKING:
    from rich.console import RenderableType

    from deployer.sync.apply import Watch


@contextmanager
def watching(plan: Plan, *, to_stderr: bool) -> Iterator[Watch]:
    """`to_stderr` keeps stdout for what a machine reads."""
    stream = sys.stderr if to_stderr else sys.stdout
    if not stream.isatty():
        yield Lines(to_stderr)
        return
    from rich.console import Console
    from rich.live import Live

    view = LiveView(plan)
    with Live(get_renderable=view.shown, console=Console(file=stream), refresh_per_second=8) as live:
        live.refresh()
        yield view


class Lines:
    def __init__(self, to_stderr: bool) -> None:
        self._to_stderr = to_stderr

    def started(self, step: Step) -> None:
        """Nothing is told of what has no end yet."""

    def done(self, step: Step, seconds: float) -> None:
        click.echo(f"{line_of_step(step)} ({seconds:.1f} s)", err=self._to_stderr)

    def failed(self, step: Step) -> None:
        click.echo(f"FAILED  {step.kind.lower():<10}{step.target}", err=self._to_stderr)


class LiveView:
    """A line for each level that is not over, with its objects in work, below the last ones that are done."""

    def __init__(self, plan: Plan, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._level = levels(plan)
        self._left = {step.key: step for step in plan.steps}
        self._running: dict[Key, float] = {}
        self._done: list[str] = []

    def started(self, step: Step) -> None:
        self._running[step.key] = self._clock()

    def done(self, step: Step, seconds: float) -> None:
        self._running.pop(step.key, None)
        self._left.pop(step.key, None)
        self._done.append(f"{step.verb:<8}{step.kind.lower():<10}{step.target} {seconds:.1f} s")

    def failed(self, step: Step) -> None:
        self._running.pop(step.key, None)
        self._done.append(f"FAILED  {step.kind.lower():<10}{step.target}")

    def shown(self) -> RenderableType:
        from rich.text import Text

        lines = self._done[-10:]
        total = max(self._level.values(), default=0)
        for level in sorted({self._level[name] for name in self._left}):
            names = [name for name in self._left if self._level[name] == level]
            working = [name for name in names if name in self._running]
            lines.append(f"level {level} of {total}: {len(names)} left")
            now = self._clock()
            lines += [f"  {self._left[name].target} {now - self._running[name]:.1f} s" for name in working]
        return Text("\n".join(lines))


def levels(plan: Plan) -> dict[Key, int]:
    """The level of each step, from 1: one more than the highest of those that it needs."""
    found: dict[Key, int] = {}
    for step in plan.steps:
        found[step.key] = 1 + max((found[need] for need in step.needs if need in found), default=0)
    return found
