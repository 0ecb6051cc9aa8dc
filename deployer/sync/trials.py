"""Dry runs of a plan's statements: what BigQuery refuses is told before anything is changed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from deployer.errors import DeployerError, UsageError
from deployer.sync.apply import placed
from deployer.sync.calls import Missing, Rejected, try_out
from deployer.sync.compare import Step
from deployer.sync.plan import Plan
from deployer.warehouse import Warehouse


def can_be_tried(plan: Plan) -> tuple[Step, ...]:
    """One statement each, that needs nothing which the plan only makes."""
    verbs = ("create", "replace")
    return tuple(step for step in plan.steps if step.verb in verbs and step.kind != "DATASET" and not step.needs)


def refuse_what_fails(warehouse: Warehouse, steps: Sequence[Step], jobs: int) -> None:
    """Raises UsageError for statements that are wrong, DeployerError when that cannot be found out."""

    def problem(step: Step) -> DeployerError | None:
        assert step.statement is not None
        try:
            try_out(warehouse, step.statement, f"{step.verb} {step.kind.lower()} {step.target}")
        except (Missing, Rejected) as error:
            return UsageError(placed(step, str(error)))
        except DeployerError as error:
            return DeployerError(placed(step, str(error)))
        return None

    if not steps:
        return
    with ThreadPoolExecutor(jobs) as pool:
        problems = [found for found in pool.map(problem, steps) if found is not None]
    if problems:
        kind = UsageError if all(isinstance(found, UsageError) for found in problems) else DeployerError
        raise kind("\n".join([*map(str, problems), "Nothing was applied."]))
