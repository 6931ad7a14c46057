"""The run queue executes a plan.

Points are handed to backends one by one. An idle backend takes over the end of a busy one's points
where both finish sooner by that (work stealing).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planner.cache_pinning import NO_RESULTS, BackendCache, build_pinned_nodes
from comfygradio.sweeps.planner.plan import Plan
from comfygradio.sweeps.planner.workload import Results

Accepts = Callable[[str, Index], bool]
"""Whether a backend can run a point: it has the classes and files that the point asks for.

Must be quick.
"""

MAX_TIME_RATIO = 0.98
"""A backend takes over points only if both are then done in less than this share of the time."""


@dataclass(frozen=True)
class Task:
    """A point to run on a backend. `seconds` is the expected time.

    `pinned_nodes` are nodes in API format by id, which are added to the graph. `executed` are the
    nodes of the point's own graph that are expected to run; of nodes that share a result, only one.
    """

    index: Index
    pinned_nodes: Mapping[str, Any]
    seconds: float = 0.0
    executed: tuple[str, ...] = ()


class RunQueue:
    """Hands out the points of a plan to backends, known by name, which may come and go.
    Thread-safe.
    """

    def __init__(self, plan: Plan, accepts: Accepts | None = None) -> None:
        self.plan = plan
        self._accepts = accepts
        self._workload = plan.workload
        self._lock = threading.Lock()
        self._caches: dict[str, BackendCache] = {}
        self._free: list[tuple[Index, ...]] = []
        for segment in plan.segments:
            if segment:
                self._free.append(segment)
        # Points that are taken: the backend, and the seconds that they should take.
        self._running: dict[Index, tuple[str, float]] = {}
        # Seconds that a backend's points took, and those that they should have taken.
        self._paces: dict[str, tuple[float, float]] = {}
        self._pinned_nodes: dict[int, Mapping[str, Any]] = {}
        self._finished = 0.0

    @property
    def waiting(self) -> int:
        """Number of points that no backend has taken yet."""
        with self._lock:
            return self._count_waiting()

    @property
    def is_over(self) -> bool:
        """Whether every point was taken and has ended."""
        with self._lock:
            return not self._running and not self._count_waiting()

    @property
    def seconds_left(self) -> float:
        """Estimated seconds until the end: the work that is left, shared by the backends that have
        points now.
        """
        with self._lock:
            planned = self.plan.planned
            work = planned.work * self._measure_rest()
            working = {backend for backend, _ in self._running.values()}
            count = max(1, len(working))
            return work / count

    @property
    def share_left(self) -> float:
        """The share of the work that is left, 0 to 1. Points that take longer count more."""
        with self._lock:
            return self._measure_rest()

    def take_next(self, backend: str, warm: bool = True) -> Task | None:
        """Take the next point for a backend, or None if there is none for it now.

        `warm` is False if another prompt ran there since the last point, so that its cache is gone.
        Ask again after None: points may come back, or another backend may leave.
        """
        with self._lock:
            cache = self._caches.get(backend)
            if cache is None:
                # A backend that is new here, or was released, has nothing in its cache.
                cache = self._make_cache((), NO_RESULTS)
                self._caches[backend] = cache
            if not warm:
                cache.forget()
            work = self._find_work(backend, cache)
            if not work:
                return None
            index, made, pinned = work.advance()
            seconds = self._workload.sum_seconds(made)
            self._running[index] = (backend, seconds)
            executed = self._name_results(index, made)
            pinned_nodes: dict[str, Any] = {}
            for result in pinned:
                pinned_nodes |= self._build_pinned(result)
        return Task(index, pinned_nodes, seconds, executed)

    def finish(self, index: Index, seconds: float | None = None) -> None:
        """Mark a point as done, or failed for good.

        `seconds` is how long it ran, which shows how fast the backend is.
        """
        with self._lock:
            if index not in self._running:
                return
            backend, expected = self._running.pop(index)
            # In expected seconds, as the plan counts its work.
            self._finished += expected
            if seconds is None or expected <= 0:
                return
            ran, planned = self._paces.get(backend, (0.0, 0.0))
            self._paces[backend] = (ran + seconds, planned + expected)

    def give_back(self, index: Index, backend: str) -> None:
        """Return a point that a backend could not run. Any backend may take it, and the rest of
        that backend's points.
        """
        with self._lock:
            self._running.pop(index, None)
            self._release(backend, (index,))

    def release_backend(self, backend: str) -> None:
        """Free the points of a backend that is gone. Any backend may take them, itself included if
        it returns.
        """
        with self._lock:
            self._release(backend, ())

    def _find_work(self, backend: str, cache: BackendCache) -> BackendCache | None:
        """Find points to run: the backend's own, else those that nobody has, else some of another
        backend's. Returns the cache model of the backend, with these as its upcoming points.
        """
        if cache.next and not self._suits(backend, cache.next):
            cache = self._set_aside(backend, cache)
        if cache:
            return cache
        taken = self._take_free(backend, cache)
        if taken is not None:
            return taken
        return self._steal(backend, cache)

    def _set_aside(self, backend: str, cache: BackendCache) -> BackendCache:
        """Free the points that this backend cannot run."""
        mine, others = self._part(backend, cache.upcoming)
        if others:
            self._free.append(others)
        return self._assign(backend, mine, cache.cached)

    def _take_free(self, backend: str, cache: BackendCache) -> BackendCache | None:
        """Take over the first free segment of which the backend can run some points."""
        for number, segment in enumerate(self._free):
            mine, rest = self._part(backend, segment)
            if not mine:
                continue
            if rest:
                self._free[number] = rest
            else:
                del self._free[number]
            return self._assign(backend, mine, cache.cached)
        return None

    def _steal(self, backend: str, cache: BackendCache) -> BackendCache | None:
        """Take over the end of the longest segment, if both backends are done sooner that way, or
        if the other is absent.
        """
        thief = self._measure_load(backend, cache)
        owners: dict[str, BackendLoad] = {}
        for name, other in self._caches.items():
            if name != backend and other:
                owners[name] = self._measure_load(name, other)
        longest_first = sorted(owners, key=lambda name: -owners[name].finish_seconds)
        for name in longest_first:
            owner = owners[name]
            upcoming = owner.cache.upcoming
            cut = find_split(owner, thief)
            # What an absent backend had came back, and it asks no more: nothing is gained in time,
            # but nobody else is going to run its points.
            if cut == len(upcoming) and owner.is_absent:
                cut = 0
            mine, others = self._part(backend, upcoming[cut:])
            if mine:
                left = upcoming[:cut] + others
                self._assign(name, left, owner.cache.cached)
                return self._assign(backend, mine, cache.cached)
        return None

    def _measure_load(self, backend: str, cache: BackendCache) -> BackendLoad:
        """Measure the work before a backend. It is assumed to be halfway through the first point
        that it has taken.
        """
        taken = [seconds for name, seconds in self._running.values() if name == backend]
        busy = 0.0
        if taken:
            busy = sum(taken) - taken[0] / 2
        pace = 1.0
        if backend in self._paces:
            ran, planned = self._paces[backend]
            pace = ran / planned
        return BackendLoad(cache, busy, pace, is_absent=not taken)

    def _release(self, backend: str, more: tuple[Index, ...]) -> None:
        # Forgotten as a whole: a backend that returns may have lost its cache.
        cache = self._caches.pop(backend, None)
        segment = more
        if cache is not None:
            segment = more + cache.upcoming
        if segment:
            self._free.append(segment)

    def _name_results(self, index: Index, made: Results) -> tuple[str, ...]:
        """Name a node of the point for each of these results; the first, if several share one."""
        nodes = self._workload.node_ids(index)
        executed: dict[int, str] = {}
        for node_id, result in reversed(nodes.items()):
            if result in made:
                executed[result] = node_id
        return tuple(executed.values())

    def _build_pinned(self, result: int) -> Mapping[str, Any]:
        """Build the nodes that keep a result, once."""
        nodes = self._pinned_nodes.get(result)
        if nodes is None:
            nodes = build_pinned_nodes(self._workload, result, self.plan.object_info)
            self._pinned_nodes[result] = nodes
        return nodes

    def _part(
        self, backend: str, points: Sequence[Index]
    ) -> tuple[tuple[Index, ...], tuple[Index, ...]]:
        """Part points into those that a backend can run and the others. Both keep their order."""
        mine = []
        others = []
        for index in points:
            if self._suits(backend, index):
                mine.append(index)
            else:
                others.append(index)
        return tuple(mine), tuple(others)

    def _suits(self, backend: str, index: Index) -> bool:
        if self._accepts is None:
            return True
        return self._accepts(backend, index)

    def _assign(self, backend: str, points: tuple[Index, ...], cached: Results) -> BackendCache:
        """Make these the upcoming points of a backend, and return its new cache model."""
        cache = self._make_cache(points, cached)
        self._caches[backend] = cache
        return cache

    def _make_cache(self, upcoming: tuple[Index, ...], cached: Results) -> BackendCache:
        limits = self.plan.limits
        return BackendCache(self._workload, upcoming, limits, cached)

    def _measure_rest(self) -> float:
        if not self._running and not self._count_waiting():
            return 0.0
        work = self.plan.planned.work
        if work <= 0:
            return 1.0
        return max(0.0, 1.0 - self._finished / work)

    def _count_waiting(self) -> int:
        count = 0
        for cache in self._caches.values():
            count += len(cache)
        for segment in self._free:
            count += len(segment)
        return count


@dataclass(frozen=True)
class BackendLoad:
    """The work before a backend: the upcoming points of its cache model, and `busy` seconds of
    points that it has taken.

    `pace` is measured seconds over planned ones. `is_absent` is true if it has taken nothing.
    """

    cache: BackendCache
    busy: float
    pace: float = 1.0
    is_absent: bool = False

    @property
    def finish_seconds(self) -> float:
        """Seconds until all of it is done."""
        upcoming = sum(self.cache.estimate())
        seconds = self.busy + upcoming
        return seconds * self.pace


def find_split(victim: BackendLoad, thief: BackendLoad) -> int:
    """Find the index from which the thief takes over the victim's points, so that both end
    together.

    Returns the number of points if nothing is gained. What the thief has to make again is counted.
    """
    mine = victim.cache.estimate()
    theirs = thief.cache.estimate_remaining(victim.cache.upcoming)
    best = (victim.busy + sum(mine)) * victim.pace * MAX_TIME_RATIO
    split = len(mine)
    before = victim.busy
    for start, seconds in enumerate(mine):
        owner_end = before * victim.pace
        thief_end = (thief.busy + theirs[start]) * thief.pace
        end = max(owner_end, thief_end)
        if end < best:
            best = end
            split = start
        before += seconds
    return split
