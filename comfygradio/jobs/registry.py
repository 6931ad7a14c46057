"""The registry of the jobs in memory. The job store has all of them."""

from __future__ import annotations

import threading
from collections import OrderedDict

from comfygradio.jobs.job import Job

MAX_FINISHED = 1000
"""Finished jobs kept in memory."""


class JobRegistry:
    """Jobs by their secret tokens, oldest first. Thread-safe."""

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
            over = [
                token
                for token, old in self._jobs.items()
                if old.snapshot.is_over and not old.is_watched
            ]
            for token in over[:surplus]:
                del self._jobs[token]

    def find(self, token: str) -> Job | None:
        """The job with this token, or None."""
        return self._jobs.get(token)

    def drop(self, token: str) -> None:
        """Forget a job; unknown: nothing."""
        with self._lock:
            self._jobs.pop(token, None)

    def list_open(self, owner: str) -> list[Job]:
        """A person's jobs that wait or run, oldest first."""
        with self._lock:
            return [
                job
                for job in self._jobs.values()
                if job.owner == owner and not job.snapshot.is_over
            ]
