"""Carries a plan out, in parallel where nothing depends on it, and says how far it came.

lock and record -> steps, in the order of their needs -> what was replaced is put back if one failed -> record, lock
freed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from typing import Protocol

from google.api_core.exceptions import GoogleAPICallError

from deployer.errors import DeployerError
from deployer.sync.calls import Missing, run
from deployer.sync.compare import Step, checksum_of
from deployer.sync.definitions import FIRST, repeatable
from deployer.sync.deployments import Deployment, Entry
from deployer.sync.lock import Lock
from deployer.sync.plan import Plan
from deployer.warehouse import Warehouse

PLACE = re.compile(r" at \[(\d+):(\d+)\]")  # as BigQuery ends its messages


class Superseded(Exception):
    """Another deployment came between the plan and its lock: nothing was started, and the plan is old."""


class Watch(Protocol):
    """Is told of each step as it begins and ends."""

    def started(self, step: Step) -> None: ...

    def done(self, step: Step, seconds: float) -> None: ...

    def failed(self, step: Step) -> None: ...


@dataclass(frozen=True, slots=True)
class Failure:
    step: Step
    message: str  # `file:line:column: …`
    is_unknown: bool = False  # whether the step took effect


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the plan's steps, each in its order; a step is in one of the tuples, but for `stuck`."""

    number: int  # of the deployment; 0 when it came to none
    done: tuple[Step, ...] = ()
    failures: tuple[Failure, ...] = ()
    untried: tuple[Step, ...] = ()
    undone: tuple[Step, ...] = ()  # were done, and are put back
    stuck: tuple[Failure, ...] = ()  # of `done`: could not be put back
    unrecorded: str | None = None  # why what is done has no row in ops.deployments
    interrupted: KeyboardInterrupt | None = None

    @property
    def is_complete(self) -> bool:
        return not (self.failures or self.untried or self.unrecorded or self.interrupted)


def apply_plan(
    warehouse: Warehouse,
    plan: Plan,
    watch: Watch,
    *,
    jobs: int = 8,
    roll_back: bool = True,
    outcome: str = "applied",
    first: Step | None = None,
) -> Applied:
    """Stops at the first failure; what was put in place is recorded in any case, for the next sync to go on from.

    `first` is a step that nobody tried out: it goes before all others, alone. Raises LockHeld or Superseded with
    nothing started, or DeployerError when the deployment cannot be recorded.
    """
    # Without their tables there is neither a lock nor a record; to create those twice does no harm.
    tables = [step for step in plan.steps if step.verb == "create" and _is_for_record(step)]
    begun = _Run(warehouse, watch, 1).carry_out(tables)
    if not begun.is_complete:
        rest = tuple(step for step in plan.steps if step not in tables)
        return replace(begun, untried=(*begun.untried, *rest))
    steps = [step for step in plan.steps if step not in tables]
    recorded = [step for step in (*tables, *steps) if step.kind != "DATASET"]
    with Lock(Deployment(warehouse, plan.number + 1)) as lock:
        if not lock.begin([_entry(step) for step in recorded]):
            raise Superseded
        doing = _Run(warehouse, watch, jobs, lock.check)
        applied = doing.carry_out([step for step in steps if step is first])
        later = [step for step in steps if step is not first]
        if applied.is_complete:
            applied = _joined(applied, doing.carry_out(later))
        else:
            applied = replace(applied, untried=(*applied.untried, *later))
        applied = replace(applied, number=lock.deployment.number, done=(*tables, *applied.done))
        if not applied.is_complete and roll_back:
            applied = _put_back(applied, _Run(warehouse, watch, jobs, lock.check))
        return _recorded(applied, lock.deployment, recorded, outcome, plan.has_leases)


def _is_for_record(step: Step) -> bool:
    return step.name in FIRST or (step.kind == "DATASET" and step.name.dataset == FIRST[0].dataset)


def _joined(one: Applied, other: Applied) -> Applied:
    return replace(other, done=(*one.done, *other.done))


