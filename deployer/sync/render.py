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
    """What a sync that stopped half way leaves, the reason first; nothing for one that did not."""
    if applied.failure is None:
        return
    yield applied.failure.message
    yield f"Applied: {_targets(applied.done)}. Failed: {applied.failure.step.target}."
    yield f"Not tried: {_targets(applied.untried)}. Mend the file and run `deployer sync` again: it goes on from here."


def _targets(steps: Sequence[Step]) -> str:
    return ", ".join(step.target for step in steps) or "nothing"
