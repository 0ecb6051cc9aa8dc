"""Leases and runs, kept by the procedures of dataset `ops`."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import datetime

from google.cloud import bigquery

from deployer.__version__ import __version__
from deployer.errors import DeployerError
from deployer.jobs import Typed
from deployer.retries import Patience
from deployer.run import Run, Window
from deployer.run_jobs import RunJobs
from deployer.takeover import LeftRun, end_jobs
from deployer.tmgetl import Holder, Outcome, Status, Step
from deployer.warehouse import Warehouse

PROCEDURES = ("begin_run", "end_run", "require_lease", "record_published_window")
RENEWALS = 3  # within the time of a lease: two may fail


class WarehouseLedger:
    """TMGETL's ledger in the warehouse that the run publishes to; a run's id is the name of its lease's holder."""

    def __init__(self, jobs: RunJobs) -> None:
        self._jobs = jobs
        self._warehouse = jobs.warehouse
        self._renewal: Renewal | None = None
        self.inherited: tuple[Step, bigquery.QueryJob] | None = None  # a job of a dead process that ended well

    def begin(self, run: Run) -> Holder | None:
        script = (
            "DECLARE acquired BOOL; DECLARE holder STRING; DECLARE since, until TIMESTAMP;\n"
            "DECLARE left_runs ARRAY<STRUCT<left_run STRING, left_start DATE, left_end DATE, left_mode STRING>>;\n"
            f"CALL {self._warehouse.quoted('ops', 'begin_run')}(@run_id, @transfer, @window_start, @window_end,"
            " @write_mode, @backfill_start, @backfill_end, @code_version, @seconds,"
            " acquired, holder, since, until, left_runs);\n"
            "SELECT acquired, holder, since, until, left_runs;"
        )
        parameters: dict[str, Typed] = {
            "run_id": ("STRING", run.run_id),
            "transfer": ("STRING", run.transfer),
            "window_start": ("DATE", run.window_start),
            "window_end": ("DATE", run.window_end),
            "write_mode": ("STRING", run.write_mode),
            "backfill_start": ("DATE", run.backfill and run.backfill.start),
            "backfill_end": ("DATE", run.backfill and run.backfill.end),
            "code_version": ("STRING", __version__),
            "seconds": ("INT64", self._warehouse.config.lease.seconds),
        }
        [row] = self._jobs.call("begin", script, parameters, "Taking the lease").rows
        if not row["acquired"]:
            return Holder(row["holder"], _for_people(row["since"]), _for_people(row["until"]))
        self._renewal = Renewal(self._warehouse, run)
        if row["left_runs"]:
            self._settle(
                run,
                [
                    LeftRun(each["left_run"], Window(each["left_start"], each["left_end"]), each["left_mode"])
                    for each in row["left_runs"]
                ],
            )
        return None

    def end(self, run: Run, status: Status, outcome: Outcome, error: str | None) -> Status:
        if self._renewal is not None:
            self._renewal.stop()
        if self._jobs.jobs.unsettled:
            raise DeployerError(
                f"{', '.join(sorted(self._jobs.jobs.unsettled))} may still be at work: the lease is kept until it "
                "expires, and the next run ends what is left."
            )
        parameters: dict[str, Typed] = {
            "run_id": ("STRING", run.run_id),
            "transfer": ("STRING", run.transfer),
            "status": ("STRING", status),
            "rows_in": ("INT64", outcome.rows_in),
            "rows_published": ("INT64", outcome.rows_published),
            "rows_rejected": ("INT64", outcome.rows_rejected),
            "bytes_billed": ("INT64", self._jobs.jobs.bytes_billed),
            "slot_milliseconds": ("INT64", self._jobs.jobs.slot_milliseconds),
            "attempts": ("INT64", self._jobs.attempts),
            "job_ids": ("ARRAY<STRING>", self._jobs.job_ids),
            "retried": ("ARRAY<STRING>", self._jobs.retried),
            "error": ("STRING", error),
        }
        arguments = ", ".join(f"@{name}" for name in parameters)
        procedure = self._warehouse.quoted("ops", "end_run")
        script = f"DECLARE status STRING;\nCALL {procedure}({arguments}, status);\nSELECT status;"
        [row] = self._jobs.call("end", script, parameters, "Closing the ledger's row").rows
        found: Status = row["status"]
        return found

    def _settle(self, run: Run, left: list[LeftRun]) -> None:
        self.inherited = end_jobs(self._jobs, left)
        statement = f"CALL {self._warehouse.quoted('ops', 'settle_runs')}(@transfer, @run_id)"
        parameters: dict[str, Typed] = {"transfer": ("STRING", run.transfer), "run_id": ("STRING", run.run_id)}
        self._jobs.call("settle", statement, parameters, "Closing the ledger's rows of runs that ended without a word")


class Renewal:
    """Renews a run's lease in the background, from its making until `stop`.

    It only prolongs: whether the run still has its lease is for the warehouse to say, at each step and in the
    transaction of the publish.
    """

    def __init__(self, warehouse: Warehouse, run: Run) -> None:
        self._warehouse = warehouse
        self._pause = warehouse.config.lease.seconds / RENEWALS
        self._parameters: dict[str, Typed] = {
            "transfer": ("STRING", run.transfer),
            "run_id": ("STRING", run.run_id),
            "seconds": ("INT64", warehouse.config.lease.seconds),
        }
        # One that fails for longer than the pause has its turn again anyway.
        retries = warehouse.config.retries.model_copy(update={"seconds": self._pause})
        self._jobs = RunJobs(warehouse, run, Patience(retries, warehouse.retried.append))
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _renew(self) -> None:
        statement = (
            f"DECLARE renewed BOOL; CALL {self._warehouse.quoted('ops', 'renew_lease')}"
            "(@transfer, @run_id, @seconds, renewed);"
        )
        number = 0
        while not self._stopped.wait(self._pause):
            number += 1
            with suppress(DeployerError):
                self._jobs.call(f"renew{number}", statement, self._parameters, "Renewing the lease")


def _for_people(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
