"""Estimate the seconds left for the running node from its usual duration and its steps so far."""

from __future__ import annotations


class NodeTimeLeft:
    """Estimates the time left for one node at a time; fractions are 0 to 1, times are seconds of
    one clock.
    """

    def __init__(self) -> None:
        self.begin(0.0)

    def begin(self, at: float) -> None:
        """Another node runs."""
        self._begun = at
        self._first: tuple[float, float] | None = None
        self._last = (0.0, at)
        self._repeats = False

    def report(self, fraction: float, at: float) -> None:
        """Record the node's progress. If it goes back, the node works in several passes and its
        steps say nothing about the time left.
        """
        last_fraction, _ = self._last
        if fraction < last_fraction:
            self._repeats = True
        if self._first is None:
            self._first = (fraction, at)
        self._last = (fraction, at)

    def estimate(self, usual: float, now: float) -> float:
        """Seconds left, at least 0; the nearer the end, the more its own speed counts instead of
        the usual seconds.
        """
        if self._first is None or self._repeats:
            return max(usual - (now - self._begun), 0.0)
        first_fraction, first_at = self._first
        fraction, at = self._last
        seen = fraction - first_fraction
        whole = (1 - seen) * usual + (at - first_at)
        left = (1 - fraction) * whole
        return max(left - (now - at), 0.0)
