"""Homes: the backend that may still have a job's prompt, and how long another one leaves the job to
it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.job import Job

AFFINITY_SECONDS = 60.0
"""How long a job whose prompt may still be on a server waits for that server before another one may
take it.
"""


class Affinity:
    """Jobs that look for their prompt. Not thread-safe: the queue that owns it holds a lock.

    With `may_grow` a home that is not there may yet come; else it is waited for only while it is
    among the backends.
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
        """From now on the job waits for its home."""
        self._since[job.id] = self._clock.monotonic()

    def forget(self, job: Job) -> None:
        """The job is over."""
        self._since.pop(job.id, None)

    def update_backends(self, before: Iterable[Backend], after: Collection[Backend]) -> None:
        """Backends that are gone for good are waited for no more."""
        self._left |= {lane.url for lane in before}
        self._left -= {lane.url for lane in after}

    def may_take(self, job: Job, lane: Backend, lanes: Collection[Backend]) -> bool:
        """Whether a job is to wait for its home instead of going to this backend."""
        if not job.may_exist or not job.home or job.home == lane.url:
            return False
        if self._is_over(job):
            return False
        may_come = self._may_grow and job.home not in self._left
        return may_come or any(other.url == job.home for other in lanes)

    def _is_over(self, job: Job) -> bool:
        """Whether a job has waited for its home for long enough."""
        since = self._since.get(job.id, float("-inf"))
        waited = self._clock.monotonic() - since
        return waited >= self._seconds
