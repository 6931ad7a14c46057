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
from comfygradio.sweeps.planning.carry import NOTHING, Keeper, Limits, iterate_made
from comfygradio.sweeps.planning.cost import Seconds
from comfygradio.sweeps.planning.segments import Segments, list_shares
from comfygradio.sweeps.planning.space import Prompts
from comfygradio.sweeps.planning.workload import Results, Workload

SIMULATED = 15_000
"""So many points are run in thought, about, to choose among the best ways to share a sweep out."""


@dataclass(frozen=True)
class Expected:
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

    `lanes` are the points of each server in order; `ours` is what they cost, `typed` what the order
    as typed costs where each server takes the next point, and `alone` what every point costs on a
    server that has nothing. `done` counts the points that are left out because their results are
    there.
    """

    lanes: Segments
    ours: Expected
    typed: Expected
    alone: Expected
    limits: Limits
    done: int = 0
    workload: Workload = field(repr=False, compare=False, kw_only=True)
    known: ObjectInfo = field(repr=False, compare=False, kw_only=True)

    @property
    def points(self) -> int:
        """Points that are to run."""
        return sum(len(segment) for segment in self.lanes)

    @property
    def order(self) -> list[Index]:
        """Every point, about in the order in which they come."""
        rounds = itertools.zip_longest(*self.lanes)
        in_turn = itertools.chain.from_iterable(rounds)
        return [index for index in in_turn if index is not None]

    def describe(self) -> list[str]:
        """What people read before they start, in sentences."""
        servers = f"{len(self.lanes)} servers" if len(self.lanes) > 1 else "one server"
        pictures = "picture" if self.points == 1 else "pictures"
        time = write_seconds(self.ours.seconds)
        lines = [f"{self.points:,} {pictures} in about {time} on {servers}."]
        if self.done:
            lines.append(f"{self.done:,} more are there already.")
        gain = 1.0
        if self.ours.seconds:
            gain = self.typed.seconds / self.ours.seconds
        if gain >= 1.02:
            typed = write_seconds(self.typed.seconds)
            lines.append(f"In the order as typed: {typed}, {gain:.1f} times that.")
        executions = write_executions(self.ours.executions, self.alone.executions)
        lines.append(f"Nodes that run: {executions}.")
        return lines


def plan_sweep(
    space: Prompts,
    known: ObjectInfo,
    seconds: Seconds | None = None,
    lanes: int = 1,
    limits: Limits | None = None,
    todo: Collection[Index] | None = None,
) -> Plan:
    """The plan for a sweep, or for the points of it that are still to do.

    `seconds` knows what was measured, `lanes` are servers that run one prompt at a time. Raises
    ValuesRefused where the form refuses a point.
    """
    limits = limits or Limits()
    lanes = max(1, lanes)
    workload = Workload(space, known, seconds)
    positions = [range(size) for size in space.sizes]
    everything = list(itertools.product(*positions))
    points = everything
    if todo is not None:
        points = [index for index in everything if index in todo]
    shares = list_shares(workload, points, lanes, limits.carry)
    tried = max(1, SIMULATED // max(1, len(points)))
    expected = []
    for share in shares[:tried]:
        expected.append((expect_segments(workload, share, limits), share))
    ours, segments = min(expected, key=lambda pair: (pair[0].seconds, pair[0].work))
    typed = expect_in_turn(workload, points, lanes)
    needed = [(index, workload.needed(index)) for index in points]
    return Plan(
        segments,
        ours,
        typed,
        alone=expect(workload, [needed]),
        limits=limits,
        done=len(everything) - len(points),
        workload=workload,
        known=known,
    )


def expect_segments(workload: Workload, segments: Segments, limits: Limits) -> Expected:
    """What it costs if every server runs its own points, and carries along what the
    limits allow.
    """
    keepers = [Keeper(workload, segment, limits) for segment in segments]
    return expect(workload, [iterate_made(keeper) for keeper in keepers])


def expect(workload: Workload, runs: Iterable[Iterable[tuple[Index, Results]]]) -> Expected:
    """What it costs to make these results, each run on a server of its own."""
    counted: Counter[int] = Counter()
    ends: list[float] = []
    for run in runs:
        own: Counter[int] = Counter()
        for _, made in run:
            own.update(made)
        ends.append(_count_seconds(workload, own))
        counted.update(own)
    return Expected(_count_classes(workload, counted), max(ends, default=0.0), sum(ends))


def expect_in_turn(workload: Workload, points: Sequence[Index], lanes: int) -> Expected:
    """What it costs if each server takes the next point as soon as it is free, and keeps what the
    last one needed.
    """
    counted: Counter[int] = Counter()
    free: list[tuple[float, int]] = [(0.0, lane) for lane in range(lanes)]
    kept = [NOTHING] * lanes
    for index in points:
        at, lane = heapq.heappop(free)
        needed = workload.needed(index)
        made = needed - kept[lane]
        kept[lane] = needed
        counted.update(made)
        heapq.heappush(free, (at + workload.count(made), lane))
    end = max(at for at, _ in free)
    work = _count_seconds(workload, counted)
    return Expected(_count_classes(workload, counted), end, work)


def write_seconds(seconds: float) -> str:
    """A length of time for people: `40 s`, `12 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min"


def write_executions(ours: Mapping[str, int], alone: Mapping[str, int]) -> str:
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
