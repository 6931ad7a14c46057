"""What happens to a job: every change of its phase is an event, which is first written to the job
store and then published.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from comfygradio.comfy.node_times import measure_all
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.comfy.run import SLOW_CONNECTION
from comfygradio.errors import JobStoreError, JobStoreGone, NodeError
from comfygradio.jobs.job import FINAL_PHASES, Job, Phase, SubmissionRecord
from comfygradio.jobs.job_store import JobStore
from comfygradio.jobs.results import Result, describe_missing
from comfygradio.jobs.rows import JobRecord

log = logging.getLogger(__name__)


def transition(job: Job, store: JobStore, event: Event) -> None:
    """Apply an event to a job: change its row, then the job itself, and tell whoever watches it.

    Raises ValueError for an event that cannot happen in the job's phase, and JobStoreError if the
    row could not be written and the event must not go on without it.
    """
    phase = job.snapshot.phase
    if phase not in ALLOWED[type(event)]:
        raise ValueError(f"A job that is {phase} cannot be {type(event).__name__.lower()}.")
    columns = event.row_changes(job)
    if columns:
        try:
            store.change(job.id, **columns)
        except JobStoreError as failure:
            event = event.handle_failure(job, failure)
    # This precedes the snapshot, which may be derived from it: watchers are called with both new.
    job.submission = event.make_submission(job.submission)
    changes = event.snapshot_changes(job)
    if changes:
        job.update(**changes)


class Event:
    """Something that happens to a job. Most events say only a part of this."""

    def row_changes(self, job: Job) -> dict[str, Any]:
        """Return the columns of the job's row that change."""
        return {}

    def handle_failure(self, job: Job, failure: JobStoreError) -> Event:
        """Return the event to publish although its row could not be written. Raises `failure` if
        nothing may happen without the row.
        """
        raise failure

    def make_submission(self, before: SubmissionRecord) -> SubmissionRecord:
        """Return what is known about the prompt on its server from now on."""
        return before

    def snapshot_changes(self, job: Job) -> dict[str, Any]:
        """Return the fields of the snapshot that change; {} if there is nothing to publish."""
        return {}


class LenientEvent(Event):
    """An event that is published even if the store is full: the next start finds the job as it
    was before, and runs or follows it again.
    """

    def handle_failure(self, job: Job, failure: JobStoreError) -> Event:
        """Return this event: it is published without its row."""
        return self


@dataclass(frozen=True)
class Posted(Event):
    """A backend is about to get the prompt. This is written first: after a crash the job is looked
    for there. Watchers see the job wait until the server reports something about it.
    """

    backend_url: str
    now: float

    def row_changes(self, job: Job) -> dict[str, Any]:
        """Return where to look for the prompt."""
        return {
            "phase": "running",
            "server": self.backend_url,
            "posted": self.now,
            "client_id": job.client_id,
        }

    def make_submission(self, before: SubmissionRecord) -> SubmissionRecord:
        """Note that this backend may know the prompt from now on."""
        return replace(before, backend_url=self.backend_url, may_exist=True)


@dataclass(frozen=True)
class Progressed(Event):
    """The server said how far the prompt is."""

    state: PromptProgress
    now: float

    def make_submission(self, before: SubmissionRecord) -> SubmissionRecord:
        """Note since when the server runs the prompt, as far as this app has seen it."""
        since = before.running_since
        if self.state.status in ("uploading", "queued"):
            since = None
        elif since is None:
            since = self.now
        if since == before.running_since:
            return before
        return replace(before, running_since=since)

    def snapshot_changes(self, job: Job) -> dict[str, Any]:
        """Return the progress, and that the job runs."""
        since = job.running_since
        seconds = 0.0 if since is None else self.now - since
        return {
            "phase": "running",
            "ahead": 0,
            "reason": "",
            "state": self.state,
            "seconds": seconds,
        }


@dataclass(frozen=True)
class Accepted(LenientEvent):
    """The server has accepted the prompt: if it is missing later, it was lost."""

    now: float

    def row_changes(self, job: Job) -> dict[str, Any]:
        """Return when it was accepted; `Ended` overwrites this."""
        return {"started": self.now}

    def make_submission(self, before: SubmissionRecord) -> SubmissionRecord:
        """Note that the server has accepted the prompt."""
        return replace(before, accepted=True)


@dataclass(frozen=True)
class FoundLost(Event):
    """The server no longer has a prompt that it had accepted; it is about to be posted again."""

    def row_changes(self, job: Job) -> dict[str, Any]:
        """Return the new number of losses; the prompt is not accepted any more."""
        return {"attempts": job.losses + 1, "started": None}

    def make_submission(self, before: SubmissionRecord) -> SubmissionRecord:
        """Count the loss; the server may still turn out to have the prompt."""
        return replace(before, losses=before.losses + 1, accepted=False)


@dataclass(frozen=True)
class LostWhileFollowed(LenientEvent):
    """The server lost the prompt while it was followed."""

    def row_changes(self, job: Job) -> dict[str, Any]:
        """Return the new number of losses; the prompt is not accepted any more."""
        return {"attempts": job.losses + 1, "started": None}

    def make_submission(self, before: SubmissionRecord) -> SubmissionRecord:
        """Count the loss; no backend has the prompt now."""
        return replace(before, losses=before.losses + 1, accepted=False, may_exist=False)


@dataclass(frozen=True)
class Returned(LenientEvent):
    """A job that could not be run now waits again, for this reason."""

    reason: str

    def row_changes(self, job: Job) -> dict[str, Any]:
        """Return that the job waits."""
        return {"phase": "waiting"}

    def snapshot_changes(self, job: Job) -> dict[str, Any]:
        """Return that the job waits."""
        return {"phase": "waiting", "state": None, "reason": self.reason}


