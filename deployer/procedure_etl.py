"""The TMGETL that calls a transfer's three procedures."""

from __future__ import annotations

from collections.abc import Mapping

from deployer.jobs import Typed
from deployer.ledger import PROCEDURES, WarehouseLedger
from deployer.run import Run
from deployer.tmgetl import TMGETL, Progress, Step, StepResult
from deployer.warehouse import Warehouse


class ProcedureETL(TMGETL):
    """Each step is one job that calls `<dataset>.<transfer>_<step>`; all the work is done in the warehouse."""

    def __init__(self, run: Run, warehouse: Warehouse, progress: Progress | None = None) -> None:
        super().__init__(run, WarehouseLedger(warehouse), progress)
        self._warehouse = warehouse

    def pre_execution_cleansing(self) -> StepResult:
        rejected_rows = self._warehouse.quoted("ops", "rejected_rows")
        rejected = (
            f"(SELECT COUNT(*) FROM {rejected_rows} WHERE business_date BETWEEN @window_start AND @window_end"
            " AND transfer = @transfer)"
        )
        return self._call("cleanse", {"transfer": ("STRING", self.requested.transfer)}, rejected)

    def pipeline(self) -> StepResult:
        return self._call("publish")

    def post_execution_cleanup(self) -> StepResult:
        return self._call("cleanup")

    def _call(self, step: Step, more: Mapping[str, Typed] | None = None, rejected: str = "0") -> StepResult:
        """`rejected` is the SQL expression that counts the rejected rows, `more` the parameters that it needs."""
        run = self.requested
        dataset = self._warehouse.config.transfers[run.transfer].dataset
        name = f"{run.transfer}_{step}"
        script = (
            "DECLARE rows_affected INT64;\n"
            f"CALL {self._warehouse.quoted(dataset, name)}"
            "(@window_start, @window_end, @write_mode, @run_id, rows_affected);\n"
            f"SELECT rows_affected, {rejected} AS rows_rejected;"
        )
        parameters: dict[str, Typed] = {
            "window_start": ("DATE", run.window_start),
            "window_end": ("DATE", run.window_end),
            "write_mode": ("STRING", run.write_mode),
            "run_id": ("STRING", run.run_id),
            **(more or {}),
        }
        answer = self._warehouse.run_step(run, step, script, parameters, f"{dataset}.{name}")
        [row] = answer.rows
        return StepResult(row["rows_affected"], row["rows_rejected"], answer.bytes_processed, answer.bytes_billed)


def missing_procedures(warehouse: Warehouse, transfer: str) -> list[str]:
    """The procedures that a run of the transfer calls and that are not deployed, as `dataset.name`."""
    dataset = warehouse.config.transfers[transfer].dataset
    steps = [(dataset, f"{transfer}_{step}") for step in ("cleanse", "publish", "cleanup")]
    return warehouse.missing_routines([*steps, *(("ops", name) for name in PROCEDURES)])
