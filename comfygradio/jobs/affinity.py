"""Affinity: keeps a job on the backend that may still hold its prompt, for at most 60 seconds."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.job import Job

AFFINITY_SECONDS = 60.0
"""How long a job waits for the backend that may hold its prompt before another one may run it."""


class Affinity:
    """Jobs that may already have a prompt on some backend. Not thread-safe: the queue that owns it
    holds a lock.

    With `may_grow`, a job also waits for a backend that is not there yet; otherwise only for one in
    the current list.
    """

    def __init__(self, seconds: float, may_grow: bool, clock: Clock = SYSTEM_CLOCK) -> None:
        self._seconds = seconds
        self._clock = clock
        self._may_grow = may_grow
        self._since: dict[str, float] = {}
        self._left: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._since)

    def hold(self, job: Job) -> None:
        """Start the time for which the job is kept for its backend."""
        self._since[job.id] = self._clock.monotonic()

    def forget(self, job: Job) -> None:
        """Stop tracking a job that is over."""
        self._since.pop(job.id, None)

    def update_backends(self, before: Iterable[Backend], after: Collection[Backend]) -> None:
        """Replace the list of backends; jobs no longer wait for one that was removed."""
        self._left |= {backend.url for backend in before}
        self._left -= {backend.url for backend in after}

    def must_wait(self, job: Job, backend: Backend, backends: Collection[Backend]) -> bool:
        """True if this backend must leave the job to the one that may hold its prompt."""
        if not job.may_exist or not job.backend_url or job.backend_url == backend.url:
            return False
        if self._is_over(job):
            return False
        may_come = self._may_grow and job.backend_url not in self._left
        return may_come or any(other.url == job.backend_url for other in backends)

    def _is_over(self, job: Job) -> bool:
        """Whether the time for which a job is kept for its backend has run out."""
        since = self._since.get(job.id, float("-inf"))
        waited = self._clock.monotonic() - since
        return waited >= self._seconds
