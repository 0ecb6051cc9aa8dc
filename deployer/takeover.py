"""What a run does about the runs before it that ended without a word: their jobs may still be at work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from google.cloud import bigquery

from deployer.errors import DeployerError
from deployer.run import Run, Window
from deployer.run_jobs import RunJobs
from deployer.tmgetl import STEPS, Step
from deployer.warehouse import explained


@dataclass(frozen=True, slots=True)
class LeftRun:
    """A run that is not closed in the ledger though it no longer has the lease."""

    run_id: str
    window: Window
    write_mode: str

    def is_same(self, run: Run) -> bool:
        """Whether it was asked for what the run is asked for."""
        return (self.window, self.write_mode) == (run.window, run.write_mode)


class StillAtWork(DeployerError):
    def __init__(self, job_id: str, run_id: str) -> None:
        super().__init__(
            f"Job {job_id} of run {run_id}, which ended without a word, may still be at work. Nothing was started; "
            f"try again later, or end the job by hand: bq cancel {job_id}"
        )


def end_jobs(jobs: RunJobs, left: Sequence[LeftRun]) -> tuple[Step, bigquery.QueryJob] | None:
    """Leaves no job of theirs at work: those of a run that was asked for the same are waited for, others cancelled.

    Returns the cleanse or the publish that was waited for, if the run can go on from there. Raises StillAtWork.
    """
    inherited: tuple[Step, bigquery.QueryJob] | None = None
    for each in left:
        for step in STEPS:
            with explained(f"Looking for the jobs of run {each.run_id}"):
                at_work = [job for job in jobs.jobs.of(jobs.id_of(step, each.run_id)) if job.state != "DONE"]
            for job in at_work:
                if not jobs.jobs.is_over(job, cancel=not each.is_same(jobs.run)):
                    raise StillAtWork(str(job.job_id), each.run_id)
                if job.error_result is None:
                    inherited = (step, job)
    # After another run's job, or a cleanup, nobody knows what staging holds.
    is_sound = len(left) == 1 and left[0].is_same(jobs.run) and inherited is not None and inherited[0] != "cleanup"
    return inherited if is_sound else None
