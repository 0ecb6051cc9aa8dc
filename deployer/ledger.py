"""Leases and runs, kept by the procedures of dataset `ops`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from deployer.__version__ import __version__
from deployer.jobs import Typed
from deployer.run import Run
from deployer.tmgetl import Holder, Outcome
from deployer.warehouse import Warehouse

PROCEDURES = ("acquire_lease", "release_lease", "start_run", "finish_run", "record_published_window")


class WarehouseLedger:
    """TMGETL's ledger in the warehouse that the run publishes to; a run's id is the name of its lease's holder."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def acquire_lease(self, run: Run) -> Holder | None:
        procedure = self._warehouse.quoted("ops", "acquire_lease")
        script = (
            "DECLARE acquired BOOL; DECLARE holder STRING; DECLARE since, until TIMESTAMP;\n"
            f"CALL {procedure}(@transfer, @run_id, @seconds, acquired, holder, since, until);\n"
            "SELECT acquired, holder, since, until;"
        )
        parameters = {
            "transfer": ("STRING", run.transfer),
            "run_id": ("STRING", run.run_id),
            "seconds": ("INT64", self._warehouse.config.lease.seconds),
        }
        answer = self._warehouse.run_step(run, "acquire_lease", script, parameters, "Taking the lease")
        [row] = answer.rows
        if row["acquired"]:
            return None
        return Holder(row["holder"], _for_people(row["since"]), _for_people(row["until"]))

    def release_lease(self, run: Run) -> None:
        parameters = {"transfer": ("STRING", run.transfer), "run_id": ("STRING", run.run_id)}
        self._call(run, "release_lease", parameters, "Freeing the lease")

    def start_run(self, run: Run) -> None:
        parameters = {
            "run_id": ("STRING", run.run_id),
            "transfer": ("STRING", run.transfer),
            "window_start": ("DATE", run.window_start),
            "window_end": ("DATE", run.window_end),
            "write_mode": ("STRING", run.write_mode),
            "code_version": ("STRING", __version__),
        }
        self._call(run, "start_run", parameters, "Opening the ledger's row")

    def finish_run(self, run: Run, status: str, outcome: Outcome, error: str | None) -> None:
        parameters = {
            "run_id": ("STRING", run.run_id),
            "status": ("STRING", status),
            "rows_in": ("INT64", outcome.rows_in),
            "rows_published": ("INT64", outcome.rows_published),
            "rows_rejected": ("INT64", outcome.rows_rejected),
            "bytes_billed": ("INT64", outcome.bytes_billed),
            "error": ("STRING", error),
        }
        self._call(run, "finish_run", parameters, "Closing the ledger's row")

    def _call(self, run: Run, procedure: str, arguments: Mapping[str, Typed], what: str) -> None:
        """Calls a procedure of `ops` with its IN arguments, which stand in their order."""
        placeholders = ", ".join(f"@{name}" for name in arguments)
        statement = f"CALL {self._warehouse.quoted('ops', procedure)}({placeholders})"
        self._warehouse.run_step(run, procedure, statement, arguments, what)


def provide_leases(warehouse: Warehouse) -> None:
    """Gives each transfer of the config the row in which those who want its lease meet; for the end of a sync."""
    parameters: dict[str, Typed] = {"transfers": ("ARRAY<STRING>", list(warehouse.config.transfers))}
    statement = f"CALL {warehouse.quoted('ops', 'provide_leases')}(@transfers)"
    warehouse.query(statement, parameters, what="Providing the rows of ops.leases")


def _for_people(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
