"""Pixel budget: limits the decoded pixels in this process; further requests wait in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

MAX_PIXELS = 64_000_000
"""Maximum pixels of all open pictures: some 600 MB while they are processed."""


class PixelBudget:
    """Reserves pixels, first come, first served. Thread-safe.

    A holder must not reserve more before it releases what it has, or two could wait for each other.
    """

    def __init__(self, most: int = MAX_PIXELS) -> None:
        self.capacity = most
        self._used = 0
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @property
    def used(self) -> int:
        """Number of pixels that are reserved at the moment."""
        return self._used

    @property
    def waiting(self) -> int:
        """Number of requests waiting for room."""
        return len(self._waiting)

    @contextmanager
    def reserve(self, pixels: int) -> Iterator[None]:
        """Reserve this many pixels, or the whole budget for a larger picture. Waits until there is
        room.
        """
        weight = min(pixels, self.capacity)
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                while not self._has_room(ticket, weight):
                    self._changed.wait()
                self._used += weight
            finally:
                # The next request may have room as well, or wait only because of this one's place.
                self._waiting.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._used -= weight
                self._changed.notify_all()

    def _has_room(self, ticket: object, weight: int) -> bool:
        """Whether this request is the next one, and its pixels are free. Needs the lock."""
        if self._waiting[0] is not ticket:
            return False
        return self._used + weight <= self.capacity


PIXEL_BUDGET = PixelBudget()
"""The budget of this process, shared because memory is."""
