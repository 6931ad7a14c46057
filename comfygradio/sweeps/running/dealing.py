"""Dealing: which point a server gets next.

The course knows the cheap order; here is what deviates from it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planning.course import Accepts, Course, Task


class Dealer:
    """Deals points to servers, known by their URLs: those that were asked for, then the course's.

    Thread-safe. The course is made when it is first needed, since planning may take a second or
    two. `accepts` says whether a server can run a point.
    """

    def __init__(self, make_course: Callable[[Accepts], Course], accepts: Accepts) -> None:
        self._make_course = make_course
        self._accepts = accepts
        self._course: Course | None = None
        self._planning = threading.Lock()
        self._asked: dict[Index, bool] = {}
        """Points that were asked for, and whether they were dealt; those stay until they are
        settled.
        """
        self._strayed: set[str] = set()
        self._lock = threading.Lock()

    def prepare(self) -> Course:
        """The course; planned when it is first asked for. Raises ValuesRefused."""
        with self._planning:
            if self._course is None:
                self._course = self._make_course(self._accepts)
            return self._course

    def take(self, server: str, warm: bool, is_running: bool) -> Task | None:
        """The next point for a server; only one that was asked for, unless the sweep `is_running`.

        `warm` says that the server's cache still holds what this sweep left there.
        """
        with self._lock:
            index = self._find_asked(server)
            if index is not None:
                self._asked[index] = True
                self._strayed.add(server)
                return Task(index, {}, 0.0, ())
            if not is_running:
                return None
            # After a point that was asked for, the cache is not as the course expects it.
            is_warm = warm and server not in self._strayed
        task = self.prepare().take(server, is_warm)
        if task is not None:
            self._strayed.discard(server)
        return task

    def leave(self, server: str) -> None:
        """A server is gone; its points are for others."""
        if self._course is not None:
            self._course.leave(server)

    def ask(self, index: Index) -> None:
        """Deal this point next, to whichever server asks."""
        with self._lock:
            self._asked.setdefault(index, False)

    def settle(self, index: Index) -> None:
        """A point that was dealt has a job now, or is over."""
        with self._lock:
            if self._asked.get(index):
                del self._asked[index]

    def drop_asked(self) -> list[Index]:
        """Forget what was asked for and not dealt yet; returns those points."""
        with self._lock:
            dropped = [index for index, is_dealt in self._asked.items() if not is_dealt]
            self._asked = {index: True for index, is_dealt in self._asked.items() if is_dealt}
            return dropped

    def count_asked(self) -> int:
        """How many points were asked for and have no job yet."""
        return len(self._asked)

    def estimate(self) -> float | None:
        """Seconds until the course is over, as it was planned; None before it was."""
        if self._course is None:
            return None
        return self._course.seconds_left

    @property
    def share_left(self) -> float:
        """The part of the planned work that is not done yet, 0 to 1."""
        if self._course is None:
            return 1.0
        return self._course.share_left

    def finish(self, index: Index, seconds: float | None) -> None:
        """A point is over; `seconds` are those that its nodes ran, if it is done."""
        self.settle(index)
        if self._course is not None:
            self._course.finish(index, seconds)

    def _find_asked(self, server: str) -> Index | None:
        """The first point that was asked for, is not dealt yet, and can run on this server."""
        for index, is_dealt in self._asked.items():
            if not is_dealt and self._accepts(server, index):
                return index
        return None