class _Run:
    """Steps at work: one that needs another waits for it, and after a failure none is begun."""

    def __init__(self, warehouse: Warehouse, watch: Watch, jobs: int, check: Callable[[], None] = lambda: None) -> None:
        """`check` is called before each step and may raise DeployerError."""
        self._warehouse, self._watch, self._jobs, self._check = warehouse, watch, jobs, check
        self._done: list[Step] = []
        self._failures: list[Failure] = []
        self._interrupted: KeyboardInterrupt | None = None

    def carry_out(self, steps: Sequence[Step]) -> Applied:
        self._done, self._failures = [], []
        by_key = {step.key: step for step in steps}
        sorter = TopologicalSorter({key: step.needs & by_key.keys() for key, step in by_key.items()})
        sorter.prepare()
        order = {step.key: place for place, step in enumerate(steps)}
        ready: list[int] = []
        running: dict[Future[None], tuple[Step, float]] = {}
        with ThreadPoolExecutor(self._jobs) as pool:
            while True:
                ready = sorted([*ready, *(order[key] for key in sorter.get_ready())])
                while ready and len(running) < self._jobs and self._may_begin(steps[ready[0]]):
                    step = steps[ready.pop(0)]
                    self._watch.started(step)
                    running[pool.submit(self._act, step)] = step, time.monotonic()
                if not running:
                    break
                for future in self._next(running):
                    step, since = running.pop(future)
                    if self._ended(step, future.exception(), time.monotonic() - since):
                        sorter.done(step.key)
        done = tuple(sorted(self._done, key=lambda step: order[step.key]))
        ended = {step.key for step in self._done} | {failure.step.key for failure in self._failures}
        untried = tuple(step for step in steps if step.key not in ended)
        return Applied(0, done, tuple(self._failures), untried, interrupted=self._interrupted)

    def _may_begin(self, step: Step) -> bool:
        if self._failures or self._interrupted:
            return False
        try:
            self._check()
        except DeployerError as error:
            self._failures.append(Failure(step, str(error)))
            return False
        return True

    def _act(self, step: Step) -> None:
        if step.statement is None:
            return
        try:
            run(self._warehouse, step.statement, f"{step.verb} {step.kind.lower()} {step.target}")
        except Missing:
            if step.verb != "drop":
                raise

    def _next(self, running: Collection[Future[None]]) -> Collection[Future[None]]:
        try:
            return wait(running, return_when=FIRST_COMPLETED).done
        except KeyboardInterrupt as error:
            self._interrupted = error
            return wait(running).done  # what runs has to be known before it can be recorded

    def _ended(self, step: Step, error: BaseException | None, seconds: float) -> bool:
        if error is None:
            self._done.append(step)
            self._watch.done(step, seconds)
            return True
        if not isinstance(error, DeployerError):
            raise error
        answer = error.__cause__
        is_unknown = not (isinstance(answer, GoogleAPICallError) and answer.code and 400 <= answer.code < 500)
        self._failures.append(Failure(step, placed(step, str(error)), is_unknown))
        self._watch.failed(step)
        return False


def _put_back(applied: Applied, run: _Run) -> Applied:
    """Routines and views that were replaced, as they were: callees before callers, as they were made."""
    unknown = [failure.step for failure in applied.failures if failure.is_unknown]
    replaced = [step for step in (*applied.done, *unknown) if step.verb == "replace" and step.before]
    back = [replace(step, reason="is put back", statement=repeatable(step.before)) for step in replaced]
    result = run.carry_out(back)
    undone = {step.key for step in result.done}
    stuck = (*result.failures, *(Failure(step, "was not tried") for step in result.untried))
    return replace(
        applied,
        done=tuple(step for step in applied.done if step.key not in undone),
        undone=tuple(step for step in replaced if step.key in undone),
        stuck=stuck,
        interrupted=applied.interrupted or result.interrupted,
    )


def _recorded(
    applied: Applied, deployment: Deployment, steps: Sequence[Step], outcome: str, with_leases: bool
) -> Applied:
    states = {step.key: "applied" for step in applied.done}
    states |= {failure.step.key: "failed" for failure in (*applied.failures, *applied.stuck)}
    states |= {step.key: "undone" for step in applied.undone}
    # What a person had changed is put back as it was, and stays what no deployment made.
    back = [step for step in applied.undone if not step.is_drift]
    datasets = {
        step.name.dataset: step.target.split(".")[0]
        for step in (*applied.done, *applied.undone, *(failure.step for failure in applied.failures))
        if step.kind != "DATASET"
    }
    told = [*(states.get(step.key, "untried") for step in steps), *("applied" for _ in back)]
    try:
        deployment.append([_entry(step, "put back", step.before) for step in back])
        ended = outcome if applied.is_complete else "failed"
        deployment.finish(ended, datasets, told, with_leases=with_leases and applied.is_complete)
    except DeployerError as error:
        return replace(applied, unrecorded=str(error))
    return applied


def _entry(step: Step, action: str = "", text: str | None = None) -> Entry:
    checksum, definition = "", ""
    if text is not None:
        checksum, definition = checksum_of(text), text
    elif step.definition is not None:
        checksum, definition = step.definition.checksum, step.definition.text
    return {
        "object": str(step.name),
        "kind": step.kind,
        "action": action or step.verb,
        "checksum": checksum,
        "definition": definition,
    }


def placed(step: Step, message: str) -> str:
    """The message with the place in the file; BigQuery counts in the text that it was given."""
    made = step.definition
    if made is None:
        return message
    found = PLACE.search(message)
    if found is None or step.statement != made.text:  # an ALTER's text is not the file's
        return f"{made.path}:1:1: {message}"
    line, column = made.place_in_file(int(found[1]), int(found[2]))
    return f"{made.path}:{line}:{column}: {message[: found.start()]}{message[found.end() :]}"
