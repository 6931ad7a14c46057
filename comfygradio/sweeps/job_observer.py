"""Observes the jobs of a sweep's points until they end."""

from __future__ import annotations

import threading
from collections.abc import Callable

from comfygradio.jobs.job import Job
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.sweeps.axes.axis import Index


class JobObserver:
    """The jobs that have not ended yet, by point. Thread-safe.

    `tell` is called after every change, in the thread that makes it, and exactly once for the end.
    """

    def __init__(self, tell: Callable[[Index, Job], None]) -> None:
        self._tell = tell
        self._jobs: dict[Index, Job] = {}
        self._lock = threading.Lock()

    def __contains__(self, index: Index) -> bool:
        return index in self._jobs

    def list_jobs(self) -> list[Job]:
        """List the jobs that have not ended yet."""
        with self._lock:
            return list(self._jobs.values())

    def stop(self, queue: JobQueue, sweep: str) -> None:
        """Stop the jobs that belong to the sweep with this id, but not those of other sweeps."""
        for job in self.list_jobs():
            point = job.order.point
            if point is not None and point.sweep != sweep:
                continue
            job.stop()
            queue.stop(job.token)

    def observe(self, index: Index, job: Job) -> None:
        """Report every change of a job until it ends. It may have ended already."""
        with self._lock:
            self._jobs[index] = job
        ends: list[Callable[[], None]] = []

        def hear() -> None:
            self._hear(index, job, ends)

        unlisten = job.listen(hear)
        ends.append(unlisten)
        # The job may have changed, or ended, before anybody listened.
        hear()

    def _hear(self, index: Index, job: Job, ends: list[Callable[[], None]]) -> None:
        """Report a change. `ends` are functions that end the listening; the list is empty while
        that begins.
        """
        if job.snapshot.is_over:
            for end in ends:
                end()
            # Several threads may see the end; the first of them reports it.
            with self._lock:
                if self._jobs.get(index) is not job:
                    return
                del self._jobs[index]
        self._tell(index, job)
