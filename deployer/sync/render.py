"""A plan, and what came of it, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from deployer.sync.plan import Plan, Step

if TYPE_CHECKING:
    from deployer.sync.apply import Applied  # whose import takes the client's half a second


def lines_of_plan(plan: Plan) -> Iterator[str]:
    if not plan.steps:
        yield f"Nothing to do: all {plan.unchanged} objects are as sql/ says."
        return
    yield from map(line_of_step, plan.steps)
    yield f"{len(plan.steps)} to do; {plan.unchanged} objects are as sql/ says."


def line_of_step(step: Step) -> str:
    return f"{step.verb:<8}{step.kind.lower():<10}{step.target}: {step.reason}"


def lines_of_failure(applied: Applied) -> Iterator[str]:
    """What went wrong and how far the sync came; nothing for one that went well."""
    if applied.failure is not None:
        yield applied.failure.message
        yield f"Applied: {_targets(applied.done)}. Failed: {applied.failure.step.target}."
        yield f"Not tried: {_targets(applied.untried)}. Mend the cause; the next `deployer sync` goes on from here."
    if applied.unrecorded is not None:
        yield f"{applied.unrecorded} What is applied has no record, so the next `deployer sync` applies it once more."


def _targets(steps: Sequence[Step]) -> str:
    return ", ".join(step.target for step in steps) or "nothing"
