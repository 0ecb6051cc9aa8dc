"""Carries a plan out, statement by statement, and says how far it came."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from deployer.errors import DeployerError
from deployer.sync.definitions import DEPLOYMENTS
from deployer.sync.deployments import record_deployment
from deployer.sync.plan import Plan, Step
from deployer.warehouse import Warehouse

PLACE = re.compile(r" at \[(\d+):(\d+)\]")  # as BigQuery ends its messages


@dataclass(frozen=True, slots=True)
class Failure:
    step: Step
    message: str  # `file:line:column: …`


@dataclass(frozen=True, slots=True)
class Applied:
    """`done`, the failure's step and `untried` are the plan's steps, in its order."""

    done: tuple[Step, ...]
    failure: Failure | None
    untried: tuple[Step, ...]
    unrecorded: str | None = None  # why what is done has no row in ops.deployments


def apply_plan(warehouse: Warehouse, plan: Plan, on_done: Callable[[Step], None]) -> Applied:
    """Stops at the first failure; what was put in place is recorded in either case, for the next sync to go on from."""
    applied = _carried_out(warehouse, plan.steps, on_done)
    definitions = [step.definition for step in applied.done if step.definition is not None]
    if plan.steps and _has_record(applied):
        try:
            record_deployment(warehouse, "failed" if applied.failure else "applied", definitions)
        except DeployerError as error:
            return replace(applied, unrecorded=str(error))
    return applied


def _carried_out(warehouse: Warehouse, steps: tuple[Step, ...], on_done: Callable[[Step], None]) -> Applied:
    for position, step in enumerate(steps):
        try:
            if step.statement is not None:
                warehouse.query(step.statement, what=f"{step.verb} {step.kind.lower()} {step.target}")
        except DeployerError as error:
            return Applied(steps[:position], Failure(step, _placed(step, str(error))), steps[position + 1 :])
        on_done(step)
    return Applied(steps, None, ())


def _has_record(applied: Applied) -> bool:
    """Whether ops.deployments exists: it is the plan's first object, so only its own absence can forbid a row."""
    undone = (applied.failure.step, *applied.untried) if applied.failure else ()
    return all(step.definition is None or step.definition.name != DEPLOYMENTS for step in undone)


def _placed(step: Step, message: str) -> str:
    """The message with the place in the file; BigQuery counts in the text that it was given."""
    if step.definition is None:
        return message
    found = PLACE.search(message)
    if found is None or step.verb == "alter":  # an ALTER's text is not the file's
        return f"{step.definition.source.path}:1:1: {message}"
    line, column = step.definition.place_in_file(int(found[1]), int(found[2]))
    return f"{step.definition.source.path}:{line}:{column}: {message[: found.start()]}{message[found.end() :]}"
