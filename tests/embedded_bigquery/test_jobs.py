import pytest

from embedded_bigquery import jobs
from embedded_bigquery.errors import Duplicate, InvalidQuery, InvalidValue, NotFound, Stopped
from embedded_bigquery.jobs import EngineFailure, Job, Jobs, Result
from embedded_bigquery.rows import MemoryRows
from embedded_bigquery.types import INT64, Field


def rows(count: int) -> MemoryRows:
    return MemoryRows((Field("x", INT64),), [(number,) for number in range(count)])


def done(known: Jobs, id: str, result: Result) -> Job:
    job = known.submit("p", id, {"jobType": "QUERY"}, lambda _: result)
    assert job.wait(10)
    return job


def kept(job: Job) -> int:
    assert job.result is not None and job.result.rows is not None
    return job.result.rows.kept


def test_a_job_ends_with_its_result_or_its_error() -> None:
    known = Jobs("EU")
    result = Result({"query": {}})
    assert done(known, "a", result).result is result

    def fails(_: Job) -> Result:
        raise InvalidQuery("wrong", at=(1, 2))

    job = known.submit("p", "b", {}, fails)
    assert job.wait(10) and job.state == "DONE"
    assert job.error is not None and job.error.message == "wrong at [1:2]"
    assert str(job) == "p:EU.b"


def test_an_unexpected_exception_is_a_failure_of_the_engine() -> None:
    def fails(_: Job) -> Result:
        raise KeyError("x")

    job = Jobs("EU").submit("p", None, {}, fails)
    assert job.wait(10) and isinstance(job.error, EngineFailure)
    assert "KeyError: 'x'" in job.error.message


def test_an_id_is_used_once_in_a_project() -> None:
    known = Jobs("EU")
    done(known, "a", Result())
    with pytest.raises(Duplicate, match=r"Already Exists: Job p:EU\.a"):
        known.submit("p", "a", {}, lambda _: Result())
    known.submit("q", "a", {}, lambda _: Result())
    with pytest.raises(InvalidValue):
        known.submit("p", "a/b", {}, lambda _: Result())


def test_a_dry_run_is_not_remembered() -> None:
    known = Jobs("EU")
    for _ in range(2):
        known.submit("p", "a", {"dryRun": True}, lambda _: Result())
    with pytest.raises(NotFound, match=r"Not found: Job p:EU\.a"):
        known.get("p", "a")


def test_a_job_that_is_cancelled_before_it_can_be_stopped_stops_at_once() -> None:
    job = Job("p", "a", "EU", {})
    job.cancel()
    with pytest.raises(Stopped):
        job.stoppable(lambda: None)


def test_a_running_job_is_stopped_and_nothing_is_stopped_after_it() -> None:
    job, stopped = Job("p", "a", "EU", {}), []
    job.stoppable(lambda: stopped.append(1))
    job.cancel()
    job.stoppable(None)
    job.cancel()
    assert stopped == [1]


def test_the_oldest_rows_are_dropped_when_there_are_too_many_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "KEPT_RESULTS", 2)
    known = Jobs("EU")
    first, second, third = (done(known, id, Result({}, rows(3))) for id in "abc")
    assert (kept(first), kept(second), kept(third)) == (0, 3, 3)
    assert first.result is not None and first.result.rows is not None
    assert first.result.rows.count() == 3
    with pytest.raises(NotFound, match="Run the query again"):
        first.result.rows.page(0, 1)


def test_the_oldest_rows_are_dropped_when_there_are_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "KEPT_ROWS", 5)
    known = Jobs("EU")
    first, second = done(known, "a", Result({}, rows(3))), done(known, "b", Result({}, rows(9)))
    assert (kept(first), kept(second)) == (0, 9)


def test_the_oldest_jobs_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "KEPT_JOBS", 2)
    known = Jobs("EU")
    for id in "abc":
        done(known, id, Result())
    assert [job.id for job in known.latest("p")] == ["c", "b"]


def test_children_are_listed_with_their_parent_alone_and_go_with_it() -> None:
    known = Jobs("EU")
    parent = done(known, "a", Result())
    for _ in range(2):
        known.finish_child(known.add_child(parent), Result(), None)
    assert [job.id for job in known.latest("p")] == ["a"]
    assert [job.id.rsplit("_", 1)[1] for job in known.latest("p", "a")] == ["1", "0"]
    known.delete("p", "a")
    assert known.latest("p", "a") == known.latest("p") == []
