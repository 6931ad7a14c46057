"""Pace: how long the rest of a sweep takes, by what it took until now."""

from __future__ import annotations

from comfygradio.clock import SYSTEM_CLOCK, Clock

MEASURED = 3
"""So many points tell more than the plan."""


class Pace:
    """Counts from when a sweep began to run, or began again."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._began: float | None = None
        self._over = 0

    def begin(self, over: int) -> None:
        """It runs from now on, with so many points over."""
        self._began, self._over = self._clock.monotonic(), over

    def estimate(self, over: int, total: int, planned: float | None) -> float | None:
        """Seconds left with so many points over; `planned` is what was expected of the rest.

        None: unknown.
        """
        if self._began is None:
            return None
        elapsed, made = self._clock.monotonic() - self._began, over - self._over
        if made >= MEASURED:
            return elapsed / made * (total - over)
        return planned
