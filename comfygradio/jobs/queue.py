"""The queue before ComfyUI's own: at most two prompts are posted at once, the rest wait here."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict, deque
from pathlib import Path

from comfygradio.comfy.client import ComfyClient
from comfygradio.errors import ComfyGradioError, JobInterrupted, PromptRejected
from comfygradio.jobs.job import Job, Order
from comfygradio.jobs.results import Result, make_folder, save_results

POSTED = 2
"""Prompts posted to a server at once: one runs, one waits, so that its GPU never idles."""

REMEMBERED = 1000
"""Jobs kept in memory; the oldest finished ones are forgotten first. Their files stay."""

log = logging.getLogger(__name__)


class JobQueue:
    """Runs jobs on one server, in the order they came, from worker threads that start with the first job."""

    def __init__(self, client: ComfyClient, outputs: Path) -> None:
        self.client = client
        self.outputs = outputs
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._workers: list[threading.Thread] = []
        self._running: set[Job] = set()
        self._post_turn = threading.Lock()
        self._posting: Job | None = None
        self._closed = False

    def submit(self, order: Order) -> Job:
        """Queue an order; the job that comes back is already on its way."""
        job = Job(order)
        with self._changed:
            self._jobs[job.token] = job
            self._waiting.append(job)
            self._forget_old()
            self._start_workers()
            self._changed.notify()
        self._tell_positions()
        return job

    def find(self, token: str) -> Job | None:
        """The job with this secret token, or None."""
        return self._jobs.get(token)

    def stop(self, token: str) -> None:
        """Stop a job: one that waits ends at once, a running one within a quarter of a second. Unknown: nothing."""
        job = self._jobs.get(token)
        if job is None:
            return
        job.stop()
        with self._changed:
            waits = job in self._waiting
            if waits:
                self._waiting.remove(job)
        if waits:
            job.update(phase="stopped")
            self._tell_positions()

    def close(self, timeout_seconds: float = 5.0) -> None:
        """Cancel every job, on the server too, and wait until the workers have ended."""
        with self._changed:
            self._closed = True
            for job in [*self._waiting, *self._running]:
                job.stop()
            self._changed.notify_all()
        deadline = time.monotonic() + timeout_seconds
        for worker in self._workers:
            worker.join(max(0.0, deadline - time.monotonic()))

    def _start_workers(self) -> None:
        while len(self._workers) < POSTED:
            worker = threading.Thread(target=self._work, name=f"comfygradio-{len(self._workers)}", daemon=True)
            self._workers.append(worker)
            worker.start()

    def _work(self) -> None:
        while job := self._take_in_order():
            try:
                self._run(job)
            finally:
                self._let_next_post(job)
                with self._changed:
                    self._running.discard(job)
                self._tell_positions()

    def _take_in_order(self) -> Job | None:
        """The next job, once the one before has been accepted: otherwise the second could overtake the first."""
        self._post_turn.acquire()
        job = self._take()
        self._posting = job
        if job is None:
            self._post_turn.release()
        return job

    def _let_next_post(self, job: Job) -> None:
        if self._posting is job:
            self._posting = None
            self._post_turn.release()

    def _take(self) -> Job | None:
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            if not self._waiting:
                return None
            job = self._waiting.popleft()
            self._running.add(job)
            return job

    def _run(self, job: Job) -> None:
        started = time.monotonic()
        try:
            stopped = job.stop_requested.is_set() or self._follow(job)
            phase, error = ("stopped", "") if stopped else ("done", "")
        except JobInterrupted:
            phase, error = "stopped", "" if job.stop_requested.is_set() else "Somebody stopped this job on the server."
        except ComfyGradioError as failure:
            phase, error = "failed", str(failure)
            job.update(node_errors=failure.node_errors if isinstance(failure, PromptRejected) else ())
        except Exception:
            log.exception("job %s failed unexpectedly", job.order.preset)
            phase, error = "failed", "Something went wrong in comfygradio itself; its log has the details."
        results, problem = self._collect(job)
        if phase == "done" and problem:
            phase, error = "failed", problem
        job.update(phase=phase, error=error, results=results, seconds=time.monotonic() - started)

    def _follow(self, job: Job) -> bool:
        """Run the prompt to its end; True when it was stopped on the way."""
        states = self.client.run(job.order.prompt)
        try:
            for state in states:
                job.update(phase="running", ahead=0, state=state)
                if state.status != "uploading":
                    self._let_next_post(job)
                if job.stop_requested.is_set():
                    return True
        finally:
            states.close()
        return False

    def _collect(self, job: Job) -> tuple[tuple[Result, ...], str]:
        """Save what the job made, whole or not, and say what went wrong with that."""
        state = job.snapshot.state
        if state is None or not state.outputs:
            return (), ""
        try:
            return save_results(state.outputs, make_folder(self.outputs, job.order.preset)), ""
        except ComfyGradioError as failure:
            return (), f"The result was made, but could not be fetched: {failure}"
        except OSError as failure:
            reason = failure.strerror or type(failure).__name__
            return (), f"The result was made, but could not be saved in the outputs folder: {reason}."

    def _tell_positions(self) -> None:
        with self._changed:
            waiting = list(self._waiting)
            running = len(self._running)
        for index, job in enumerate(waiting):
            if job.snapshot.phase == "waiting" and job.snapshot.ahead != index + running:
                job.update(ahead=index + running)

    def _forget_old(self) -> None:
        over = (token for token, job in self._jobs.items() if job.snapshot.is_over)
        for token in list(over)[: max(0, len(self._jobs) - REMEMBERED)]:
            del self._jobs[token]
