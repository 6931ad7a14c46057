"""Workers: threads that run one job after the other on one server, and the crew of all of them."""

from __future__ import annotations

import datetime
import logging
import secrets
import threading
import uuid
from collections.abc import Collection, Generator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from comfygradio.clock import Clock
from comfygradio.comfy.cache_busting import bust_cache, find_stale
from comfygradio.comfy.failures import make_job_lost
from comfygradio.comfy.limited_download import LimitedDownload
from comfygradio.comfy.node_times import measure_all
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.comfy.run import SLOW_CONNECTION
from comfygradio.comfy.workflow import Prompt
from comfygradio.errors import (
    AccessDenied,
    ComfyGradioError,
    JobInterrupted,
    JobLost,
    JobStoreError,
    JobStoreGone,
    NotFound,
    PromptRejected,
    ServerUnreachable,
    UnexpectedResponse,
)
from comfygradio.jobs.backend import MAX_SUBMITTED, Backend
from comfygradio.jobs.job import Job, Phase
from comfygradio.jobs.job_store import JobStore
from comfygradio.jobs.limits import Limits
from comfygradio.jobs.naming import choose_result_place
from comfygradio.jobs.results import (
    Result,
    collect_again,
    collect_results,
    describe_missing,
    make_download,
)

LOSSES = 2
"""How often servers may lose a job until it is given up."""

FETCH_PAUSES = (0.2, 0.6, 1.2)
"""Seconds before each further attempt to fetch a result."""

AGAIN = (
    "ComfyUI lost this job (it was restarted, or its queue was cleared); it is posted once more."
)
GONE = "ComfyUI does not answer; waiting for it."
BUG = "Something went wrong in comfygradio itself; its log has the details."

log = logging.getLogger(__name__)


class WorkerQueue(Protocol):
    """What workers need of the queue."""

    ledger: JobStore
    outputs: Path
    pattern: str
    clock: Clock
    limits: Limits

    @property
    def is_closed(self) -> bool:
        """Whether jobs are let go."""
        ...

    def take(self, lane: Backend) -> Job | None:
        """The next job, waited for."""
        ...

    def has_other(self, lane: Backend) -> bool:
        """Whether another backend is well."""
        ...

    def give_back(self, job: Job, reason: str) -> None:
        """A job could not be run now."""
        ...

    def finish(self, job: Job) -> None:
        """A job is over."""
        ...


class Detach(ComfyGradioError):
    """The app ends while a job runs.

    Thrown into a run, it makes it let go of its prompt without cancelling it.
    """


