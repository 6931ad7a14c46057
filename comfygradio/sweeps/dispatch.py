"""Decides which point a backend gets next.

The run queue holds the planned order; retried points are dispatched ahead of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planner.run_queue import Accepts, RunQueue, Task


class Dispatcher:
    """Dispatches points to backends, known by their URLs: requested points first, then those of the
    run queue.

    Thread-safe. The run queue is made when it is first needed, since planning may take a second or
    two. `accepts` says whether a backend can run a point.
    """

    def __init__(self, make_run_queue: Callable[[Accepts], RunQueue], accepts: Accepts) -> None:
        self._make_run_queue = make_run_queue
        self._accepts = accepts
        self._run_queue: RunQueue | None = None
        # A lock of its own: while one thread plans, others request and settle points.
        self._planning = threading.Lock()
        self._asked: dict[Index, bool] = {}
        """Points that were asked for, and whether they were dispatched; those stay until they are
        settled.
        """
        self._strayed: set[str] = set()
        """Backends whose last point was not the run queue's."""
        self._lock = threading.Lock()

    def prepare(self) -> RunQueue:
        """Return the run queue, which is planned the first time. Raises ValuesRefused."""
        with self._planning:
            if self._run_queue is None:
                self._run_queue = self._make_run_queue(self._accepts)
            return self._run_queue

    def take(self, server: str, warm: bool, is_running: bool) -> Task | None:
        """Take the next point for a backend, or None. Unless the sweep `is_running`, only requested
        points are dispatched.

        `warm` says that the backend's cache still holds what this sweep left there.
        """
        with self._lock:
            index = self._find_asked(server)
            if index is not None:
                self._asked[index] = True
                self._strayed.add(server)
                return Task(index, {}, 0.0, ())
            if not is_running:
                return None
            # After a point that was asked for, the cache is not as the run queue expects it.
            is_warm = warm and server not in self._strayed
        # Outside of the lock, since the first call plans the sweep.
        task = self.prepare().take_next(server, is_warm)
        if task is not None:
            self._strayed.discard(server)
        return task

    def release_backend(self, server: str) -> None:
        """Release the points of a backend that is gone, so that others can run them."""
        if self._run_queue is not None:
            self._run_queue.release_backend(server)

    def request(self, index: Index) -> None:
        """Dispatch this point next, to whichever backend asks."""
        with self._lock:
            self._asked.setdefault(index, False)

    def settle(self, index: Index) -> None:
        """Mark a dispatched point as handled: it has a job now, or is over."""
        with self._lock:
            if self._asked.get(index):
                del self._asked[index]

    def cancel_requests(self) -> list[Index]:
        """Cancel the requests that are not dispatched yet, and return their points."""
        with self._lock:
            asked = self._asked.items()
            dropped = [index for index, is_dispatched in asked if not is_dispatched]
            for index in dropped:
                del self._asked[index]
            return dropped

    def count_requests(self) -> int:
        """Count the requested points that have no job yet."""
        return len(self._asked)

    def estimate(self) -> float | None:
        """Estimate the seconds until the run queue is done, or None if it is not planned yet."""
        if self._run_queue is None:
            return None
        return self._run_queue.seconds_left

    @property
    def share_left(self) -> float:
        """The share of the planned work that is left, 0 to 1."""
        if self._run_queue is None:
            return 1.0
        return self._run_queue.share_left

    def finish(self, index: Index, seconds: float | None) -> None:
        """Mark a point as over. `seconds` is how long its nodes ran, if it is done."""
        self.settle(index)
        if self._run_queue is not None:
            self._run_queue.finish(index, seconds)

    def _find_asked(self, server: str) -> Index | None:
        """Find the first requested point that is not dispatched yet and can run on this backend."""
        for index, is_dispatched in self._asked.items():
            if is_dispatched:
                continue
            if self._accepts(server, index):
                return index
        return None
