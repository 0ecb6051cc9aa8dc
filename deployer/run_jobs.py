"""The jobs of one run: their ids say which run, their labels say what kind, and the ledger gets their sum."""

from __future__ import annotations

from collections.abc import Mapping

from deployer.jobs import Answer, Jobs, Request, Typed
from deployer.retries import Patience
from deployer.run import Run
from deployer.tmgetl import STEPS
from deployer.warehouse import Warehouse, explained

MOST_TOLD = 100  # repeats that the ledger keeps of a run


class RunJobs:
    def __init__(self, warehouse: Warehouse, run: Run, patience: Patience | None = None) -> None:
        self.warehouse = warehouse
        self.run = run
        self.jobs = Jobs(warehouse.client, patience or warehouse.patience, warehouse.on_job)
        self._retried_before = len(warehouse.retried)

    def call(
        self, step: str, sql: str, parameters: Mapping[str, Typed], what: str, maximum_bytes_billed: int | None = None
    ) -> Answer:
        """The job of one step; raises DeployerError that begins with `what`. An interrupt cancels the job."""
        labels = {
            "environment": self.warehouse.config.environment,
            "transfer": self.run.transfer,
            "step": step,
            "write_mode": self.run.write_mode,
        }
        with explained(what):
            return self.jobs.run(Request(self.id_of(step), sql, parameters, labels, maximum_bytes_billed))

    def id_of(self, step: str, run_id: str | None = None) -> str:
        """What the ids of a step's jobs begin with, for this run or another one."""
        return f"{run_id or self.run.run_id}-{step}"

    @property
    def job_ids(self) -> list[str]:
        """Of the three steps."""
        return [f"{self.id_of(step)}-{n + 1}" for step in STEPS for n in range(self.jobs.tries[self.id_of(step)])]

    @property
    def attempts(self) -> int:
        """The most tries that one of the three steps took."""
        return max(self.jobs.tries[self.id_of(step)] for step in STEPS)

    @property
    def retried(self) -> list[str]:
        return self.warehouse.retried[self._retried_before :][:MOST_TOLD]
