"""Segments: the points of a sweep shared out to backends, so that all of them end at about the same
time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence, Set

from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planner.cache_pinning import NO_RESULTS, estimate_points
from comfygradio.sweeps.planner.order import (
    Loop,
    LoopNest,
    choose_order,
    list_nests,
    rank_positions,
    traverse,
)
from comfygradio.sweeps.planner.workload import Workload

Partition = tuple[tuple[Index, ...], ...]

BISECTIONS = 8
MAX_EVALUATED_POINTS = 400_000
"""So many points are looked at, about, to choose how a sweep is shared out."""

MAX_CANDIDATES = 30
"""Orders that are tried at most for each way of counting."""


def list_partitions(
    workload: Workload, points: Sequence[Index], backends: int, carry: bool
) -> list[Partition]:
    """Ways to share points out, the most promising first: for each backend its points in order.

    Each is one long order, cut where it costs the same. Several orders are tried, those too that
    take axes block by block, since what pays on one backend need not pay on many: each has to make
    for itself whatever its points need. With `carry` it is counted with room for all that is
    carried along, and without.
    """
    order = choose_order(workload, points)
    orders = [order, *_list_block_orders(workload, points, carry)]
    if backends == 1 or len(points) < 2:
        idle: list[tuple[Index, ...]] = [()] * (backends - 1)
        return [(tuple(one), *idle) for one in orders]
    cuts = []
    for one in orders:
        for way in {carry, False}:
            cost, segments = _partition_order(workload, one, backends, way)
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
    tried = min(MAX_CANDIDATES, MAX_EVALUATED_POINTS // looks - 1)
    ranks = rank_positions(workload, points)
    nests = itertools.islice(list_block_nests(workload, points), max(0, tried))
    return [traverse(points, nest, ranks) for nest in nests]


def list_block_nests(workload: Workload, points: Sequence[Index]) -> Iterator[LoopNest]:
    """Nests that take one of the dearest axes some positions at a time, and another as a whole for
    these; plain nests.

    Cut in pieces, such an order gives blocks of two axes, which touch fewer positions than rows of
    the same size.
    """
    nests = list(itertools.islice(list_nests(workload, points), MAX_CANDIDATES))
    dearest_first = nests[0]
    counts: dict[int, int] = {}
    for level in dearest_first:
        positions = {point[level.axis] for point in points}
        counts[level.axis] = len(positions)
    dearest = list(counts)[:3]
    for one, other in itertools.permutations(dearest, 2):
        for block in range(2, counts[one] // 2 + 1):
            yield (Loop(one, block), Loop(other), *dearest_first)
    yield from nests


def _partition_order(
    workload: Workload, order: list[Index], backends: int, carry: bool
) -> tuple[tuple[float, float], Partition]:
    """The longest segment and the sum of all, in seconds, and the segments that make the longest as
    short as can be.
    """
    whole = sum(estimate_points(workload, order, NO_RESULTS, carry))
    low = whole / backends
    high = low + 2 * workload.step_seconds(order[0], None)
    best = _fill_segments(workload, order, high, carry)
    if len(best) > backends:
        low = high
        high = whole
        best = _fill_segments(workload, order, high, carry)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        fitted = _fill_segments(workload, order, middle, carry)
        if len(fitted) <= backends:
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
    segments += [()] * (backends - len(segments))
    return (max(costs), sum(costs)), tuple(segments)


def _fill_segments(
    workload: Workload, order: Sequence[Index], most: float, carry: bool
) -> list[tuple[float, int]]:
    """Seconds and length of segments that are filled up to so many seconds, one after the other."""
    seconds = workload.seconds
    found: list[tuple[float, int]] = []
    have: Set[int] = NO_RESULTS
    everything: set[int] = set()
    total = 0.0
    length = 0
    for index in order:
        now = workload.needed(index)
        cost = sum([seconds[result] for result in now if result not in have])
        if length and total + cost > most:
            # The next segment begins here, on a backend that has nothing yet.
            found.append((total, length))
            everything = set()
            total = 0.0
            length = 0
            cost = workload.sum_seconds(now)
        total += cost
        length += 1
        have = now
        if carry:
            everything |= now
            have = everything
    return [*found, (total, length)]
