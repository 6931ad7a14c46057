"""How long the node that runs will still take, from its usual seconds and from its steps so far."""

from __future__ import annotations


class Pace:
    """The clock of one node after the other; fractions are 0 to 1, times are seconds
    of one clock.
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
        """The node is that far; one that falls back works in several passes, so that its steps tell
        nothing.
        """
        self._repeats = self._repeats or fraction < self._last[0]
        self._first = self._first or (fraction, at)
        self._last = (fraction, at)

    def estimate(self, usual: float, now: float) -> float:
        """Seconds left, at least 0; the nearer the end, the more its own speed counts instead of
        the usual seconds.
        """
        if self._first is None or self._repeats:
            return max(usual - (now - self._begun), 0.0)
        fraction, at = self._last
        seen = fraction - self._first[0]
        whole = (1 - seen) * usual + (at - self._first[1])
        return max((1 - fraction) * whole - (now - at), 0.0)