@dataclass(frozen=True)
class Stopped(LenientEvent):
    """A waiting job whose prompt is on no server was stopped."""

    now: float

    def row_changes(self, job: Job) -> dict[str, Any]:
        """Return that the job was stopped, and when."""
        return {"phase": "stopped", "ended": self.now}

    def snapshot_changes(self, job: Job) -> dict[str, Any]:
        """Return that the job was stopped, and no longer a reason to wait."""
        return {"phase": "stopped", "reason": ""}


@dataclass(frozen=True)
class Unstored(Event):
    """A new job could not be stored, so that it never begins. It has no row."""

    error: str

    def snapshot_changes(self, job: Job) -> dict[str, Any]:
        """Return that the job failed, and why."""
        return {"phase": "failed", "error": self.error}


@dataclass(frozen=True)
class Ended(Event):
    """A job came to its end, and its results are saved.

    `began` is when a worker picked the job up, whether or not a server accepted the prompt.
    """

    phase: Phase
    error: str
    results: tuple[Result, ...]
    began: float
    now: float
    node_errors: tuple[NodeError, ...] = ()

    def row_changes(self, job: Job) -> dict[str, Any]:
        """Return how the job ended, and how long its nodes took if it is done."""
        state = job.snapshot.state
        seconds: Mapping[str, float] = {}
        # The last node of a run that was cut short did not take its usual time.
        if state is not None and self.phase == "done":
            seconds = dict(state.node_seconds)
        return {
            "phase": self.phase,
            "error": self.error,
            "started": self.began,
            "ended": self.now,
            "node_seconds": seconds,
            "node_work": measure_all(job.order.prompt.graph, seconds),
            "results": self.results,
        }

    def handle_failure(self, job: Job, failure: JobStoreError) -> Event:
        """Return this event with the failure added to its error. The job failed if the whole store
        is gone.
        """
        if isinstance(failure, JobStoreGone):
            return replace(self, phase="failed", error=str(failure))
        log.error("the end of job %s could not be written down", job.id, exc_info=failure)
        error = f"{self.error} {failure}".strip()
        return replace(self, error=error)

    def snapshot_changes(self, job: Job) -> dict[str, Any]:
        """Return how the job ended, its results, and its progress without large data."""
        state = job.snapshot.state
        return {
            "phase": self.phase,
            "state": None if state is None else _drop_large_parts(state),
            "error": self.error,
            "node_errors": self.node_errors,
            "reason": "",
            "results": self.results,
            "seconds": self.now - self.began,
        }


@dataclass(frozen=True)
class Crashed(LenientEvent):
    """An unexpected error of ours kept a job from its end."""

    error: str
    now: float

    def row_changes(self, job: Job) -> dict[str, Any]:
        """Return that the job failed, and why."""
        return {"phase": "failed", "error": self.error, "ended": self.now}

    def snapshot_changes(self, job: Job) -> dict[str, Any]:
        """Return that the job failed, and why."""
        return {"phase": "failed", "error": self.error, "reason": ""}


@dataclass(frozen=True)
class Fetched(Event):
    """Results that were missing were fetched later. With `is_mended`, that was all that was wrong
    with the job, and it is done.
    """

    results: tuple[Result, ...]
    is_mended: bool

    def row_changes(self, job: Job) -> dict[str, Any]:
        """Return the results, and that the job is done if it is mended."""
        if not self.is_mended:
            return {"results": self.results}
        return {"results": self.results, "phase": "done", "error": ""}

    def snapshot_changes(self, job: Job) -> dict[str, Any]:
        """Return the same as `row_changes`."""
        return self.row_changes(job)


OPEN: tuple[Phase, ...] = ("waiting", "running")

ALLOWED: Mapping[type[Event], tuple[Phase, ...]] = {
    Posted: OPEN,
    Progressed: OPEN,
    Accepted: ("running",),
    FoundLost: OPEN,
    LostWhileFollowed: OPEN,
    Returned: OPEN,
    Stopped: OPEN,
    Unstored: ("waiting",),
    Ended: OPEN,
    Crashed: OPEN,
    Fetched: FINAL_PHASES,
}
"""The phases in which an event can happen."""


def decide_end(
    phase: Phase, error: str, results: tuple[Result, ...], is_stopped: bool
) -> tuple[Phase, str]:
    """Decide how a job ends whose run ended in `phase`, and its error.

    It is done only if its results are here; files that the server itself no longer has do not
    count.
    """
    problems = [result.problem for result in results if result.problem]
    if phase != "done" or not problems:
        return phase, error
    if is_stopped:
        # The stop came while the results were downloaded, and ended that.
        return "stopped", error
    lack = describe_missing(results)
    if lack:
        return "done", lack
    return "failed", f"The result was made, but could not be fetched: {problems[0]}"


def make_fetched(record: JobRecord, results: tuple[Result, ...]) -> Fetched:
    """Make the event of a job whose results were fetched again: it is done now if all of them are
    here and its error was about them.
    """
    is_complete = not any(result.problem for result in results)
    was_reported = False
    for before in record.results:
        if before.problem and before.problem in record.error:
            was_reported = True
    is_mended = is_complete and was_reported
    return Fetched(results, is_mended)


def _drop_large_parts(state: PromptProgress) -> PromptProgress:
    """Copy the progress of a finished job without large data and outdated warnings."""
    lasting = [warning for warning in state.warnings if warning != SLOW_CONNECTION]
    return replace(
        state,
        preview=None,
        outputs=(),
        text="",
        warnings=tuple(lasting),
    )
