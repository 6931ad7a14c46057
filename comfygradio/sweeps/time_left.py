"""The time left of a sweep, measured from the moment when it starts or resumes."""

from __future__ import annotations

from comfygradio.clock import SYSTEM_CLOCK, Clock

MIN_MEASURED_POINTS = 3
"""After this many finished points, measured speed replaces the planned estimate."""


class TimeLeft:
    """Measures from the moment a sweep starts or resumes."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._began: float | None = None
        self._over = 0
        self._share = 1.0

    def begin(self, over: int, share_left: float) -> None:
        """It runs from now on, with so many points over, and that part of the work left."""
        self._began = self._clock.monotonic()
        self._over = over
        self._share = share_left

    def estimate(self, over: int, planned: float | None, share_left: float) -> float | None:
        """Seconds left with so many points over and that part of the work left; `planned` is what
        was expected of the rest.

        None: unknown.
        """
        if self._began is None:
            return None
        done = self._share - share_left
        if over - self._over < MIN_MEASURED_POINTS or done <= 0:
            return planned
        elapsed = self._clock.monotonic() - self._began
        return elapsed / done * share_left
