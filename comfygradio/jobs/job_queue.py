"""The job queue in front of ComfyUI's own: many people, several backends, and no job is lost."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import JobStoreError, LimitReached
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.fair_queue import FairQueue
from comfygradio.jobs.job import Job, Order
from comfygradio.jobs.job_event import Returned, Stopped, Unstored, transition
from comfygradio.jobs.job_layout import FindLayout, find_no_layout
from comfygradio.jobs.job_source import JobSource, JobSourceQueue
from comfygradio.jobs.job_store import JobStore
from comfygradio.jobs.kept_input import keep_inputs
from comfygradio.jobs.limits import Limits
from comfygradio.jobs.placement import AFFINITY_SECONDS, Affinity, Placement, find_models
from comfygradio.jobs.rows import make_job, make_record
from comfygradio.jobs.worker import WorkerContext, WorkerPool

POLL_SECONDS = 1.0
"""Seconds between two checks of failed backends, and of what the others can run by now."""

MAX_FINISHED = 1000
"""Finished jobs kept in memory."""


class JobQueue:
    """Runs jobs on backends, from worker threads. Every job is stored before anything happens to
    it.

    The backends may change (`update_backends`). If the pool `may_grow`, resumed jobs wait for the
    backend they were submitted to; `find_layout` finds their layouts. A backend for which no job
    waits gets one from the attached sources.
    """

    def __init__(
        self,
        backends: Sequence[Backend],
        store: JobStore,
        outputs: Path,
        limits: Limits | None = None,
        *,
        resume: bool = True,
        affinity_seconds: float = AFFINITY_SECONDS,
        may_grow: bool = False,
        find_layout: FindLayout = find_no_layout,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.backends = tuple(backends)
        self.store = store
        self.outputs = outputs
        self.clock = clock
        self.limits = limits or Limits()
        self.pattern = self.limits.names
        self._registry = JobRegistry()
        self._waiting = FairQueue()
        self._arriving: Counter[str] = Counter()
        """Number of jobs by party that are being stored; they count as waiting already."""
        self._sources = JobSourceQueue()
        self._affinity = Affinity(affinity_seconds, may_grow, clock)
        self._changed = threading.Condition()
        self._changes = 0
        self._running: dict[Job, Backend] = {}
        self._closed = threading.Event()
        self.worker_context = WorkerContext(
            store=store,
            outputs=outputs,
            pattern=self.pattern,
            limits=self.limits,
            clock=clock,
            is_closed=self._closed.is_set,
            take=self._take,
            has_other=self._has_other,
            give_back=self._give_back,
            finish=self._finish,
            find_layout=find_layout,
        )
        """All that the workers get of this queue."""
        self._workers = WorkerPool(self.worker_context)
        self._is_started = False
        self.trouble = ""
        """Why there may be no backends at the moment, in a sentence; "" where nothing is wrong."""
        if resume:
            self._resume()

    def start(self) -> None:
        """Start the workers of all backends; may be called again."""
        with self._changed:
            self._is_started = True
            fresh = self._workers.make_workers(self.backends)
        for worker in fresh:
            worker.start()

    def update_backends(self, backends: Sequence[Backend], trouble: str = "") -> None:
        """Replace the backends. A job on a removed backend returns to the queue once its client
        reports an error.
        """
        with self._changed:
            gone = [backend for backend in self.backends if backend not in backends]
            self._affinity.update_backends(self.backends, backends)
            self.backends = tuple(backends)
            trouble_before = self.trouble
            self.trouble = trouble
            waiting = list(self._waiting)
            self._wake()
        # Sources are told without the lock, since they may take long.
        for backend in gone:
            self._leave(backend)
        if self._is_started:
            self.start()
        if trouble == trouble_before:
            return
        for job in waiting:
            # Once the trouble is over, clear only the reason that was set because of it.
            if trouble or job.snapshot.reason == trouble_before:
                job.update(reason=trouble)

    def submit(self, order: Order, owner: str = "local", priority: int = 0, party: str = "") -> Job:
        """Store an order as a job and queue it.

        `party` is whom limits and turns count for, the owner if "". Raises LimitReached.
        """
        party = party or owner
        # The place is reserved with the lock held; keeping the files and storing need no lock.
        with self._changed:
            if owner != "local":
                self._check_limits(party, priority)
            self._arriving[party] += 1
        try:
            kept = replace(order, prompt=keep_inputs(order.prompt, self.outputs))
            job = Job(kept, owner, priority, party=party, clock=self.clock)
            self._write_down(job)
        except BaseException:
            with self._changed:
                self._arrive(party)
            raise
        with self._changed:
            self._arrive(party)
            self._waiting.add(job)
            self._wake()
        # Workers are made for backends that have none yet.
        self.start()
        if self.trouble and job.snapshot.phase == "waiting":
            job.update(reason=self.trouble)
        self.publish_positions(job)
        return job

    def _write_down(self, job: Job) -> None:
        """Add a job to the job store. Raises JobStoreError."""
        # It is registered first: `find` would otherwise build a second Job from the stored row.
        self._registry.add(job)
        try:
            self.store.add(make_record(job))
        except BaseException:
            self._registry.drop(job.token)
            raise

    def _check_limits(self, party: str, priority: int) -> None:
        """Raises LimitReached where no more jobs may wait; with the lock held."""
        mine = self._waiting.count(party, priority) + self._arriving[party]
        if mine >= self.limits.jobs_waiting:
            is_address = party.startswith("net:")
            whose = "Your network address has" if is_address else "You have"
            raise LimitReached(
                f"{whose} {mine} jobs waiting already; wait until one of them has started."
            )
        everybodys = len(self._waiting) + self._arriving.total()
        if everybodys >= self.limits.jobs_in_all:
            raise LimitReached(
                f"{everybodys} jobs of many people are waiting already; try again in a while."
            )

    def _arrive(self, party: str) -> None:
        """Count one job less as being stored, successfully or not; with the lock held."""
        self._arriving[party] -= 1
        if not self._arriving[party]:
            del self._arriving[party]

    def attach(self, source: JobSource) -> None:
        """Add a source, which is asked for jobs when nothing else waits. Also call this when a
        known source has jobs again.
        """
        self._sources.add(source)
        with self._changed:
            self._wake()
        self.start()

    def detach(self, source: JobSource) -> None:
        """Remove a source."""
        self._sources.remove(source)

    def find(self, token: str) -> Job | None:
        """The job with this secret token, or None; one that is over may come from the job store."""
        job = self._registry.find(token)
        if job is not None:
            if job.snapshot.phase == "waiting":
                self.publish_positions(job)
            return job
        # Only some of the finished jobs stay in memory.
        record = self.store.find(token)
        return None if record is None else make_job(record)

    def forget(self, token: str) -> None:
        """Drop a job that was deleted from the store."""
        self._registry.drop(token)

    def list_open(self, owner: str) -> list[Job]:
        """A person's jobs that wait or run, oldest first."""
        return self._registry.list_open(owner)

    def stop(self, token: str) -> None:
        """Stop a job: one that waits ends at once, a running one within a quarter of a second.
        Unknown: nothing.

        A waiting one whose prompt may be on a server has to be stopped there first.
        """
        job = self._registry.find(token)
        if job is None:
            return
        job.stop()
        with self._changed:
            waits = self._waiting.remove(job)
            # A worker takes the job at once, and cancels its prompt before it ends the job.
            if waits and job.may_exist:
                self._waiting.add(job, front=True)
                self._wake()
            elif waits:
                self._affinity.forget(job)
        if waits and not job.may_exist:
            transition(job, self.store, Stopped(self.clock.time()))
        self.publish_positions()

    def close(self, timeout_seconds: float = 5.0) -> None:
        """Detach from all jobs. Submitted prompts go on; the next start resumes their jobs."""
        with self._changed:
            self._closed.set()
            self._wake()
        self._workers.join(timeout_seconds)

    def _take(self, backend: Backend) -> Job | None:
        """The next job for a backend, waited for; None once the queue is closed or the backend is
        gone.
        """
        while not self._closed.is_set() and backend in self.backends:
            is_up = backend.revive()
            # This thread holds no lock while it looks. If anything changes meanwhile, it looks
            # again instead of waiting.
            seen = self._changes
            if is_up:
                job = self._take_waiting(backend) or self._take_made(backend)
                if job is not None:
                    return job
            else:
                self._leave(backend)
            with self._changed:
                if self._closed.is_set() or seen != self._changes:
                    continue
                # Time alone changes something while a backend is down, a job is kept for one, or
                # a waiting job cannot run anywhere.
                has_to_look = not is_up or self._affinity or self._waiting
                self.clock.wait(self._changed, POLL_SECONDS if has_to_look else None)
        return None

    def _leave(self, backend: Backend) -> None:
        """Release the jobs that sources planned for a backend that cannot be used."""
        if self._sources.release_backend(backend):
            with self._changed:
                self._wake()

    def _take_waiting(self, backend: Backend) -> Job | None:
        with self._changed:
            # It may have been removed while its worker asked the server for its health.
            if self._closed.is_set() or backend not in self.backends:
                return None
            job = self._waiting.take(lambda job: self._suits(job, backend))
            if job is not None:
                self._occupy(backend, job)
                self._sources.mark_cold(backend)
            return job

    def _take_made(self, backend: Backend) -> Job | None:
        """Take a job from a source and store it. A job that cannot be stored fails, and the next
        one is taken.
        """
        while not self._closed.is_set() and backend in self.backends:
            job = self._sources.take(backend)
            if job is None:
                return None
            try:
                prompt = keep_inputs(job.order.prompt, self.outputs)
                job.order = replace(job.order, prompt=prompt)
                self._write_down(job)
            except JobStoreError as error:
                transition(job, self.store, Unstored(str(error)))
                continue
            with self._changed:
                self._occupy(backend, job)
            return job
        return None

    def _occupy(self, backend: Backend, job: Job) -> None:
        """Note that a backend is about to get a job; with the lock held."""
        self._running[job] = backend
        models = find_models(job.order.prompt.graph)
        if models:  # a job without models leaves the loaded ones in memory
            backend.models = models

    def _give_back(self, job: Job, reason: str) -> None:
        """Return a job that could not be run now to the front of its person's jobs."""
        transition(job, self.store, Returned(self.trouble or reason))
        with self._changed:
            backend = self._running.pop(job, None)
            if backend is not None:
                self._sources.mark_cold(backend)
            if job.may_exist:
                self._affinity.hold(job)
            self._waiting.add(job, front=True)
            self._wake()
        # A stop in between found the job not waiting and
        # only set this mark, which no worker reads now.
        if job.stop_requested.is_set():
            self.stop(job.token)
        self.publish_positions()

    def _finish(self, job: Job) -> None:
        """Forget a job that is over."""
        with self._changed:
            self._running.pop(job, None)
            self._affinity.forget(job)
            self._wake()
        self.publish_positions()

    def _has_other(self, backend: Backend) -> bool:
        """Whether any other backend is healthy."""
        others = [other for other in self.backends if other is not backend]
        return any(not other.trouble for other in others)

    def count_running(self, backend: Backend) -> int:
        """How many of our prompts a backend holds."""
        return len(self.list_submitted(backend))

    def list_submitted(self, backend: Backend) -> list[Job]:
        """Our jobs that a backend holds."""
        held: list[Job] = []
        with self._changed:
            for job, holder in self._running.items():
                if holder is backend:
                    held.append(job)
        return held

    def count_waiting(self) -> dict[str, int]:
        """Waiting jobs by person, including those that their sources would still make."""
        with self._changed:
            waiting = Counter(job.owner for job in self._waiting)
        to_be_made = self._sources.count()
        return dict(waiting + to_be_made)

    def stop_waiting(self) -> int:
        """Stop every waiting job and every source of all people; returns the number of jobs."""
        made = self._sources.stop()
        with self._changed:
            jobs = list(self._waiting)
        for job in jobs:
            self.stop(job.token)
        return len(jobs) + made

    def publish_positions(self, asked: Job | None = None) -> None:
        """Update the queue position of waiting jobs that somebody watches, and of the given job."""
        with self._changed:
            waiting = list(self._waiting)
            running = len(self._running)
        for ahead, job in enumerate(waiting, start=running):
            if not job.is_watched and job is not asked:
                continue
            snapshot = job.snapshot
            if snapshot.phase == "waiting" and snapshot.ahead != ahead:
                job.update(ahead=ahead)

    def _suits(self, job: Job, backend: Backend) -> bool:
        """True if this backend should run the job now: it can, no other backend may already hold
        its prompt, and none is better placed.
        """
        if self._affinity.must_wait(job, backend, self.backends):
            return False
        busy = set(self._running.values())
        placement = Placement(self.backends, busy)
        graph = job.order.prompt.graph
        refusal = backend.explain_rejection(graph)
        if not refusal:
            return not placement.has_better(job, backend)
        if not job.snapshot.reason and placement.is_rejected_everywhere(graph):
            job.update(reason=f"No ComfyUI can run this now: {refusal}")
        return False

    def _wake(self) -> None:
        """Wake all workers; with the lock held."""
        self._changes += 1
        self._changed.notify_all()

    def _resume(self) -> None:
        """Queue the unfinished jobs of the store again. One that was submitted before is first
        looked for on its backend.
        """
        for record in self.store.list_open():
            job = make_job(record)
            self._registry.add(job)
            self._affinity.hold(job)
            self._waiting.add(job)


