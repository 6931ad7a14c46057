"""Events of jobs: each is written first and then published, and only where it can happen."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import comfygradio
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.errors import JobStoreGone
from comfygradio.jobs.job import Job, SubmissionRecord
from comfygradio.jobs.job_event import (
    ALLOWED,
    Accepted,
    Crashed,
    Ended,
    Event,
    Fetched,
    FoundLost,
    LostWhileFollowed,
    Posted,
    Progressed,
    Returned,
    Stopped,
    Unstored,
    decide_end,
    make_fetched,
    transition,
)
from comfygradio.jobs.job_store import JobStore, find_job_store
from comfygradio.jobs.results import Result
from comfygradio.jobs.rows import make_job, make_record
from tests.jobs.lines import draw

HERE = "http://127.0.0.1:8188"
RUNNING = PromptProgress("an-id", "running")
LENIENT = [Accepted(3.0), LostWhileFollowed(), Returned("Why."), Stopped(4.0), Crashed("Why.", 4.0)]
STRICT = [Posted(HERE, 2.0), FoundLost(), Fetched((), True)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    """An empty job store."""
    with closing(JobStore.open(tmp_path / "outputs")) as store:
        yield store


def add_job(store: JobStore, *events: Event) -> Job:
    """A stored job to which this happened."""
    job = Job(draw(1))
    store.add(make_record(job))
    for event in events:
        transition(job, store, event)
    return job


def prepare_for(store: JobStore, event: Event) -> Job:
    """A job to which an event can happen."""
    phases = ALLOWED[type(event)]
    if "waiting" in phases:
        return add_job(store)
    if "running" in phases:
        return add_job(store, Posted(HERE, 2.0), Progressed(RUNNING, 3.0))
    return add_job(store, Stopped(1.0))


def test_a_job_goes_through_its_life_in_the_row_and_in_memory(store: JobStore) -> None:
    job = add_job(store, Posted(HERE, 2.0))
    record = store.get(job.id)
    assert record and (record.phase, record.server, record.posted) == ("running", HERE, 2.0)
    assert job.snapshot.phase == "waiting" and job.submission == SubmissionRecord(
        HERE, may_exist=True
    )

    transition(job, store, Progressed(RUNNING, 3.0))
    transition(job, store, Accepted(3.0))
    transition(job, store, Progressed(RUNNING, 5.0))
    record = store.get(job.id)
    assert record and record.started == 3.0 and job.accepted and job.running_since == 3.0
    assert (job.snapshot.phase, job.snapshot.seconds) == ("running", 2.0)

    transition(job, store, LostWhileFollowed())
    transition(job, store, Returned("Lost."))
    record = store.get(job.id)
    assert record and (record.phase, record.attempts, record.started) == ("waiting", 1, None)
    assert (job.losses, job.may_exist, job.accepted) == (1, False, False)
    assert (job.snapshot.phase, job.snapshot.reason) == ("waiting", "Lost.")

    transition(job, store, Ended("done", "", (), began=2.0, now=9.0))
    record = store.get(job.id)
    assert record and (record.phase, record.started, record.ended) == ("done", 2.0, 9.0)
    assert (job.snapshot.phase, job.snapshot.seconds, job.snapshot.reason) == ("done", 7.0, "")


def test_a_missed_prompt_may_still_exist(store: JobStore) -> None:
    job = add_job(store, Posted(HERE, 2.0), Returned("Away."))
    transition(job, store, FoundLost())
    assert job.submission == SubmissionRecord(HERE, may_exist=True, losses=1)
    record = store.get(job.id)
    assert record and record.attempts == 1


def test_a_row_gives_the_submission_back(store: JobStore) -> None:
    job = add_job(store, Posted(HERE, 2.0), Progressed(RUNNING, 3.0), Accepted(3.0))
    record = store.get(job.id)
    assert record is not None
    again = make_job(record)
    assert again.submission == SubmissionRecord(HERE, may_exist=True, accepted=True)
    assert again.snapshot.phase == "waiting", "until its backend is asked about it"


@pytest.mark.parametrize("event", [*STRICT, *LENIENT, Ended("done", "", (), 1.0, 2.0)])
def test_the_row_is_written_before_anybody_hears(event: Event, store: JobStore) -> None:
    job = prepare_for(store, event)
    rows = []
    job.listen(lambda: rows.append(store.get(job.id)))
    transition(job, store, event)
    for record in rows:
        assert record is not None
        assert [record.phase, record.error] == [job.snapshot.phase, job.snapshot.error]


@pytest.mark.parametrize("event", LENIENT)
def test_some_things_happen_without_a_store(event: Event, store: JobStore) -> None:
    job = prepare_for(store, event)
    find_job_store(store.outputs).unlink()
    before = (job.snapshot, job.submission)
    transition(job, store, event)
    assert (job.snapshot, job.submission) != before


@pytest.mark.parametrize("event", STRICT)
def test_others_do_not(event: Event, store: JobStore) -> None:
    job = prepare_for(store, event)
    find_job_store(store.outputs).unlink()
    before = (job.snapshot, job.submission)
    with pytest.raises(JobStoreGone):
        transition(job, store, event)
    assert (job.snapshot, job.submission) == before


def test_an_end_that_cannot_be_written_says_so(store: JobStore) -> None:
    result = Result("text", text="made")
    job = add_job(store)
    with store.read() as connection:
        connection.execute("PRAGMA query_only = ON")
    transition(job, store, Ended("done", "One is missing.", (result,), 1.0, 2.0))
    assert job.snapshot.phase == "done" and job.snapshot.results == (result,)
    assert job.snapshot.error.startswith("One is missing. ")


def test_an_end_without_a_store_is_a_failure(store: JobStore) -> None:
    job = add_job(store)
    find_job_store(store.outputs).unlink()
    transition(job, store, Ended("done", "", (), 1.0, 2.0))
    assert job.snapshot.phase == "failed" and "deleted or moved" in job.snapshot.error


def test_a_job_that_cannot_be_stored_has_no_row(store: JobStore) -> None:
    job = Job(draw(1))
    transition(job, store, Unstored("The disk is full."))
    assert (job.snapshot.phase, job.snapshot.error) == ("failed", "The disk is full.")
    assert store.get(job.id) is None


@pytest.mark.parametrize(
    "event",
    [
        Posted(HERE, 2.0),
        Progressed(RUNNING, 2.0),
        Accepted(2.0),
        Returned(""),
        Stopped(2.0),
        FoundLost(),
        LostWhileFollowed(),
        Ended("done", "", (), 1.0, 2.0),
        Crashed("Why.", 2.0),
    ],
)
def test_what_is_over_stays_over(event: Event, store: JobStore) -> None:
    job = add_job(store, Stopped(1.0))
    with pytest.raises(ValueError, match="A job that is stopped cannot be"):
        transition(job, store, event)
    record = store.get(job.id)
    assert record and record.phase == job.snapshot.phase == "stopped"


@pytest.mark.parametrize("events", [[], [Posted(HERE, 2.0), Progressed(RUNNING, 3.0)]])
def test_nothing_is_fetched_again_for_a_job_that_is_not_over(
    events: list[Event], store: JobStore
) -> None:
    job = add_job(store, *events)
    before = store.get(job.id)
    with pytest.raises(ValueError, match=r"A job that is (waiting|running) cannot be fetched"):
        transition(job, store, Fetched((HAD,), True))
    assert store.get(job.id) == before and job.snapshot.results == ()


def test_a_job_in_line_that_was_shown_as_running_can_be_stopped(store: JobStore) -> None:
    """Whatever people saw of a job in line, Stop is a decision that holds."""
    job = add_job(store, Progressed(RUNNING, 3.0))
    transition(job, store, Stopped(4.0))
    record = store.get(job.id)
    assert record and record.phase == job.snapshot.phase == "stopped"


HAD = Result("image", text="here")
ABSENT = Result("image", problem="It has no a.png.", is_absent=True)
UNREACHED = Result("image", problem="It did not answer.")


@pytest.mark.parametrize(
    "results, is_stopped, expected",
    [
        ((HAD,), False, ("done", "")),
        ((HAD, ABSENT), False, ("done", "It has no a.png.")),
        ((HAD, UNREACHED), True, ("stopped", "")),
        (
            (HAD, UNREACHED),
            False,
            ("failed", "The result was made, but could not be fetched: It did not answer."),
        ),
    ],
)
def test_a_job_is_done_if_its_results_are_here(
    results: tuple[Result, ...], is_stopped: bool, expected: tuple[str, str]
) -> None:
    assert decide_end("done", "", results, is_stopped) == expected
    assert decide_end("failed", "Why.", results, is_stopped) == ("failed", "Why.")


@pytest.mark.parametrize(
    "error, fetched, is_mended",
    [
        ("It could not be fetched: It did not answer.", HAD, True),
        ("It could not be fetched: It did not answer.", UNREACHED, False),
        ("The node failed.", HAD, False),
    ],
)
def test_what_was_fetched_later_mends_only_that(
    error: str, fetched: Result, is_mended: bool, store: JobStore
) -> None:
    job = add_job(store, Ended("failed", error, (UNREACHED,), 1.0, 2.0))
    record = store.get(job.id)
    assert record is not None
    transition(job, store, make_fetched(record, (fetched,)))
    record = store.get(job.id)
    expected = ("done", "") if is_mended else ("failed", error)
    assert record and (record.phase, record.error) == expected
    assert (job.snapshot.phase, job.snapshot.error, job.snapshot.results) == (*expected, (fetched,))


def test_only_an_event_changes_a_status() -> None:
    """Notes about a job, its place in the queue, and the trash are no status."""
    root = Path(comfygradio.__file__).parent
    notes = ({"reason"}, {"ahead"}, {"layout_notes"})
    writers = set()
    for path in [*root.rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            named = {keyword.arg for keyword in node.keywords}
            is_job = isinstance(node.func.value, ast.Name) and node.func.value.id == "job"
            changes_row = node.func.attr == "change" and "store" in ast.unparse(node.func.value)
            writes_row = changes_row and named != {"deleted"}
            publishes = node.func.attr == "update" and is_job and named not in notes
            if writes_row or publishes:
                writers.add(path.relative_to(root).as_posix())
    assert writers == {"jobs/job_event.py", "jobs/rows.py"}
