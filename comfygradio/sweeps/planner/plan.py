"""Plans: which server runs which points in which order, how long that takes, and how long the order
as typed would.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planner.cache_pinning import (
    NO_RESULTS,
    BackendCache,
    PinningLimits,
    simulate_points,
)
from comfygradio.sweeps.planner.node_cost import MeasuredSeconds
from comfygradio.sweeps.planner.partition import Partition, list_partitions
from comfygradio.sweeps.planner.space import PromptSource
from comfygradio.sweeps.planner.workload import Results, Workload

MAX_SIMULATED_POINTS = 15_000
"""So many points are run in thought, about, to choose among the best ways to share a sweep out."""


@dataclass(frozen=True)
class ExpectedCost:
    """What a way to run a sweep costs: executions by class, seconds until its end, and `work`,
    those of all servers.
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
    """What happens to the points of a sweep before the first of them runs. Times are expected, in
    seconds.

    `backends` are the points of each server in order; `ours` is what they cost, `typed` what the
    order as typed costs where each server takes the next point, and `alone` what every point costs
    on a server that has nothing. `done` counts the points that are left out because their results
    are there.
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
        """Points that are to run."""
        return sum(len(segment) for segment in self.segments)

    @property
    def order(self) -> list[Index]:
        """Every point, about in the order in which they come."""
        rounds = itertools.zip_longest(*self.segments)
        in_turn = itertools.chain.from_iterable(rounds)
        return [index for index in in_turn if index is not None]

    def describe(self) -> list[str]:
        """Describe the plan in sentences, shown before a sweep starts."""
        servers = f"{len(self.segments)} servers" if len(self.segments) > 1 else "one server"
        pictures = "picture" if self.points == 1 else "pictures"
        time = format_seconds(self.planned.seconds)
        lines = [f"{self.points:,} {pictures} in about {time} on {servers}."]
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
    """The plan for a sweep, or for the points of it that are still to do.

    `seconds` knows what was measured, `backends` are servers that run one prompt at a time. Raises
    ValuesRefused where the form refuses a point.
    """
    limits = limits or PinningLimits()
    backends = max(1, backends)
    workload = Workload(space, object_info, seconds)
    positions = [range(size) for size in space.sizes]
    everything = list(itertools.product(*positions))
    points = everything
    if todo is not None:
        points = [index for index in everything if index in todo]
    shares = list_partitions(workload, points, backends, limits.carry)
    tried = max(1, MAX_SIMULATED_POINTS // max(1, len(points)))
    expected = []
    for share in shares[:tried]:
        expected.append((estimate_partition(workload, share, limits), share))
    ours, segments = min(expected, key=lambda pair: (pair[0].seconds, pair[0].work))
    typed = estimate_as_typed(workload, points, backends)
    needed = [(index, workload.needed(index)) for index in points]
    return Plan(
        segments,
        ours,
        typed,
        uncached=estimate_runs(workload, [needed]),
        limits=limits,
        done=len(everything) - len(points),
        workload=workload,
        object_info=object_info,
    )


def estimate_partition(
    workload: Workload, segments: Partition, limits: PinningLimits
) -> ExpectedCost:
    """What it costs if every server runs its own points, and carries along what the
    limits allow.
    """
    keepers = [BackendCache(workload, segment, limits) for segment in segments]
    return estimate_runs(workload, [simulate_points(keeper) for keeper in keepers])


def estimate_runs(
    workload: Workload, runs: Iterable[Iterable[tuple[Index, Results]]]
) -> ExpectedCost:
    """What it costs to make these results, each run on a server of its own."""
    counted: Counter[int] = Counter()
    ends: list[float] = []
    for run in runs:
        own: Counter[int] = Counter()
        for _, made in run:
            own.update(made)
        ends.append(_count_seconds(workload, own))
        counted.update(own)
    return ExpectedCost(_count_classes(workload, counted), max(ends, default=0.0), sum(ends))


def estimate_as_typed(workload: Workload, points: Sequence[Index], backends: int) -> ExpectedCost:
    """What it costs if each server takes the next point as soon as it is free, and keeps what the
    last one needed.
    """
    counted: Counter[int] = Counter()
    free: list[tuple[float, int]] = [(0.0, backend) for backend in range(backends)]
    kept = [NO_RESULTS] * backends
    for index in points:
        at, backend = heapq.heappop(free)
        needed = workload.needed(index)
        made = needed - kept[backend]
        kept[backend] = needed
        counted.update(made)
        heapq.heappush(free, (at + workload.sum_seconds(made), backend))
    end = max(at for at, _ in free)
    work = _count_seconds(workload, counted)
    return ExpectedCost(_count_classes(workload, counted), end, work)


def format_seconds(seconds: float) -> str:
    """A length of time for people: `40 s`, `12 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min"


def format_executions(ours: Mapping[str, int], alone: Mapping[str, int]) -> str:
    """How often each class runs, and of how often without any cache: `KSampler 12 of 48`."""
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
        counted[workload.classes[result]] += times
    most_first = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return dict(most_first)


def _count_seconds(workload: Workload, results: Mapping[int, int]) -> float:
    seconds = workload.seconds
    return sum(seconds[result] * times for result, times in results.items())