class JobRegistry:
    """The jobs in memory by their secret tokens, oldest first; the job store has all of them.

    Thread-safe.
    """

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, job: Job) -> None:
        """Add a job. Beyond the limit, the oldest finished jobs that nobody watches are dropped."""
        with self._lock:
            self._jobs[job.token] = job
            surplus = len(self._jobs) - MAX_FINISHED
            if surplus <= 0:
                return
            unused = [job for job in self._jobs.values() if _is_unused(job)]
            # Jobs that are open or watched stay, however many there are.
            for job in unused[:surplus]:
                del self._jobs[job.token]

    def find(self, token: str) -> Job | None:
        """The job with this token, or None."""
        return self._jobs.get(token)

    def drop(self, token: str) -> None:
        """Forget a job; unknown: nothing."""
        with self._lock:
            self._jobs.pop(token, None)

    def list_open(self, owner: str) -> list[Job]:
        """A person's jobs that wait or run, oldest first."""
        found: list[Job] = []
        with self._lock:
            for job in self._jobs.values():
                if job.owner == owner and not job.snapshot.is_over:
                    found.append(job)
        return found


def _is_unused(job: Job) -> bool:
    """Whether a job may be forgotten: it is over, and nobody watches it."""
    return job.snapshot.is_over and not job.is_watched
