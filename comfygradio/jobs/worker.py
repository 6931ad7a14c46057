"""Workers: threads that run jobs on one backend, one at a time, and the pool of all workers."""

from __future__ import annotations

import datetime
import logging
import secrets
import threading
import uuid
from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass, replace
from pathlib import Path

from comfygradio.clock import Clock
from comfygradio.comfy.cache_control import bust_cache, find_stale
from comfygradio.comfy.failures import make_job_lost
from comfygradio.comfy.limited_download import LimitedDownload
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.comfy.workflow import Prompt
from comfygradio.errors import (
    AccessDenied,
    ComfyGradioError,
    Detach,
    JobInterrupted,
    JobLost,
    NodeError,
    NotFound,
    PromptRejected,
    ServerUnreachable,
    UnexpectedResponse,
)
from comfygradio.jobs.backend import MAX_SUBMITTED, Backend
from comfygradio.jobs.job import Job, Phase
from comfygradio.jobs.job_event import (
    Accepted,
    Crashed,
    Ended,
    Event,
    FoundLost,
    LostWhileFollowed,
    Posted,
    Progressed,
    decide_end,
    transition,
)
from comfygradio.jobs.job_layout import FindLayout, open_layout
from comfygradio.jobs.job_store import JobStore
from comfygradio.jobs.limits import Limits
from comfygradio.jobs.naming import choose_result_place
from comfygradio.jobs.results import (
    Result,
    collect_again,
    collect_results,
    make_download,
)

MAX_LOSSES = 2
"""A job that was lost this often fails."""

FETCH_PAUSES = (0.2, 0.6, 1.2)
"""Seconds before each further attempt to fetch a result."""

RESUBMITTED = (
    "ComfyUI lost this job (it was restarted, or its queue was cleared); it is posted once more."
)
NOT_RESPONDING = "ComfyUI does not answer; waiting for it."
INTERNAL_ERROR = "Something went wrong in comfygradio itself; its log has the details."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerContext:
    """What workers see of the queue, and the calls that they may make to it. All are thread-safe.

    A job that was taken is either given back or finished, unless the queue was closed meanwhile.
    """

    store: JobStore
    outputs: Path
    pattern: str
    """How the results are named."""
    limits: Limits
    clock: Clock
    is_closed: Callable[[], bool]
    """Whether the queue was closed."""
    take: Callable[[Backend], Job | None]
    """Wait for the next job of a backend; None if there will be no more."""
    has_other: Callable[[Backend], bool]
    """Whether any other backend is healthy."""
    give_back: Callable[[Job, str], None]
    """Return a job that could not be run now, and say why."""
    finish: Callable[[Job], None]
    """Forget a job that is over."""
    find_layout: FindLayout
    """Find the layout of a job that was resumed: the job store keeps only its digest."""


@dataclass(frozen=True)
class Outcome:
    """How a prompt ended, before its results decide how the job does.

    `results` is None if they are still to be collected.
    """

    phase: Phase
    error: str = ""
    results: tuple[Result, ...] | None = None
    node_errors: tuple[NodeError, ...] = ()


