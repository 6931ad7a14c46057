"""Races: a sweep on several servers, in thought, each with a cache of its own, with times that vary
a little.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planner.cache_pinning import NO_RESULTS
from comfygradio.sweeps.planner.plan import Plan
from comfygradio.sweeps.planner.run_queue import RunQueue, Task
from comfygradio.sweeps.planner.workload import Results, Workload

from .grids import GraphSpace


@dataclass
class SimulatedBackend:
    """A server that runs points in no time; `kept` is what its cache holds."""

    workload: Workload
    kept: Results = NO_RESULTS
    made: list[int] = field(default_factory=list)

    def run(self, index: Index, pinned: Results = NO_RESULTS) -> float:
        """Seconds that a point takes."""
        needed = self.workload.needed(index)
        in_prompt = self.workload.present(index) | pinned
        made = needed - self.kept
        self.kept = (self.kept & in_prompt) | needed
        self.made += made
        return self.workload.sum_seconds(made)


@dataclass(frozen=True)
class Finish:
    """When the last server was done, in seconds, the nodes that were executed, and the points in
    their order.
    """

    seconds: float
    executed: int
    points: list[Index]


def simulate_run(plan: Plan, backends: int, seed: int, jitter: float = 0.1) -> Finish:
    """A plan on so many servers, which take points as they become free, and from one another."""
    run_queue = RunQueue(plan)
    servers = [SimulatedBackend(plan.workload) for _ in range(backends)]
    chance = random.Random(seed)
    free: list[tuple[float, int, Task | None]] = [
        (0.0, backend, None) for backend in range(backends)
    ]
    end = 0.0
    points: list[Index] = []
    idle: list[int] = []
    while free:
        now, backend, before = heapq.heappop(free)
        if before:
            run_queue.finish(before.index)
            end = max(end, now)
        asking = [backend, *idle] if before else [backend]
        for one in asking:
            task = run_queue.take_next(f"backend {one}")
            idle = [other for other in idle if other != one]
            if task is None:
                idle.append(one)
                continue
            points.append(task.index)
            seconds = servers[one].run(task.index, list_pinned(task))
            seconds *= chance.uniform(1 - jitter, 1 + jitter)
            heapq.heappush(free, (now + seconds, one, task))
    executed = sum(len(server.made) for server in servers)
    return Finish(end, executed, points)


def run_in_turn(
    workload: Workload, order: Sequence[Index], backends: int, seed: int, jitter: float = 0.1
) -> Finish:
    """Each server takes the next point as soon as it is free."""
    servers = [SimulatedBackend(workload) for _ in range(backends)]
    chance = random.Random(seed)
    free = [(0.0, backend) for backend in range(backends)]
    for index in order:
        now, backend = heapq.heappop(free)
        seconds = servers[backend].run(index) * chance.uniform(1 - jitter, 1 + jitter)
        heapq.heappush(free, (now + seconds, backend))
    end = max(now for now, _ in free)
    executed = sum(len(server.made) for server in servers)
    return Finish(end, executed, list(order))


def list_pinned(task: Task) -> Results:
    """The results of pinned nodes, whose ids end with their numbers."""
    return frozenset(int(node_id.rpartition("-")[2]) for node_id in task.pinned_nodes)


def bound_simply(workload: Workload, points: Sequence[Index], backends: int) -> float:
    """Seconds that nobody can beat: everything made once and shared by all, or one point from
    nothing.
    """
    once = frozenset[int]().union(*(workload.needed(index) for index in points))
    cold = min(workload.sum_seconds(workload.needed(index)) for index in points)
    return max(workload.sum_seconds(once) / backends, cold)


def bound_truly(space: GraphSpace, points: int, backends: int) -> float:
    """Seconds that the busiest server takes at least on a whole grid, whatever the others have in
    their caches.

    It has at least its share of the points. These touch some positions on each axis, at least as
    many combinations as there are points; and a node's results number at least as the positions on
    each axis that reaches it, and as the points over the positions on the other axes.
    """
    share = -(-points // backends)
    reach = _find_reach(space)
    best = float("inf")
    for touched in itertools.product(*(range(1, size + 1) for size in space.sizes)):
        if _multiply(touched) >= share:
            best = min(
                best, sum(seconds * _count_least(axes, touched, share) for seconds, axes in reach)
            )
    return best


def _count_least(axes: frozenset[int], touched: tuple[int, ...], share: int) -> int:
    others = _multiply([size for axis, size in enumerate(touched) if axis not in axes])
    return max([-(-share // others), *(touched[axis] for axis in axes)])


def _find_reach(space: GraphSpace) -> list[tuple[float, frozenset[int]]]:
    found: dict[str, frozenset[int]] = {}
    for part in space.parts:
        found[part.name] = frozenset(part.axes).union(*(found[source] for source in part.sources))
    return [(part.seconds, found[part.name]) for part in space.parts]


def _multiply(sizes: Sequence[int]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total
