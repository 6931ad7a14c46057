"""The queue before ComfyUI's own: jobs of many people on several servers, none of them lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import JobStoreError, LimitReached
from comfygradio.jobs.affinity import AFFINITY_SECONDS, Affinity
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.fair_queue import FairQueue
from comfygradio.jobs.job import Job, Order
from comfygradio.jobs.job_record import make_job, make_record
from comfygradio.jobs.job_source import JobSource, JobSourceQueue
from comfygradio.jobs.job_store import JobStore
from comfygradio.jobs.kept_input import keep_inputs
from comfygradio.jobs.limits import Limits
from comfygradio.jobs.placement import Placement, find_models
from comfygradio.jobs.registry import JobRegistry
from comfygradio.jobs.worker import WorkerPool

LOOK_SECONDS = 1.0
"""Between two looks whether a server in trouble answers again, or has what waiting jobs need."""


class JobQueue:
    """Runs jobs on backends from worker threads; every job is in the job store before anything
    happens to it.

    Backends may come and go (`update_backends`), and where they `may_grow`, jobs from before wait
    for theirs. Where no job waits that a backend could take, the attached sources are asked for
    one.
    """

    def __init__(
        self,
        lanes: Sequence[Backend],
        ledger: JobStore,
        outputs: Path,
        limits: Limits | None = None,
        *,
        resume: bool = True,
        home_seconds: float = AFFINITY_SECONDS,
        may_grow: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.lanes = tuple(lanes)
        self.ledger = ledger
        self.outputs = outputs
        self.clock = clock
        self.limits = limits or Limits()
        self.pattern = self.limits.names
        self._roll = JobRegistry()
        self._waiting = FairQueue()
        self._arriving: Counter[str] = Counter()
        """Jobs by party that are being written down, and wait as soon as they are."""
        self._sources = JobSourceQueue()
        self._homes = Affinity(home_seconds, may_grow, clock)
        self._changed = threading.Condition()
        self._changes = 0
        self._running: dict[Job, Backend] = {}
        self._closed = False
        self._crew = WorkerPool(self)
        self._is_started = False
        self.trouble = ""
        """Why there may be no backends at the moment, in a sentence; "" where nothing is wrong."""
        if resume:
            self._resume()

    def start(self) -> None:
        """Begin to work, on every backend that is there; callable twice."""
        with self._changed:
            self._is_started = True
            fresh = self._crew.start_workers(self.lanes)
        for worker in fresh:
            worker.start()

    def update_backends(self, lanes: Sequence[Backend], trouble: str = "") -> None:
        """Work on these backends from now on; what one that is gone still runs comes back when its
        client says so.
        """
        with self._changed:
            gone = [lane for lane in self.lanes if lane not in lanes]
            self._homes.update_backends(self.lanes, lanes)
            self.lanes = tuple(lanes)
            before = self.trouble
            self.trouble = trouble
            waiting = list(self._waiting)
            self._wake()
        for lane in gone:
            self._leave(lane)
        if self._is_started:
            self.start()
        if trouble == before:
            return
        for job in waiting:
            # A trouble that is over is taken back only where nothing else was said since.
            if trouble or job.snapshot.reason == before:
                job.update(reason=trouble)

    def submit(self, order: Order, owner: str = "local", priority: int = 0, party: str = "") -> Job:
        """Queue an order; the job that comes back is in the job store and on its way.

        `party` is whom limits and turns count for, the owner if "". Raises LimitReached.
        """
        party = party or owner
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
        self.start()
        if self.trouble and job.snapshot.phase == "waiting":
            job.update(reason=self.trouble)
        self.publish_positions(job)
        return job

    def _write_down(self, job: Job) -> None:
        """Add a job to the job store. Raises JobStoreError.

        It is in memory first: whoever found its row alone would take a copy of it for the job.
        """
        self._roll.add(job)
        try:
            self.ledger.add(make_record(job))
        except BaseException:
            self._roll.drop(job.token)
            raise

    def _check_limits(self, party: str, priority: int) -> None:
        """Raises LimitReached where no more jobs may wait; with the lock held."""
        mine = self._waiting.count(party, priority) + self._arriving[party]
        if mine >= self.limits.jobs_waiting:
            whose = "Your network address has" if party.startswith("net:") else "You have"
            raise LimitReached(
                f"{whose} {mine} jobs waiting already; wait until one of them has started."
            )
        everybodys = len(self._waiting) + self._arriving.total()
        if everybodys >= self.limits.jobs_in_all:
            raise LimitReached(
                f"{everybodys} jobs of many people are waiting already; try again in a while."
            )

    def _arrive(self, party: str) -> None:
        """A job that was on its way into the job store is there, or came to nothing; with the lock
        held.
        """
        self._arriving[party] -= 1
        if not self._arriving[party]:
            del self._arriving[party]

    def attach(self, source: JobSource) -> None:
        """Ask a source for jobs from now on, when no single picture waits; also says that it has
        jobs again.
        """
        self._sources.add(source)
        with self._changed:
            self._wake()
        self.start()

    def detach(self, source: JobSource) -> None:
        """Ask a source no more."""
        self._sources.remove(source)

    def find(self, token: str) -> Job | None:
        """The job with this secret token, or None; one that is over may come from the job store."""
        job = self._roll.find(token)
        if job is not None:
            if job.snapshot.phase == "waiting":
                self.publish_positions(job)
            return job
        record = self.ledger.find(token)
        return None if record is None else make_job(record)

    def forget(self, token: str) -> None:
        """A job was deleted from the job store; it is nowhere any more."""
        self._roll.drop(token)

    def list_running(self, owner: str) -> list[Job]:
        """A person's jobs that wait or run, oldest first."""
        return self._roll.list_open(owner)

    def stop(self, token: str) -> None:
        """Stop a job: one that waits ends at once, a running one within a quarter of a second.
        Unknown: nothing.

        A waiting one whose prompt may be on a server has to be stopped there first.
        """
        job = self._roll.find(token)
        if job is None:
            return
        job.stop()
        with self._changed:
            waits = self._waiting.remove(job)
            if waits and job.may_exist:
                self._waiting.add(job, front=True)
                self._wake()
            elif waits:
                self._homes.forget(job)
        if waits and not job.may_exist:
            with suppress(JobStoreError):  # then the next start runs it
                self.ledger.change(job.id, phase="stopped", ended=self.clock.time())
            job.update(phase="stopped", reason="")
        self.publish_positions()

    def close(self, timeout_seconds: float = 5.0) -> None:
        """Let go: what is posted goes on at its server, and the next start takes it up again."""
        with self._changed:
            self._closed = True
            self._wake()
        self._crew.join(timeout_seconds)

    @property
    def is_closed(self) -> bool:
        """Whether the queue lets go of its jobs."""
        return self._closed

    def take(self, lane: Backend) -> Job | None:
        """The next job for a backend, waited for; None once the queue is closed or the backend is
        gone.

        Called by workers.
        """
        while not self._closed and lane in self.lanes:
            is_up = lane.revive()
            # What changes from here on, while this thread looks and holds no lock, is looked at
            # again instead of being waited for.
            seen = self._changes
            if is_up:
                job = self._take_waiting(lane) or self._take_made(lane)
                if job is not None:
                    return job
            else:
                self._leave(lane)
            with self._changed:
                if not self._closed and seen == self._changes:
                    is_idle = is_up and not self._homes and not self._waiting
                    self.clock.wait(self._changed, None if is_idle else LOOK_SECONDS)
        return None

    def _leave(self, lane: Backend) -> None:
        """A backend cannot be used: what sources meant for it is for others."""
        if self._sources.release_backend(lane):
            with self._changed:
                self._wake()

    def _take_waiting(self, lane: Backend) -> Job | None:
        with self._changed:
            if self._closed:
                return None
            job = self._waiting.take(lambda job: self._suits(job, lane))
            if job is not None:
                self._occupy(lane, job)
                self._sources.cool(lane)
            return job

    def _take_made(self, lane: Backend) -> Job | None:
        """A job that a source makes now, written down; one that cannot be has failed, and the next
        one is asked for.
        """
        while not self._closed:
            job = self._sources.take(lane)
            if job is None:
                return None
            try:
                prompt = keep_inputs(job.order.prompt, self.outputs)
                job.order = replace(job.order, prompt=prompt)
                self._write_down(job)
            except JobStoreError as error:
                job.update(phase="failed", error=str(error))
                continue
            with self._changed:
                self._occupy(lane, job)
            return job
        return None

    def _occupy(self, lane: Backend, job: Job) -> None:
        self._running[job] = lane
        models = find_models(job.order.prompt.graph)
        if models:  # a job without any leaves loaded what is there
            lane.models = models

    def give_back(self, job: Job, reason: str) -> None:
        """A job that could not be run now goes to the front of its person's line.

        Called by workers.
        """
        with suppress(JobStoreError):
            self.ledger.change(job.id, phase="waiting")
        job.update(phase="waiting", state=None, reason=self.trouble or reason)
        with self._changed:
            lane = self._running.pop(job, None)
            if lane is not None:
                self._sources.cool(lane)
            if job.may_exist:
                self._homes.hold(job)
            self._waiting.add(job, front=True)
            self._wake()
        if job.stop_requested.is_set():
            self.stop(job.token)
        self.publish_positions()

    def finish(self, job: Job) -> None:
        """A job is over. Called by workers."""
        with self._changed:
            self._running.pop(job, None)
            self._homes.forget(job)
            self._wake()
        self.publish_positions()

    def has_other(self, lane: Backend) -> bool:
        """Whether another backend than this one is well. Called by workers."""
        return any(other is not lane and not other.trouble for other in self.lanes)

    def count_running(self, lane: Backend) -> int:
        """How many of our prompts a backend holds."""
        return len(self.list_submitted(lane))

    def list_submitted(self, lane: Backend) -> list[Job]:
        """Our jobs that a backend holds."""
        with self._changed:
            return [job for job, one in self._running.items() if one is lane]

    def count_waiting(self) -> dict[str, int]:
        """Person → how many of their jobs wait, those that their sources would still
        give included.
        """
        with self._changed:
            waiting = Counter(job.owner for job in self._waiting)
        return dict(waiting + self._sources.count())

    def stop_waiting(self) -> int:
        """Stop every job that waits and every source, everybody's; returns how many
        jobs that were.
        """
        made = self._sources.stop()
        with self._changed:
            jobs = list(self._waiting)
        for job in jobs:
            self.stop(job.token)
        return len(jobs) + made

    def publish_positions(self, asked: Job | None = None) -> None:
        """Tell waiting jobs how many are before them: those that somebody watches, and the one that
        was asked for.
        """
        with self._changed:
            waiting = list(self._waiting)
            running = len(self._running)
        for ahead, job in enumerate(waiting, running):
            is_news = job.snapshot.phase == "waiting" and job.snapshot.ahead != ahead
            if is_news and (job.is_watched or job is asked):
                job.update(ahead=ahead)

    def _suits(self, job: Job, lane: Backend) -> bool:
        """Whether a backend should take a job: it has what it needs, and no other one may have it
        or suits it better.
        """
        if self._homes.may_take(job, lane, self.lanes):
            return False
        yard = Placement(self.lanes, set(self._running.values()))
        graph = job.order.prompt.graph
        refusal = lane.explain_rejection(graph)
        if not refusal:
            return not yard.has_better(job, lane)
        if not job.snapshot.reason and yard.is_rejected_everywhere(graph):
            job.update(reason=f"No ComfyUI can run this now: {refusal}")
        return False

    def _wake(self) -> None:
        """Let every worker look again; with the lock held."""
        self._changes += 1
        self._changed.notify_all()

    def _resume(self) -> None:
        """Take up what the job store has open: jobs that were posted look for their prompt "
        "first."""
        for record in self.ledger.list_open():
            job = make_job(record)
            job.may_exist = record.posted is not None
            job.accepted = record.started is not None
            self._roll.add(job)
            self._homes.hold(job)
            self._waiting.add(job)
