"""Mending: a short order of points is bent and shifted as long as neighbours come to share more."""

from __future__ import annotations

from collections.abc import Sequence

from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planning.workload import Workload

ROUNDS = 20
LONGEST = 3
"""Points that are moved together at most."""

EPSILON = 1e-9
NOBODY = -1


class _Path:
    """An order as numbers of points, and the seconds that each two of them share."""

    def __init__(self, workload: Workload, order: Sequence[Index]) -> None:
        needed = [workload.needed(index) for index in order]
        self.points = list(range(len(needed)))
        self._shared = [[0.0] * len(needed) for _ in needed]
        for one, mine in enumerate(needed):
            for other in range(one):
                seconds = workload.count(mine & needed[other])
                self._shared[one][other] = seconds
                self._shared[other][one] = seconds

    def share(self, one: int, other: int) -> float:
        """Seconds that two neighbours share; nothing beyond the ends."""
        if one == NOBODY or other == NOBODY:
            return 0.0
        return self._shared[one][other]

    def at(self, points: Sequence[int], place: int) -> int:
        """The point at a place, NOBODY beyond the ends."""
        if not 0 <= place < len(points):
            return NOBODY
        return points[place]

    def bend(self) -> bool:
        """Turn stretches around where that gains something; False if nowhere."""
        points = self.points
        gained = False
        for first in range(len(points) - 1):
            for last in range(first + 1, len(points)):
                before = self.at(points, first - 1)
                after = self.at(points, last + 1)
                now = self.share(before, points[first]) + self.share(points[last], after)
                turned = self.share(before, points[last]) + self.share(points[first], after)
                if turned > now + EPSILON:
                    stretch = points[first : last + 1]
                    points[first : last + 1] = stretch[::-1]
                    gained = True
        return gained

    def shift(self, length: int) -> bool:
        """Move stretches of this length to where they share most; False if all are there."""
        gained = False
        for first in range(len(self.points) - length + 1):
            stretch = self.points[first : first + length]
            rest = self.points[:first] + self.points[first + length :]
            best = self._gain(rest, first, stretch) + EPSILON
            for place in range(len(rest) + 1):
                for turned in (stretch, stretch[::-1]):
                    gain = self._gain(rest, place, turned)
                    if gain > best + EPSILON:
                        best = gain
                        gained = True
                        self.points = [*rest[:place], *turned, *rest[place:]]
        return gained

    def _gain(self, rest: list[int], place: int, stretch: list[int]) -> float:
        left = self.at(rest, place - 1)
        right = self.at(rest, place)
        joined = self.share(left, stretch[0]) + self.share(stretch[-1], right)
        parted = self.share(left, right)
        return joined - parted


def mend_order(workload: Workload, order: Sequence[Index]) -> list[Index]:
    """An order that is at least as cheap for one server; takes time with the square of
    its length.
    """
    path = _Path(workload, order)
    for _ in range(ROUNDS):
        has_gained = path.bend()
        for length in range(1, LONGEST + 1):
            has_gained |= path.shift(length)
        if not has_gained:
            break
    return [order[point] for point in path.points]
