"""A plan, and what came of it, as lines of text and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

from deployer.source.create import normal_form
from deployer.source.lexer import Unreadable
from deployer.sync.compare import Step
from deployer.sync.plan import Plan
from deployer.sync.tables import describe, shape_of

if TYPE_CHECKING:
    from deployer.sync.apply import Applied  # whose import takes the client's half a second


def lines_of_plan(plan: Plan) -> Iterator[str]:
    """Each step with its diff, and what is in nobody's care."""
    for step in plan.steps:
        yield line_of_step(step)
        yield from (f"    {line}" for line in diff(step))
    yield from lines_of_unmanaged(plan)
    if not plan.steps:
        yield f"Nothing to do: all {plan.unchanged} objects are as sql/ says."
        return
    hindrances = plan.hindrances
    if hindrances:
        yield f"{len(hindrances)} in the way of a sync; {how_to_pass(hindrances)}"
    yield f"{len(plan.steps) - len(hindrances)} to do; {plan.unchanged} objects are as sql/ says."


def line_of_step(step: Step) -> str:
    return f"{step.verb:<8}{step.kind.lower():<10}{step.target}: {step.reason}"


def how_to_pass(hindrances: Sequence[Step]) -> str:
    """What a person can do about steps that a sync refuses."""
    verbs = {step.verb for step in hindrances}
    advice = []
    if "drifted" in verbs:
        advice.append("take what was changed in the warehouse over into sql/, or say --overwrite-drift")
    if "refused" in verbs:
        advice.append("follow the hints of what is refused")
    return "; ".join(advice) + "."


def diff(step: Step) -> list[str]:
    """A unified diff from what is there to what is to be; nothing for a step that changes no text."""
    if step.verb == "record" or step.kind == "DATASET":
        return []
    names = (f"{step.target} (warehouse)", str(step.definition.path) if step.definition else "(dropped)")
    lines = _comparable(step)
    return list(unified_diff(lines(step.before), lines(step.after), *names, lineterm=""))


def _comparable(step: Step) -> Callable[[str], list[str]]:
    """How to take a definition apart, so that only what counts differs."""

    def form(text: str) -> list[str]:
        if step.kind == "TABLE":
            return list(describe(shape_of(text)))
        return normal_form(text).splitlines()

    def lines(text: str) -> list[str]:
        # The warehouse's own spelling of a definition is not the file's.
        with suppress(Unreadable):
            return form(text) if text and step.before and (step.is_drift or step.kind == "TABLE") else text.splitlines()
        return text.splitlines()

    return lines


def lines_of_unmanaged(plan: Plan) -> Iterator[str]:
    ours = [each for each in plan.unmanaged if each.is_ours]
    for each in ours:
        yield f"unmanaged {each.kind.lower()} {each.target}: was deployed, and is in sql/ no more; --prune drops it"


def lines_of_applied(applied: Applied) -> Iterator[str]:
    """What went wrong and how far the sync came; nothing for one that went well."""
    if applied.is_complete:
        return
    for failure in applied.failures:
        yield failure.message
    if applied.interrupted is not None:
        yield "Interrupted."
    failed = [failure.step for failure in applied.failures]
    yield f"Applied: {_targets(applied.done)}. Failed: {_targets(failed)}."
    yield f"Not tried: {_targets(applied.untried)}."
    if applied.undone:
        yield f"Put back as before: {_targets(applied.undone)}."
    for stuck in applied.stuck:
        yield f"Could not be put back: {stuck.step.target}: {stuck.message}"
    if applied.unrecorded is not None:
        yield f"{applied.unrecorded} What is applied has no record yet; the next sync finds out what is there."
    yield "Mend the cause; the next `deployer sync` goes on from here."


def done_line(applied: Applied, unchanged: int) -> str:
    count = sum(step.kind != "DATASET" for step in applied.done)
    return f"{count} done in deployment {applied.number}; {unchanged} objects were as sql/ says."


def plan_value(plan: Plan) -> dict[str, Any]:
    return {
        "steps": [{**step_value(step), "diff": "\n".join(diff(step))} for step in plan.steps],
        "unchanged": plan.unchanged,
        "unmanaged": [
            {"kind": each.kind.lower(), "object": each.target, "was_deployed": each.is_ours} for each in plan.unmanaged
        ],
    }


def step_value(step: Step) -> dict[str, Any]:
    return {
        "verb": step.verb,
        "kind": step.kind.lower(),
        "object": step.target,
        "file": str(step.definition.path) if step.definition else None,
        "reason": step.reason,
        "statement": step.statement,
    }


def applied_value(applied: Applied, unchanged: int) -> dict[str, Any]:
    return {
        "outcome": "applied" if applied.is_complete else "failed",
        "deployment": applied.number or None,
        "applied": [step_value(step) for step in applied.done],
        "failed": [{**step_value(each.step), "message": each.message} for each in applied.failures],
        "not_tried": [step_value(step) for step in applied.untried],
        "put_back": [step_value(step) for step in applied.undone],
        "not_put_back": [{**step_value(each.step), "message": each.message} for each in applied.stuck],
        "unrecorded": applied.unrecorded,
        "unchanged": unchanged,
    }


def _targets(steps: Sequence[Step]) -> str:
    return ", ".join(step.target for step in steps) or "nothing"
