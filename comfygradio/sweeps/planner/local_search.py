"""2-opt and or-opt local search on short orders."""

from __future__ import annotations

from collections.abc import Sequence

from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planner.workload import Workload

MAX_ROUNDS = 20
MAX_MOVED = 3
"""Points that are moved together at most."""

EPSILON = 1e-9
NO_POINT = -1


class _Path:
    """An order as numbers of points, and the seconds that each two of them share."""

    def __init__(self, workload: Workload, order: Sequence[Index]) -> None:
        needed = [workload.needed(index) for index in order]
        self.points = list(range(len(needed)))
        self._shared = [[0.0] * len(needed) for _ in needed]
        for one, mine in enumerate(needed):
            for other in range(one):
                seconds = workload.sum_seconds(mine & needed[other])
                self._shared[one][other] = seconds
                self._shared[other][one] = seconds

    def shared_seconds(self, one: int, other: int) -> float:
        """Seconds that two neighbours share; nothing beyond the ends."""
        if one == NO_POINT or other == NO_POINT:
            return 0.0
        return self._shared[one][other]

    def point_at(self, points: Sequence[int], place: int) -> int:
        """The point at a place, NOBODY beyond the ends."""
        if not 0 <= place < len(points):
            return NO_POINT
        return points[place]

    def reverse_segments(self) -> bool:
        """Reverse segments where that saves time (2-opt); True if anything improved."""
        points = self.points
        gained = False
        for first in range(len(points) - 1):
            for last in range(first + 1, len(points)):
                before = self.point_at(points, first - 1)
                after = self.point_at(points, last + 1)
                now = self.shared_seconds(before, points[first]) + self.shared_seconds(
                    points[last], after
                )
                turned = self.shared_seconds(before, points[last]) + self.shared_seconds(
                    points[first], after
                )
                if turned > now + EPSILON:
                    stretch = points[first : last + 1]
                    points[first : last + 1] = stretch[::-1]
                    gained = True
        return gained

    def move_segments(self, length: int) -> bool:
        """Move segments of this length where that saves time (or-opt). True if one moved."""
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
        left = self.point_at(rest, place - 1)
        right = self.point_at(rest, place)
        joined = self.shared_seconds(left, stretch[0]) + self.shared_seconds(stretch[-1], right)
        parted = self.shared_seconds(left, right)
        return joined - parted


def improve_order(workload: Workload, order: Sequence[Index]) -> list[Index]:
    """An order that is at least as cheap for one server; takes time with the square of
    its length.
    """
    path = _Path(workload, order)
    for _ in range(MAX_ROUNDS):
        has_gained = path.reverse_segments()
        for length in range(1, MAX_MOVED + 1):
            has_gained |= path.move_segments(length)
        if not has_gained:
            break
    return [order[point] for point in path.points]
