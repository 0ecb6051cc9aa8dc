"""The TMGETL that calls a transfer's three procedures."""

from __future__ import annotations

from deployer.coverage import require_inputs
from deployer.errors import DeployerError
from deployer.jobs import Answer, Typed
from deployer.ledger import PROCEDURES, WarehouseLedger
from deployer.run import Run
from deployer.run_jobs import RunJobs
from deployer.tmgetl import STEPS, TMGETL, Progress, Step, StepResult
from deployer.warehouse import Warehouse, explained


class ProcedureETL(TMGETL):
    """Each step is one job that calls `<dataset>.<transfer>_<step>`; all the work is done in the warehouse."""

    def __init__(
        self,
        run: Run,
        warehouse: Warehouse,
        progress: Progress | None = None,
        wait_seconds: float = 0,
        *,
        ignore_upstream: bool = False,
    ) -> None:
        """`ignore_upstream`: whether the run goes on where its inputs are not published for all of its window."""
        self._warehouse = warehouse
        self._ignore_upstream = ignore_upstream
        self._transfer = warehouse.config.transfers[run.transfer]
        self._jobs = RunJobs(warehouse, run)
        self._kept = WarehouseLedger(self._jobs)
        super().__init__(run, self._kept, progress, wait_seconds)

    def pre_execution_cleansing(self) -> StepResult:
        if not self._ignore_upstream:
            require_inputs(self._warehouse, self.requested)
        return self._inherited("cleanse") or self._call("cleanse")

    def pipeline(self) -> StepResult:
        return self._call("publish")

    def post_execution_cleanup(self) -> StepResult:
        if self._jobs.jobs.unsettled:
            # A publish that has still to begin would find nothing staged.
            raise DeployerError("Staging is left as it is, as a job that uses it may still be at work.")
        return self._call("cleanup")

    def inherited_publish(self) -> StepResult | None:
        return self._inherited("publish")

    def _inherited(self, step: Step) -> StepResult | None:
        if self._kept.inherited is None or self._kept.inherited[0] != step:
            return None
        with explained(self._name(step)):
            return _result(self._jobs.jobs.answer(self._kept.inherited[1]))

    def _call(self, step: Step) -> StepResult:
        run = self.requested
        rejected = "0"
        if step == "cleanse":
            rejected = (
                f"(SELECT COUNT(*) FROM {self._warehouse.quoted('ops', 'rejected_rows')}"
                " WHERE business_date BETWEEN @window_start AND @window_end AND transfer = @transfer)"
            )
        script = (
            "DECLARE rows_affected INT64;\n"
            f"CALL {self._warehouse.quoted('ops', 'require_lease')}(@transfer, @run_id);\n"
            f"CALL {self._warehouse.quoted(self._transfer.dataset, f'{run.transfer}_{step}')}"
            "(@window_start, @window_end, @write_mode, @run_id, rows_affected);\n"
            f"SELECT rows_affected, {rejected} AS rows_rejected;"
        )
        parameters: dict[str, Typed] = {
            "transfer": ("STRING", run.transfer),
            "window_start": ("DATE", run.window_start),
            "window_end": ("DATE", run.window_end),
            "write_mode": ("STRING", run.write_mode),
            "run_id": ("STRING", run.run_id),
        }
        most: int | None = getattr(self._transfer.maximum_bytes_billed, step)
        return _result(self._jobs.call(step, script, parameters, self._name(step), most))

    def _name(self, step: Step) -> str:
        return f"{self._transfer.dataset}.{self.requested.transfer}_{step}"


def _result(answer: Answer) -> StepResult:
    [row] = answer.rows
    return StepResult(
        row["rows_affected"], row["rows_rejected"], answer.bytes_processed, answer.bytes_billed, answer.job_id
    )


def missing_procedures(warehouse: Warehouse, transfer: str) -> list[str]:
    """The procedures that a run of the transfer calls and that are not deployed, as `dataset.name`."""
    dataset = warehouse.config.transfers[transfer].dataset
    steps = [(dataset, f"{transfer}_{step}") for step in STEPS]
    return warehouse.missing_routines([*steps, *(("ops", name) for name in PROCEDURES)])
