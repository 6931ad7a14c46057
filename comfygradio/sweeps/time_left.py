"""Estimates the time left of a sweep, by its speed since it was started or resumed."""

from __future__ import annotations

from comfygradio.clock import SYSTEM_CLOCK, Clock

MIN_MEASURED_POINTS = 3
"""After this many finished points, measured speed replaces the planned estimate."""


class TimeLeft:
    """Measures the speed since a sweep was started or resumed."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._began: float | None = None
        self._over = 0
        self._share = 1.0

    def begin(self, over: int, share_left: float) -> None:
        """Begin to measure, with this number of ended points and this share of the work left."""
        self._began = self._clock.monotonic()
        self._over = over
        self._share = share_left

    def estimate(self, over: int, planned: float | None, share_left: float) -> float | None:
        """Estimate the seconds left, or return None if nothing is known.

        `planned` is used until enough points have ended to measure the speed.
        """
        if self._began is None:
            return None
        # By work and not by points, which may take very different times.
        done = self._share - share_left
        if over - self._over < MIN_MEASURED_POINTS or done <= 0:
            return planned
        elapsed = self._clock.monotonic() - self._began
        return elapsed / done * share_left
