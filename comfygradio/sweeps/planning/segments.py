"""Segments: the points of a sweep shared out to servers, so that all of them end at about the same
time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence, Set

from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planning.carry import NOTHING
from comfygradio.sweeps.planning.estimates import estimate
from comfygradio.sweeps.planning.order import (
    Level,
    Nest,
    choose_order,
    list_nests,
    rank_positions,
    walk,
)
from comfygradio.sweeps.planning.workload import Workload

Segments = tuple[tuple[Index, ...], ...]

BISECTIONS = 8
LOOKS = 400_000
"""So many points are looked at, about, to choose how a sweep is shared out."""

CANDIDATES = 30
"""Orders that are tried at most for each way of counting."""


def list_shares(
    workload: Workload, points: Sequence[Index], lanes: int, carry: bool
) -> list[Segments]:
    """Ways to share points out, the most promising first: for each server its points in order.

    Each is one long order, cut where it costs the same. Several orders are tried, those too that
    take axes block by block, since what pays on one server need not pay on many: each has to make
    for itself whatever its points need. With `carry` it is counted with room for all that is
    carried along, and without.
    """
    order = choose_order(workload, points)
    ranks = rank_positions(workload, points) if points else []
    tried = min(CANDIDATES, LOOKS // (max(1, len(points)) * BISECTIONS * (1 + carry)) - 1)
    nests = itertools.islice(list_block_nests(workload, points), max(0, tried)) if points else ()
    orders = [order, *(walk(points, nest, ranks) for nest in nests)]
    if lanes == 1 or len(points) < 2:
        return [(tuple(one), *([()] * (lanes - 1))) for one in orders]
    cuts = [(_cut(workload, one, lanes, way), way) for one in orders for way in {carry, False}]
    return [cut[1] for cut, _ in sorted(cuts, key=lambda found: (found[1] != carry, found[0][0]))]


def list_block_nests(workload: Workload, points: Sequence[Index]) -> Iterator[Nest]:
    """Nests that take one of the dearest axes some positions at a time, and another as a whole for
    these; plain nests.

    Cut in pieces, such an order gives blocks of two axes, which touch fewer positions than rows of
    the same size.
    """
    nests = list(itertools.islice(list_nests(workload, points), CANDIDATES))
    counts = {level.axis: len({point[level.axis] for point in points}) for level in nests[0]}
    for one, other in itertools.permutations(list(counts)[:3], 2):
        for block in range(2, counts[one] // 2 + 1):
            yield (Level(one, block), Level(other), *nests[0])
    yield from nests


def _cut(
    workload: Workload, order: list[Index], lanes: int, carry: bool
) -> tuple[tuple[float, float], Segments]:
    """The longest segment and the sum of all, in seconds, and the segments that make the longest as
    short as can be.
    """
    whole = sum(estimate(workload, order, NOTHING, carry))
    low, high = whole / lanes, whole / lanes + 2 * workload.step(order[0], None)
    best = _fit(workload, order, high, carry)
    if len(best) > lanes:
        low, high = high, whole
        best = _fit(workload, order, high, carry)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        fitted = _fit(workload, order, middle, carry)
        if len(fitted) <= lanes:
            high, best = min(middle, max(cost for cost, _ in fitted)), fitted
        else:
            low = middle
    costs = [cost for cost, _ in best]
    ends = list(itertools.accumulate(length for _, length in best))
    cuts = [tuple(order[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
    return (max(costs), sum(costs)), (*cuts, *([()] * (lanes - len(cuts))))


def _fit(
    workload: Workload, order: Sequence[Index], most: float, carry: bool
) -> list[tuple[float, int]]:
    """Seconds and length of segments that are filled up to so many seconds, one after the other."""
    seconds, needed = workload.seconds, workload.needed
    found: list[tuple[float, int]] = []
    have: Set[int] = NOTHING
    total, length, everything = 0.0, 0, set[int]()
    for index in order:
        now = needed(index)
        cost = sum([seconds[result] for result in now if result not in have])
        if length and total + cost > most:
            found.append((total, length))
            total, length, everything = 0.0, 0, set()
            cost = workload.count(now)
        total, length = total + cost, length + 1
        have = now
        if carry:
            everything |= now
            have = everything
    return [*found, (total, length)]