class Worker(threading.Thread):
    """Runs jobs on a backend until the queue is closed."""

    def __init__(self, context: WorkerContext, backend: Backend) -> None:
        super().__init__(name=f"comfygradio-{backend.url}", daemon=True)
        self._context = context
        self._backend = backend
        self._clock = context.clock
        self._has_turn = False

    def run(self) -> None:
        """Take jobs in turn with the other workers of the backend, so that they are posted in their
        order.
        """
        while True:
            # The turn passes to the other worker once the server has the prompt; see `_note_state`.
            self._backend.submit_lock.acquire()
            self._has_turn = True
            try:
                job = self._context.take(self._backend)
                if job is None:
                    return
                self._run_safely(job)
            finally:
                self._yield_turn()

    def _run_safely(self, job: Job) -> None:
        """Run a job; an unexpected error fails this job, if it is not over, and leaves the worker
        alive.
        """
        try:
            self._run_job(job)
        except Exception:
            error = _log_error("job %s could not be brought to its end (%s)", job)
            self._crash(job, error)
            self._context.finish(job)

    def _crash(self, job: Job, error: str) -> None:
        """Fail a job because of an error of ours, unless it is over."""
        if not job.snapshot.is_over:
            try:
                self._apply(job, Crashed(error, self._clock.time()))
                return
            except ValueError:
                # Another worker, or a person, may have ended a job that was given back.
                if not job.snapshot.is_over:
                    raise
        # The end is written and holds; not every listener may have heard of it.
        job.notify()

    def _apply(self, job: Job, event: Event) -> None:
        transition(job, self._context.store, event)

    def _yield_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._backend.submit_lock.release()

    def _run_job(self, job: Job) -> None:
        """Run one job to its end, or return it to the queue."""
        began = self._clock.time()
        outcome = self._attempt(job)
        if outcome is not None:
            self._end(job, outcome, began)

    def _attempt(self, job: Job) -> Outcome | None:
        """Run one job. Returns None if it is not over: it was returned to the queue, or the app is
        closing and the next start follows it.
        """
        try:
            return self._complete(job)
        except Detach:
            return None
        except ServerUnreachable as failure:
            self._backend.fail(failure)
            self._context.give_back(job, NOT_RESPONDING)
            return None
        except JobLost as loss:
            if self._lose(job):
                return None
            return Outcome("failed", str(loss))
        except JobInterrupted:
            if job.stop_requested.is_set():
                return Outcome("stopped")
            return Outcome("stopped", "Somebody stopped this job on the server.")
        except PromptRejected as failure:
            return Outcome("failed", str(failure), node_errors=failure.node_errors)
        except ComfyGradioError as failure:
            return Outcome("failed", str(failure))
        except Exception:
            error = _log_error("job %s failed unexpectedly (%s)", job)
            return Outcome("failed", error)

    def _complete(self, job: Job) -> Outcome:
        """Run the prompt to its end and collect the results, if need be after a second run."""
        phase = self._follow(job)
        if phase != "done":
            return Outcome(phase)
        state = job.snapshot.state
        results = self._collect(job, state, partial=False)
        stale = _list_stale(state, results)
        if not stale:
            return Outcome("done", results=results)
        phase = self._rerun_uncached(job, stale)
        return Outcome(phase)

    def _follow(self, job: Job) -> Phase:
        """Submit the prompt, or locate it, and follow it to its end."""
        if job.stop_requested.is_set():
            if job.may_exist:
                self._cancel(job)
            return "stopped"
        self._check_answers(job)
        self._count_loss(job)
        may_exist = job.may_exist
        # Written before the prompt is posted: after a crash the job is first looked for there.
        self._apply(job, Posted(self._backend.url, self._clock.time()))
        states = self._backend.client.run(
            self._make_prompt(job),
            client_id=job.client_id,
            prompt_id=job.id,
            may_exist=may_exist,
            weights=self._weigh(job),
        )
        return self._watch(job, states)

    def _rerun_uncached(self, job: Job, stale: Collection[str]) -> Phase:
        """Run a job again whose cached output files no longer exist."""
        log.info("job %s runs once more: files that the server had kept are gone", job.id)
        states = self._backend.client.run(
            bust_cache(self._make_prompt(job), stale),
            client_id=uuid.uuid4().hex,
            # Under the old id the server would return the old results.
            prompt_id=str(uuid.uuid4()),
            weights=self._weigh(job),
        )
        return self._watch(job, states)

    def _weigh(self, job: Job) -> dict[str, float]:
        """Estimated seconds by node id, from earlier runs."""
        order = job.order
        times = self._context.store.read_times(order.preset)
        return times.estimate_all(order.prompt.graph)

    def _make_prompt(self, job: Job) -> Prompt:
        layout = open_layout(job, self._context.find_layout)
        prompt = replace(job.order.prompt, layout=layout)
        if not job.pinned_nodes:
            return prompt
        return replace(prompt, graph={**prompt.graph, **job.pinned_nodes})

    def _watch(self, job: Job, states: Generator[PromptProgress, None, None]) -> Phase:
        try:
            for state in states:
                self._note_state(job, state)
                if self._context.is_closed():
                    # Closing the generator would cancel the
                    # prompt; an error that is thrown in does not.
                    states.throw(Detach("The app ends; the job goes on at its server."))
                if job.stop_requested.is_set():
                    # Closing the generator cancels the prompt.
                    return "stopped"
        finally:
            states.close()
        return "done"

    def _cancel(self, job: Job) -> None:
        """Cancel a prompt that nobody follows, by the id that the server gave it.

        Raises ServerError.
        """
        seen = self._backend.client.sight(job.id)
        if seen.error:
            raise seen.error
        if seen.position is not None:
            self._backend.client.cancel(seen.prompt_id)

    def _count_loss(self, job: Job) -> None:
        """Count a loss if the server no longer has a prompt that it had accepted.

        Raises JobLost.
        """
        if not job.accepted:
            return
        seen = self._backend.client.sight(job.id)
        if not seen.absent:
            return
        if job.losses + 1 >= MAX_LOSSES:
            raise make_job_lost(self._backend.url, job.id)
        self._apply(job, FoundLost())

    def _check_answers(self, job: Job) -> None:
        """Check that the server responds before anything is submitted: until then another backend
        can still take the job at once.
        """
        if job.may_exist:
            return
        try:
            self._backend.client.queue_remaining()
        except (AccessDenied, UnexpectedResponse, NotFound) as error:
            # Without another backend, submitting the job shows this error to its owner.
            if self._context.has_other(self._backend):
                raise ServerUnreachable(str(error)) from error

    def _note_state(self, job: Job, state: PromptProgress) -> None:
        now = self._clock.time()
        # This comes first: only a job that runs can be accepted.
        self._apply(job, Progressed(state, now))
        if state.status == "uploading":
            return
        if not job.accepted:
            self._apply(job, Accepted(now))
        self._yield_turn()

    def _lose(self, job: Job) -> bool:
        """Return a lost job to the queue. False if it was lost too often."""
        self._apply(job, LostWhileFollowed())
        if job.losses >= MAX_LOSSES or job.stop_requested.is_set():
            return False
        self._context.give_back(job, RESUBMITTED)
        return True

    def _end(self, job: Job, outcome: Outcome, began: float) -> None:
        """Save the results if that is still to be done, and end the job."""
        results = outcome.results
        if results is None:
            is_partial = outcome.phase != "done"
            results = self._collect(job, job.snapshot.state, is_partial)
        if self._context.is_closed() and _may_come(results):
            return  # the next start follows the job again and collects them
        is_stopped = job.stop_requested.is_set()
        phase, error = decide_end(outcome.phase, outcome.error, results, is_stopped)
        end = Ended(
            phase,
            error,
            results,
            began,
            now=self._clock.time(),
            node_errors=outcome.node_errors,
        )
        self._apply(job, end)
        self._context.finish(job)

    def _collect(self, job: Job, state: PromptProgress | None, partial: bool) -> tuple[Result, ...]:
        """Download the results, with a few retries, always to the same place. Files that a killed
        app left there are deleted first.
        """
        order = job.order
        # The date of now would lead a later attempt to another place.
        created = datetime.datetime.fromtimestamp(job.created)
        place = choose_result_place(
            self._context.outputs,
            order.preset,
            order.values,
            self._context.pattern,
            created,
            job.token,
        )
        place.clear()
        delivery = self._make_delivery(job)
        results = collect_results(place, state, partial=partial, delivery=delivery)
        for pause in FETCH_PAUSES:
            if delivery.is_stopped() or not _may_come(results):
                break
            self._clock.sleep(pause)
            results = collect_again(results, self._backend.client, place, delivery)
        return results

    def _make_delivery(self, job: Job) -> LimitedDownload:
        """The download limits for a job's results. A stop during the download ends it at once.

        After an earlier stop, the results made so far are still downloaded.
        """
        was_stopped = job.stop_requested.is_set()

        def is_stopped() -> bool:
            is_new = job.stop_requested.is_set() and not was_stopped
            return self._context.is_closed() or is_new

        return make_download(self._context.limits, is_stopped, is_brief=was_stopped)


