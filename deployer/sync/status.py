"""Each object of an environment in one word, as `deployer status` shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deployer.sync.compare import Step
from deployer.sync.definitions import Definition
from deployer.sync.plan import Plan
from deployer.sync.render import diff

HEADINGS = ("state", "kind", "object", "why")
IN_SYNC = "in sync"
WORDS = {
    "create": "missing",
    "replace": "changed here",
    "alter": "changed here",
    "refused": "changed here",
    "record": IN_SYNC,
}


def status_rows(
    definitions: Sequence[Definition], plan: Plan, authors: Mapping[str, str]
) -> list[tuple[str, str, str, str]]:
    """A text for each of HEADINGS, in dependency order; then what is unmanaged. `authors` are those of drift."""
    steps = {step.name: step for step in plan.steps}
    rows = []
    for made in definitions:
        step = steps.get(made.name)
        state, why = (IN_SYNC, "") if step is None else (_state(step), step.reason)
        if str(made.target) in authors:
            why += f" but by {authors[str(made.target)]}"
        rows.append((state, made.kind.lower(), str(made.target), why))
    for each in plan.unmanaged:
        why = "was deployed, and is in sql/ no more" if each.is_ours else "is not in sql/"
        rows.append(("unmanaged", each.kind.lower(), each.target, why))
    return rows


def _state(step: Step) -> str:
    return "drifted" if step.is_drift else WORDS[step.verb]


def lines_of_drift(plan: Plan) -> Iterator[str]:
    """What was changed in the warehouse, as a diff of each object."""
    for step in plan.steps:
        if step.is_drift:
            yield from diff(step)


def status_value(definitions: Sequence[Definition], plan: Plan, authors: Mapping[str, str]) -> list[dict[str, Any]]:
    steps = {str(step.target): step for step in plan.steps}
    return [
        {
            **dict(zip(HEADINGS, row, strict=True)),
            "diff": "\n".join(diff(steps[row[2]])) if row[2] in steps else "",
        }
        for row in status_rows(definitions, plan, authors)
    ]
