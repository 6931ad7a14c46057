"""Orders the points of a sweep, so that each one finds much of its work done by the one before."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from comfygradio.sweeps.axes.axis import Index, move_point
from comfygradio.sweeps.planner.workload import Results, Workload

MAX_EVALUATED_STEPS = 300_000
"""Maximum number of steps between points that are evaluated to choose an order."""

MAX_LOCAL_SEARCH_POINTS = 150
"""Points of the longest order that local search improves. Orders of whole grids hardly ever need
it, those of what is left of a grid do.
"""

MAX_ROUNDS = 20
"""Passes of local search at most."""

MAX_MOVED = 3
"""Points that are moved together at most."""

EPSILON = 1e-9

NO_POINT = -1


@dataclass(frozen=True)
class Loop:
    """One loop of a nest: an axis, or blocks of `block` positions of it."""

    axis: int
    block: int = 1


LoopNest = tuple[Loop, ...]
"""Loops, the outermost first."""

Ranks = list[dict[int, int]]
"""For each axis, position → its place along it."""


def list_nests(workload: Workload, points: Sequence[Index]) -> Iterator[LoopNest]:
    """List every nesting of the axes that the points differ in, beginning with the costliest axis
    outermost.
    """
    axes = []
    for axis in range(len(points[0])):
        positions = {point[axis] for point in points}
        if len(positions) > 1:
            axes.append(axis)
    weights = weigh_axes(workload, points)
    ranked = sorted(axes, key=lambda axis: -weights[axis])
    for order in itertools.permutations(ranked):
        yield tuple(Loop(axis) for axis in order)


def weigh_axes(workload: Workload, points: Sequence[Index]) -> list[float]:
    """Measure the average seconds that a step along each axis costs."""
    axes = len(points[0])
    return [_weigh_axis(workload, axis, points) for axis in range(axes)]


def choose_order(workload: Workload, points: Sequence[Index]) -> list[Index]:
    """Choose the cheapest order for one backend that keeps the results of the prompt before.

    Tries every nesting of the axes if there are few, else the most promising ones.
    """
    if not points:
        return []
    tried = max(1, MAX_EVALUATED_STEPS // len(points))
    ranks = rank_positions(workload, points)
    nests = itertools.islice(list_nests(workload, points), tried)
    orders = (traverse(points, nest, ranks) for nest in nests)
    best = min(orders, key=lambda order: measure_order(workload, order))
    if len(best) > MAX_LOCAL_SEARCH_POINTS:
        return best
    return improve_order(workload, best)


def measure_order(workload: Workload, order: Sequence[Index]) -> float:
    """Add up the seconds that one backend takes for the points in this order."""
    seconds = workload.seconds
    before: Results = frozenset()
    total = 0.0
    for index in order:
        now = workload.needed(index)
        # By default ComfyUI keeps only what the prompt before had (v0.33.0, up to 128 GB of RAM).
        for result in now - before:
            total += seconds[result]
        before = now
    return total


def rank_positions(workload: Workload, points: Sequence[Index]) -> Ranks:
    """Rank the positions of each axis, so that those that need the same results are neighbours."""
    first = points[0]
    ranks: Ranks = []
    for axis in range(len(first)):
        rank: dict[int, int] = {}
        # Positions that need the same results have the place of the first of them.
        places: dict[Results, int] = {}
        positions = {point[axis] for point in points}
        for position in sorted(positions):
            moved = move_point(first, axis, position)
            needed = workload.needed(moved)
            rank[position] = places.setdefault(needed, position)
        order = sorted(rank, key=lambda position: (rank[position], position))
        ranks.append({position: place for place, position in enumerate(order)})
    return ranks


def traverse(points: Sequence[Index], nest: LoopNest, ranks: Ranks) -> list[Index]:
    """Visit the points by nested loops that reverse direction at their ends (boustrophedon).

    Each loop begins at the position where the last one stopped if that is there, so that orders of
    partial grids repeat as little as those of whole ones.
    """
    found: list[Index] = []
    _traverse(list(points), nest, ranks, found)
    return found


def _traverse(points: list[Index], nest: LoopNest, ranks: Ranks, found: list[Index]) -> None:
    if not nest or len(points) == 1:
        found += points
        return
    axis = nest[0].axis
    block = nest[0].block
    rank = ranks[axis]
    groups: dict[int, list[Index]] = {}
    for point in points:
        group = rank[point[axis]] // block
        groups.setdefault(group, []).append(point)
    positions = sorted(groups)
    at = rank[found[-1][axis]] // block if found else None
    if at in groups:
        # Begin where the last loop stopped, and take the others from the nearer end on.
        if positions.index(at) * 2 >= len(positions):
            positions.reverse()
        positions.remove(at)
        positions.insert(0, at)
    for position in positions:
        _traverse(groups[position], nest[1:], ranks, found)


def _weigh_axis(workload: Workload, axis: int, points: Sequence[Index]) -> float:
    """Average the seconds of a step to the next position on an axis, for a sample of points."""
    positions = sorted({point[axis] for point in points})
    followers = [*positions[1:], positions[0]]
    follower = dict(zip(positions, followers, strict=True))
    seconds = []
    # Some 50 points tell enough about an axis.
    stride = max(1, len(points) // 50)
    starts = points[::stride]
    for start in starts:
        position = follower[start[axis]]
        end = move_point(start, axis, position)
        cost = workload.step_seconds(end, start)
        seconds.append(cost)
    return math.fsum(seconds) / len(starts)


class _Path:
    """An order that local search improves: numbers of points, and the seconds of work that each two
    share.
    """

    def __init__(self, workload: Workload, order: Sequence[Index]) -> None:
        needed = [workload.needed(index) for index in order]
        count = len(needed)
        self.points = list(range(count))
        self._shared = [[0.0] * count for _ in needed]
        for one, mine in enumerate(needed):
            for other in range(one):
                both = mine & needed[other]
                seconds = workload.sum_seconds(both)
                self._shared[one][other] = seconds
                self._shared[other][one] = seconds

    def shared_seconds(self, one: int, other: int) -> float:
        """Return the seconds of work that two neighbours share, 0 beyond the ends."""
        if one == NO_POINT or other == NO_POINT:
            return 0.0
        return self._shared[one][other]

    def point_at(self, points: Sequence[int], place: int) -> int:
        """Return the point at a place, NO_POINT beyond the ends."""
        if not 0 <= place < len(points):
            return NO_POINT
        return points[place]

    def reverse_segments(self) -> bool:
        """Reverse segments if that saves time (2-opt). Returns whether any was reversed."""
        points = self.points
        gained = False
        for first in range(len(points) - 1):
            for last in range(first + 1, len(points)):
                before = self.point_at(points, first - 1)
                after = self.point_at(points, last + 1)
                now = self.shared_seconds(before, points[first])
                now += self.shared_seconds(points[last], after)
                # Inside the segment nothing changes: two points share the same work in either
                # order.
                turned = self.shared_seconds(before, points[last])
                turned += self.shared_seconds(points[first], after)
                if turned > now + EPSILON:
                    segment = points[first : last + 1]
                    points[first : last + 1] = segment[::-1]
                    gained = True
        return gained

    def move_segments(self, length: int) -> bool:
        """Move segments of this length if that saves time (or-opt). Returns whether any moved."""
        gained = False
        for first in range(len(self.points) - length + 1):
            end = first + length
            segment = self.points[first:end]
            reverse = segment[::-1]
            rest = self.points[:first] + self.points[end:]
            best = self._measure_gain(rest, first, segment) + EPSILON
            for place in range(len(rest) + 1):
                for turned in (segment, reverse):
                    gain = self._measure_gain(rest, place, turned)
                    if gain > best + EPSILON:
                        best = gain
                        gained = True
                        self.points = [*rest[:place], *turned, *rest[place:]]
        return gained

    def _measure_gain(self, rest: list[int], place: int, segment: list[int]) -> float:
        """Measure the seconds that neighbours share more if a segment is inserted here."""
        left = self.point_at(rest, place - 1)
        right = self.point_at(rest, place)
        first = segment[0]
        last = segment[-1]
        joined = self.shared_seconds(left, first) + self.shared_seconds(last, right)
        parted = self.shared_seconds(left, right)
        return joined - parted


def improve_order(workload: Workload, order: Sequence[Index]) -> list[Index]:
    """Improve an order by local search; the result costs at most as much.

    Takes time with the square of its length.
    """
    path = _Path(workload, order)
    for _ in range(MAX_ROUNDS):
        has_gained = path.reverse_segments()
        for length in range(1, MAX_MOVED + 1):
            has_gained |= path.move_segments(length)
        if not has_gained:
            break
    return [order[point] for point in path.points]