def _log_error(text: str, job: Job) -> str:
    """Log the current exception, and say for people where to look for it.

    `text` has room for the preset and for the mark that the log is searched for.
    """
    mark = secrets.token_hex(4)
    log.exception(text, job.order.preset, mark)
    return f"{INTERNAL_ERROR} Look there for {mark}."


def _may_come(results: Collection[Result]) -> bool:
    """Whether another attempt may fetch a result that is missing."""
    return any(result.can_be_collected for result in results)


def _list_stale(state: PromptProgress | None, results: Collection[Result]) -> frozenset[str]:
    """The cached nodes whose output files no longer exist."""
    cached = () if state is None else state.cached
    lacking = []
    for result in results:
        if result.is_absent and result.source is not None:
            lacking.append(result.source.node_id)
    return find_stale(cached, lacking)


class WorkerPool:
    """The workers of all backends.

    Not thread-safe, except for `join`: the queue that owns it holds a lock.
    """

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._clock = context.clock
        self._workers: list[Worker] = []
        self._staffed: set[Backend] = set()

    def make_workers(self, backends: Collection[Backend]) -> list[Worker]:
        """Make workers for new backends; the caller starts them. The workers of removed backends
        end by themselves.
        """
        fresh: list[Worker] = []
        for backend in backends:
            if backend in self._staffed:
                continue
            for _ in range(MAX_SUBMITTED):
                fresh.append(Worker(self._context, backend))
        # A worker without an ident has not been started yet.
        going = [worker for worker in self._workers if worker.ident is None or worker.is_alive()]
        self._workers = [*going, *fresh]
        self._staffed = set(backends)
        return fresh

    def join(self, timeout_seconds: float) -> None:
        """Wait until all workers have ended, or the timeout has passed.

        One that somebody else is about to start ends at once, as the queue is closed.
        """
        deadline = self._clock.monotonic() + timeout_seconds
        for worker in list(self._workers):
            if worker.ident is None:
                continue
            seconds_left = deadline - self._clock.monotonic()
            worker.join(max(0.0, seconds_left))
