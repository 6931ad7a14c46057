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
    orders = [order, *_list_block_orders(workload, points, carry)]
    if lanes == 1 or len(points) < 2:
        idle: list[tuple[Index, ...]] = [()] * (lanes - 1)
        return [(tuple(one), *idle) for one in orders]
    cuts = []
    for one in orders:
        for way in {carry, False}:
            cost, segments = _cut(workload, one, lanes, way)
            cuts.append((way != carry, cost, segments))
    cuts.sort(key=lambda found: found[:2])
    return [segments for _, _, segments in cuts]


def _list_block_orders(
    workload: Workload, points: Sequence[Index], carry: bool
) -> list[list[Index]]:
    """Orders by blocks, as many as there is time to look at."""
    if not points:
        return []
    looks = len(points) * BISECTIONS * (1 + carry)
    tried = min(CANDIDATES, LOOKS // looks - 1)
    ranks = rank_positions(workload, points)
    nests = itertools.islice(list_block_nests(workload, points), max(0, tried))
    return [walk(points, nest, ranks) for nest in nests]


def list_block_nests(workload: Workload, points: Sequence[Index]) -> Iterator[Nest]:
    """Nests that take one of the dearest axes some positions at a time, and another as a whole for
    these; plain nests.

    Cut in pieces, such an order gives blocks of two axes, which touch fewer positions than rows of
    the same size.
    """
    nests = list(itertools.islice(list_nests(workload, points), CANDIDATES))
    dearest_first = nests[0]
    counts: dict[int, int] = {}
    for level in dearest_first:
        positions = {point[level.axis] for point in points}
        counts[level.axis] = len(positions)
    dearest = list(counts)[:3]
    for one, other in itertools.permutations(dearest, 2):
        for block in range(2, counts[one] // 2 + 1):
            yield (Level(one, block), Level(other), *dearest_first)
    yield from nests


def _cut(
    workload: Workload, order: list[Index], lanes: int, carry: bool
) -> tuple[tuple[float, float], Segments]:
    """The longest segment and the sum of all, in seconds, and the segments that make the longest as
    short as can be.
    """
    whole = sum(estimate(workload, order, NOTHING, carry))
    low = whole / lanes
    high = low + 2 * workload.step(order[0], None)
    best = _fit(workload, order, high, carry)
    if len(best) > lanes:
        low = high
        high = whole
        best = _fit(workload, order, high, carry)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        fitted = _fit(workload, order, middle, carry)
        if len(fitted) <= lanes:
            longest = max(cost for cost, _ in fitted)
            high = min(middle, longest)
            best = fitted
        else:
            low = middle
    costs: list[float] = []
    segments: list[tuple[Index, ...]] = []
    start = 0
    for cost, length in best:
        costs.append(cost)
        segments.append(tuple(order[start : start + length]))
        start += length
    segments += [()] * (lanes - len(segments))
    return (max(costs), sum(costs)), tuple(segments)


def _fit(
    workload: Workload, order: Sequence[Index], most: float, carry: bool
) -> list[tuple[float, int]]:
    """Seconds and length of segments that are filled up to so many seconds, one after the other."""
    seconds = workload.seconds
    found: list[tuple[float, int]] = []
    have: Set[int] = NOTHING
    everything: set[int] = set()
    total = 0.0
    length = 0
    for index in order:
        now = workload.needed(index)
        cost = sum([seconds[result] for result in now if result not in have])
        if length and total + cost > most:
            # The next segment begins here, on a server that has nothing yet.
            found.append((total, length))
            everything = set()
            total = 0.0
            length = 0
            cost = workload.count(now)
        total += cost
        length += 1
        have = now
        if carry:
            everything |= now
            have = everything
    return [*found, (total, length)]
