"""A plan decides which backend runs which points in which order, so that all backends end at about
the same time. It tells how long that takes, and how long the order as typed would.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planner.cache_pinning import (
    NO_RESULTS,
    BackendCache,
    PinningLimits,
    estimate_points,
    simulate_points,
)
from comfygradio.sweeps.planner.input_axes import PromptSource
from comfygradio.sweeps.planner.order import (
    Loop,
    LoopNest,
    choose_order,
    list_nests,
    rank_positions,
    traverse,
)
from comfygradio.sweeps.planner.workload import MeasuredSeconds, Results, Workload

MAX_SIMULATED_POINTS = 15_000
"""Approximate number of points that are simulated to choose among the best partitions."""

Partition = tuple[tuple[Index, ...], ...]
"""For each backend its points, in order."""

BISECTIONS = 8
"""Steps of the search for the shortest time in which all segments fit."""

MAX_EVALUATED_POINTS = 400_000
"""Approximate number of points that are evaluated to choose a partition."""

MAX_CANDIDATES = 30
"""Maximum number of orders that are tried with pinning, and again without."""


@dataclass(frozen=True)
class ExpectedCost:
    """The cost of a way to run a sweep: executions by class, seconds until the end, and the seconds
    of all backends together (`work`).
    """

    executions: Mapping[str, int]
    seconds: float
    work: float

    @property
    def executed(self) -> int:
        """Nodes that are executed, all classes together."""
        return sum(self.executions.values())


@dataclass(frozen=True)
class Plan:
    """How the points of a sweep are going to run. All times are estimates, in seconds.

    `segments` are the points of each backend, in order. `planned` is their cost, `as_typed` the
    cost of the order as typed if each backend takes the next point, and `uncached` the cost if no
    result is ever reused. `done` counts the points that are left out because their results exist.
    """

    segments: Partition
    planned: ExpectedCost
    as_typed: ExpectedCost
    uncached: ExpectedCost
    limits: PinningLimits
    done: int = 0
    workload: Workload = field(repr=False, compare=False, kw_only=True)
    object_info: ObjectInfo = field(repr=False, compare=False, kw_only=True)

    @property
    def points(self) -> int:
        """Number of points to run."""
        count = 0
        for segment in self.segments:
            count += len(segment)
        return count

    @property
    def order(self) -> list[Index]:
        """All points, about in the order in which they run."""
        order: list[Index] = []
        for in_turn in itertools.zip_longest(*self.segments):
            order += [index for index in in_turn if index is not None]
        return order

    def describe(self) -> list[str]:
        """Describe the plan in sentences, shown before a sweep starts."""
        count = self.points
        pictures = "picture" if count == 1 else "pictures"
        servers = "one server"
        if len(self.segments) > 1:
            servers = f"{len(self.segments)} servers"
        time = format_seconds(self.planned.seconds)
        lines = [f"{count:,} {pictures} in about {time} on {servers}."]
        if self.done:
            lines.append(f"{self.done:,} more are there already.")
        gain = 1.0
        if self.planned.seconds:
            gain = self.as_typed.seconds / self.planned.seconds
        if gain >= 1.02:
            typed = format_seconds(self.as_typed.seconds)
            lines.append(f"In the order as typed: {typed}, {gain:.1f} times that.")
        executions = format_executions(self.planned.executions, self.uncached.executions)
        lines.append(f"Nodes that run: {executions}.")
        return lines


def plan_sweep(
    space: PromptSource,
    object_info: ObjectInfo,
    seconds: MeasuredSeconds | None = None,
    backends: int = 1,
    limits: PinningLimits | None = None,
    todo: Collection[Index] | None = None,
) -> Plan:
    """Plan a sweep, or the points `todo` of it.

    `seconds` estimates nodes from earlier runs. `backends` is the number of servers, each of which
    runs one prompt at a time. Raises ValuesRefused if the form refuses a point.
    """
    limits = limits or PinningLimits()
    backends = max(1, backends)
    workload = Workload(space, object_info, seconds)
    positions = [range(size) for size in space.sizes]
    everything = list(itertools.product(*positions))
    points = everything
    if todo is not None:
        points = [index for index in everything if index in todo]
    shares = list_partitions(workload, points, backends, limits.is_pinning)
    tried = max(1, MAX_SIMULATED_POINTS // max(1, len(points)))
    costs = [estimate_partition(workload, share, limits) for share in shares[:tried]]
    # The one that ends first; of several, the one with the least work in all.
    best = min(range(len(costs)), key=lambda place: (costs[place].seconds, costs[place].work))
    # Without any cache, every point makes all that it needs.
    needed = [(index, workload.needed(index)) for index in points]
    return Plan(
        segments=shares[best],
        planned=costs[best],
        as_typed=estimate_as_typed(workload, points, backends),
        uncached=estimate_runs(workload, [needed]),
        limits=limits,
        done=len(everything) - len(points),
        workload=workload,
        object_info=object_info,
    )


def estimate_partition(
    workload: Workload, segments: Partition, limits: PinningLimits
) -> ExpectedCost:
    """Estimate the cost if every backend runs its own segment, and pins what the limits allow."""
    runs = []
    for segment in segments:
        cache = BackendCache(workload, segment, limits)
        runs.append(simulate_points(cache))
    return estimate_runs(workload, runs)


def estimate_runs(
    workload: Workload, runs: Iterable[Iterable[tuple[Index, Results]]]
) -> ExpectedCost:
    """Add up the cost of runs, each on a backend of its own. A run yields points and the results
    made for them.
    """
    counted: Counter[int] = Counter()
    ends: list[float] = []
    for run in runs:
        own: Counter[int] = Counter()
        for _, made in run:
            own.update(made)
        seconds = _count_seconds(workload, own)
        ends.append(seconds)
        counted.update(own)
    return ExpectedCost(
        executions=_count_classes(workload, counted),
        seconds=max(ends, default=0.0),
        work=sum(ends),
    )


def estimate_as_typed(workload: Workload, points: Sequence[Index], backends: int) -> ExpectedCost:
    """Estimate the cost if each backend takes the next point as soon as it is free, and keeps the
    results of its last one.
    """
    counted: Counter[int] = Counter()
    # When each backend is free, the soonest on top of the heap.
    free: list[tuple[float, int]] = [(0.0, backend) for backend in range(backends)]
    cached = [NO_RESULTS] * backends
    for index in points:
        start, backend = heapq.heappop(free)
        needed = workload.needed(index)
        made = needed - cached[backend]
        cached[backend] = needed
        counted.update(made)
        end = start + workload.sum_seconds(made)
        heapq.heappush(free, (end, backend))
    last_end, _ = max(free)
    return ExpectedCost(
        executions=_count_classes(workload, counted),
        seconds=last_end,
        work=_count_seconds(workload, counted),
    )


def format_seconds(seconds: float) -> str:
    """Format a duration for people: `40 s`, `12 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min"


def format_executions(ours: Mapping[str, int], alone: Mapping[str, int]) -> str:
    """Format how often each class runs, and how often it would without any cache: `KSampler 12 of
    48`.
    """
    parts = []
    for name, count in ours.items():
        part = f"{name} {count:,}"
        most = alone.get(name, 0)
        if most != count:
            part += f" of {most:,}"
        parts.append(part)
    return ", ".join(parts) or "none"


def _count_classes(workload: Workload, results: Mapping[int, int]) -> Mapping[str, int]:
    counted: Counter[str] = Counter()
    for result, times in results.items():
        class_type = workload.classes[result]
        counted[class_type] += times

    def rank(class_type: str) -> tuple[int, str]:
        return -counted[class_type], class_type

    return {class_type: counted[class_type] for class_type in sorted(counted, key=rank)}


def _count_seconds(workload: Workload, results: Mapping[int, int]) -> float:
    seconds = 0.0
    for result, times in results.items():
        seconds += workload.seconds[result] * times
    return seconds


def list_partitions(
    workload: Workload, points: Sequence[Index], backends: int, is_pinning: bool
) -> list[Partition]:
    """List ways to part the points among backends, the most promising first.

    Each is one long order, cut into segments of about the same cost. Orders that take axes block by
    block are tried as well: what is best on one backend need not be on many, since each has to make
    everything its own points need. With `is_pinning`, costs are estimated both with pinning and
    without.
    """
    orders = [choose_order(workload, points)]
    orders += _list_block_orders(workload, points, is_pinning)
    if backends == 1 or len(points) < 2:
        idle: list[tuple[Index, ...]] = [()] * (backends - 1)
        return [(tuple(order), *idle) for order in orders]
    cuts = []
    for order in orders:
        # With pinning and without; only once, where nothing is pinned.
        for is_pinned in {is_pinning, False}:
            cost, segments = _partition_order(workload, order, backends, is_pinned)
            cuts.append((is_pinned != is_pinning, cost, segments))
    # As it is meant to run first, then the others; each the cheapest first.
    cuts.sort(key=lambda cut: cut[:2])
    return [segments for _, _, segments in cuts]


def _list_block_orders(
    workload: Workload, points: Sequence[Index], is_pinning: bool
) -> list[list[Index]]:
    """List as many orders by blocks as there is time to evaluate."""
    if not points:
        return []
    ways = 2 if is_pinning else 1
    evaluated = len(points) * BISECTIONS * ways
    affordable = MAX_EVALUATED_POINTS // evaluated - 1
    tried = max(0, min(MAX_CANDIDATES, affordable))
    ranks = rank_positions(workload, points)
    nests = list_block_nests(workload, points)
    return [traverse(points, nest, ranks) for nest in itertools.islice(nests, tried)]


def list_block_nests(workload: Workload, points: Sequence[Index]) -> Iterator[LoopNest]:
    """List nests that take the positions of one costly axis in blocks, with another axis inside,
    then the plain nests.

    Segments of such an order are blocks of two axes, which touch fewer positions than rows of the
    same size.
    """
    plain_nests = list_nests(workload, points)
    nests = list(itertools.islice(plain_nests, MAX_CANDIDATES))
    dearest_first = nests[0]
    counts: dict[int, int] = {}
    for level in dearest_first:
        positions = {point[level.axis] for point in points}
        counts[level.axis] = len(positions)
    dearest = list(counts)[:3]
    for one, other in itertools.permutations(dearest, 2):
        largest = counts[one] // 2
        for block in range(2, largest + 1):
            yield (Loop(one, block), Loop(other), *dearest_first)
    yield from nests


def _partition_order(
    workload: Workload, order: list[Index], backends: int, is_pinning: bool
) -> tuple[tuple[float, float], Partition]:
    """Cut an order into segments, so that the longest is as short as possible.

    Returns the seconds of the longest and of all together, and the segments.
    """
    whole = sum(estimate_points(workload, order, NO_RESULTS, is_pinning))
    # Each segment takes at least an equal share, and mostly little more: a backend begins cold.
    low = whole / backends
    high = low + 2 * workload.step_seconds(order[0], None)
    best = _fill_segments(workload, order, high, is_pinning)
    if len(best) > backends:
        # All points in one segment take `whole`, so that this is enough in any case.
        low = high
        high = whole
        best = _fill_segments(workload, order, high, is_pinning)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        fitted = _fill_segments(workload, order, middle, is_pinning)
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
    workload: Workload, order: Sequence[Index], most: float, is_pinning: bool
) -> list[tuple[float, int]]:
    """Fill segments one after the other, each up to `most` seconds. Returns the seconds and length
    of each.
    """
    seconds = workload.seconds
    found: list[tuple[float, int]] = []
    have: Set[int] = NO_RESULTS
    everything: set[int] = set()
    total = 0.0
    length = 0
    for index in order:
        now = workload.needed(index)
        missing = [seconds[result] for result in now if result not in have]
        cost = sum(missing)
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
        if is_pinning:
            everything |= now
            have = everything
    return [*found, (total, length)]