class Worker(threading.Thread):
    """Runs jobs on a backend until the queue is closed."""

    def __init__(self, desk: WorkerQueue, lane: Backend) -> None:
        super().__init__(name=f"comfygradio-{lane.url}", daemon=True)
        self._desk = desk
        self._lane = lane
        self._clock = desk.clock
        self._has_turn = False

    def run(self) -> None:
        """Take jobs in turn with the other workers of the backend, so that they are posted in their
        order.
        """
        while True:
            self._lane.turn.acquire()
            self._has_turn = True
            try:
                job = self._desk.take(self._lane)
                if job is None:
                    return
                self._run_safely(job)
            finally:
                self._yield_turn()

    def _run_safely(self, job: Job) -> None:
        """Whatever a job does, the next one gets its turn."""
        try:
            self._run_job(job)
        except Exception:
            mark = secrets.token_hex(4)
            log.exception("job %s could not be brought to its end (%s)", job.order.preset, mark)
            error = f"{BUG} Look there for {mark}."
            with suppress(JobStoreError):
                self._desk.ledger.change(
                    job.id, phase="failed", error=error, ended=self._clock.time()
                )
            job.update(phase="failed", error=error, reason="")
            self._desk.finish(job)

    def _yield_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._lane.turn.release()

    def _run_job(self, job: Job) -> None:
        """One job from its posting to its end, or back into the line."""
        began = self._clock.time()
        phase: Phase = "done"
        error = ""
        results: tuple[Result, ...] | None = None
        try:
            phase = self._follow(job)
            if phase == "done":
                results = self._collect(job, job.snapshot.state, partial=False)
                stale = _list_stale(job.snapshot.state, results)
                if stale:
                    results = None
                    phase = self._renew(job, stale)
        except Detach:
            return
        except ServerUnreachable as failure:
            self._lane.fail(failure)
            self._desk.give_back(job, GONE)
            return
        except JobLost as loss:
            if self._lose(job):
                return
            phase = "failed"
            error = str(loss)
        except JobInterrupted:
            phase = "stopped"
            if not job.stop_requested.is_set():
                error = "Somebody stopped this job on the server."
        except ComfyGradioError as failure:
            phase = "failed"
            error = str(failure)
            refused = failure.node_errors if isinstance(failure, PromptRejected) else ()
            job.update(node_errors=refused)
        except Exception:
            mark = secrets.token_hex(4)
            log.exception("job %s failed unexpectedly (%s)", job.order.preset, mark)
            phase = "failed"
            error = f"{BUG} Look there for {mark}."
        self._end(job, phase, error, began, results)

    def _follow(self, job: Job) -> Phase:
        """Post the prompt, or find it where it is, and follow it to its end."""
        if job.stop_requested.is_set():
            if job.may_exist:
                self._cancel(job)
            return "stopped"
        self._check_answers(job)
        self._count_loss(job)
        self._note_start(job)
        states = self._lane.client.run(
            self._make_prompt(job),
            client_id=job.client_id,
            prompt_id=job.id,
            may_exist=job.may_exist,
            weights=self._weigh(job),
        )
        job.may_exist = True
        return self._watch(job, states)

    def _renew(self, job: Job, stale: Collection[str]) -> Phase:
        """Run a job once more of which the server told files that are gone. It has another id then:
        under its own the server has it as it was.
        """
        log.info("job %s runs once more: files that the server had kept are gone", job.id)
        states = self._lane.client.run(
            bust_cache(self._make_prompt(job), stale),
            client_id=uuid.uuid4().hex,
            prompt_id=str(uuid.uuid4()),
            weights=self._weigh(job),
        )
        return self._watch(job, states)

    def _weigh(self, job: Job) -> dict[str, float]:
        """Node id → seconds by earlier runs."""
        times = self._desk.ledger.read_times(job.order.preset)
        return times.estimate_all(job.order.prompt.graph)

    def _make_prompt(self, job: Job) -> Prompt:
        prompt = job.order.prompt
        if not job.carried:
            return prompt
        return replace(prompt, graph={**prompt.graph, **job.carried})

    def _watch(self, job: Job, states: Generator[PromptProgress, None, None]) -> Phase:
        try:
            for state in states:
                self._note_state(job, state)
                if self._desk.is_closed:
                    states.throw(Detach("The app ends; the job goes on at its server."))
                if job.stop_requested.is_set():
                    return "stopped"
        finally:
            states.close()
        return "done"

    def _cancel(self, job: Job) -> None:
        """Stop a prompt that nobody follows, by the id that the server gave it.

        Raises ServerError.
        """
        seen = self._lane.client.sight(job.id)
        if seen.error:
            raise seen.error
        if seen.position is not None:
            self._lane.client.cancel(seen.prompt_id)

    def _count_loss(self, job: Job) -> None:
        """A prompt that a server had and has no more is posted again only so often.

        Raises JobLost.
        """
        if not job.accepted:
            return
        seen = self._lane.client.sight(job.id)
        if not seen.absent:
            return
        if job.attempts + 1 >= LOSSES:
            raise make_job_lost(self._lane.url, job.id)
        job.attempts += 1
        job.accepted = False
        self._desk.ledger.change(job.id, attempts=job.attempts, started=None)

    def _check_answers(self, job: Job) -> None:
        """A server that is not there cannot have a prompt; noticed now, another one may take the
        job at once.

        One that answers wrongly (a login page, say) says so to whoever asked, unless others are
        there.
        """
        if job.may_exist:
            return
        try:
            self._lane.client.queue_remaining()
        except (AccessDenied, UnexpectedResponse, NotFound) as error:
            if self._desk.has_other(self._lane):
                raise ServerUnreachable(str(error)) from error

    def _note_start(self, job: Job) -> None:
        """Written before anything is posted: after a crash the job looks here for its
        prompt first.
        """
        job.home = self._lane.url
        now = self._clock.time()
        self._desk.ledger.change(
            job.id, phase="running", server=job.home, posted=now, client_id=job.client_id
        )

    def _note_state(self, job: Job, state: PromptProgress) -> None:
        seconds = self._measure(job, state)
        job.update(phase="running", ahead=0, reason="", state=state, seconds=seconds)
        if state.status != "uploading":
            self._note_accepted(job)
            self._yield_turn()

    def _measure(self, job: Job, state: PromptProgress) -> float:
        """How many seconds the server has run a job so far, as far as this app was there."""
        if state.status in ("uploading", "queued"):
            job.running_since = None
            return 0.0
        now = self._clock.time()
        if job.running_since is None:
            job.running_since = now
        return now - job.running_since

    def _note_accepted(self, job: Job) -> None:
        """Written down once: a start that does not find the prompt knows then that it was lost."""
        if job.accepted:
            return
        job.accepted = True
        with suppress(JobStoreError):
            self._desk.ledger.change(job.id, started=self._clock.time())

    def _lose(self, job: Job) -> bool:
        """A server has lost the job: back into the line, unless that happened too often."""
        job.attempts += 1
        job.may_exist = False
        job.accepted = False
        with suppress(JobStoreError):
            self._desk.ledger.change(job.id, attempts=job.attempts, started=None)
        if job.attempts >= LOSSES or job.stop_requested.is_set():
            return False
        self._desk.give_back(job, AGAIN)
        return True

    def _end(
        self,
        job: Job,
        phase: Phase,
        error: str,
        began: float,
        results: tuple[Result, ...] | None = None,
    ) -> None:
        """Save what was made, unless that was done, write the end down, and tell everybody."""
        state = job.snapshot.state
        if results is None:
            results = self._collect(job, state, partial=phase != "done")
        if self._desk.is_closed and any(result.can_be_collected for result in results):
            return
        problem = next((result.problem for result in results if result.problem), "")
        if phase == "done" and problem:
            lack = describe_missing(results)
            if job.stop_requested.is_set():
                phase = "stopped"
            elif lack:
                error = lack
            else:
                phase = "failed"
                error = f"The result was made, but could not be fetched: {problem}"
        ended = self._clock.time()
        seconds = dict(state.node_seconds) if state and phase == "done" else {}
        ends = {
            "error": error,
            "started": began,
            "ended": ended,
            "node_seconds": seconds,
            "node_work": measure_all(job.order.prompt.graph, seconds),
            "results": results,
        }
        try:
            self._desk.ledger.change(job.id, phase=phase, **ends)
        except JobStoreGone as failure:
            phase = "failed"
            error = str(failure)
        except JobStoreError as failure:
            log.exception("the end of job %s could not be written down", job.id)
            error = f"{error} {failure}".strip()
        light = _drop_large_parts(state) if state else None
        job.update(
            phase=phase, state=light, error=error, reason="", results=results, seconds=ended - began
        )
        self._desk.finish(job)

    def _collect(self, job: Job, state: PromptProgress | None, partial: bool) -> tuple[Result, ...]:
        """Download what was made, with some patience, always to the same place; what a killed app
        left there goes.
        """
        order = job.order
        created = datetime.datetime.fromtimestamp(job.created)
        place = choose_result_place(
            self._desk.outputs, order.preset, order.values, self._desk.pattern, created, job.token
        )
        place.clear()
        delivery = self._make_delivery(job)
        results = collect_results(place, state, partial=partial, delivery=delivery)
        for pause in FETCH_PAUSES:
            may_come = any(result.can_be_collected for result in results)
            if delivery.is_stopped() or not may_come:
                break
            self._clock.sleep(pause)
            results = collect_again(results, self._lane.client, place, delivery)
        return results

    def _make_delivery(self, job: Job) -> LimitedDownload:
        """The terms of a job's results; a stop that comes while they are fetched counts at once.

        What was made until an earlier stop is fetched all the same.
        """
        was_stopped = job.stop_requested.is_set()

        def is_stopped() -> bool:
            is_new = job.stop_requested.is_set() and not was_stopped
            return self._desk.is_closed or is_new

        return make_download(self._desk.limits, is_stopped, is_brief=was_stopped)


def _list_stale(state: PromptProgress | None, results: Collection[Result]) -> frozenset[str]:
    """The nodes whose files are gone, while the server told them because it had kept them."""
    cached = () if state is None else state.cached
    lacking = []
    for result in results:
        if result.is_absent and result.source is not None:
            lacking.append(result.source.node_id)
    return find_stale(cached, lacking)


def _drop_large_parts(state: PromptProgress) -> PromptProgress:
    """What stays of a state once its job is over: nothing large, nothing that is no longer so."""
    lasting = tuple(warning for warning in state.warnings if warning != SLOW_CONNECTION)
    return replace(state, preview=None, outputs=(), text="", warnings=lasting)


class WorkerPool:
    """The workers of all backends.

    Not thread-safe, but for `join`: the queue that owns it holds a lock.
    """

    def __init__(self, desk: WorkerQueue) -> None:
        self._desk = desk
        self._clock = desk.clock
        self._workers: list[Worker] = []
        self._staffed: set[Backend] = set()

    def start_workers(self, lanes: Collection[Backend]) -> list[Worker]:
        """Workers, to be started, for backends that have none yet; those of backends that are gone
        end by themselves.
        """
        fresh: list[Worker] = []
        for lane in lanes:
            if lane not in self._staffed:
                fresh += [Worker(self._desk, lane) for _ in range(MAX_SUBMITTED)]
        # One without an ident is still to be started.
        going = [one for one in self._workers if one.ident is None or one.is_alive()]
        self._workers = [*going, *fresh]
        self._staffed = set(lanes)
        return fresh

    def join(self, timeout_seconds: float) -> None:
        """Wait for the workers' ends, for so long at most."""
        deadline = self._clock.monotonic() + timeout_seconds
        for worker in list(self._workers):
            left = deadline - self._clock.monotonic()
            worker.join(max(0.0, left))
