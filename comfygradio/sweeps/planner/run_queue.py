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

MIN_GAIN = 0.98
"""A backend takes over points only where both are done in less than this part of the time."""


@dataclass(frozen=True)
class Task:
    """A point for a backend: nodes to add to its graph, the seconds that it should take, and what
    should be executed.

    `carried` are pinned nodes in API format by id; `executed` are node ids of the point's own
    graph, of nodes that share a result only one.
    """

    index: Index
    carried: Mapping[str, Any]
    seconds: float = 0.0
    executed: tuple[str, ...] = ()


class RunQueue:
    """Hands out the points of a plan; thread-safe.

    Servers are told apart by name, and may come and go.
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
        """Whether every point was taken and is finished."""
        with self._lock:
            return not self._running and not self._count_waiting()

    @property
    def seconds_left(self) -> float:
        """Seconds until the last backend is done, about: work that is left, shared by the backends
        that work on it.
        """
        with self._lock:
            planned = self.plan.planned
            work = planned.work * self._measure_rest()
            working = {backend for backend, _ in self._running.values()}
            count = max(1, len(working))
            return work / count

    @property
    def share_left(self) -> float:
        """The part of the work that is not done yet, 0 to 1: points with more steps count more."""
        with self._lock:
            return self._measure_rest()

    def take_next(self, backend: str, warm: bool = True) -> Task | None:
        """The next point for a backend, or None where nothing is left that it should run now.

        `warm` is False where somebody else's prompt ran there since the last point, so that its
        cache is gone. None is no farewell: points that come back, or a backend that leaves, may
        change the answer.
        """
        with self._lock:
            cache = self._caches.get(backend)
            if cache is None:
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
            carried: dict[str, Any] = {}
            for result in pinned:
                carried |= self._build_pinned(result)
        return Task(index, carried, seconds, executed)

    def finish(self, index: Index, seconds: float | None = None) -> None:
        """A point is done, or failed for good; `seconds` are those that it ran, which tell how fast
        its backend is.
        """
        with self._lock:
            if index not in self._running:
                return
            backend, expected = self._running.pop(index)
            self._finished += expected
            if seconds is None or expected <= 0:
                return
            ran, planned = self._paces.get(backend, (0.0, 0.0))
            self._paces[backend] = (ran + seconds, planned + expected)

    def give_back(self, index: Index, backend: str) -> None:
        """A backend could not run a point; whoever asks next may have it, and the rest of that
        backend's points.
        """
        with self._lock:
            self._running.pop(index, None)
            self._release(backend, (index,))

    def release_backend(self, backend: str) -> None:
        """Free the points of a backend that is gone for now, for others or for its return."""
        with self._lock:
            self._release(backend, ())

    def _find_work(self, backend: str, cache: BackendCache) -> BackendCache | None:
        """The backend's own points, those that nobody has, or some of a busy backend's."""
        if cache.next and not self._suits(backend, cache.next):
            cache = self._set_aside(backend, cache)
        if cache:
            return cache
        taken = self._take_free(backend, cache)
        if taken is not None:
            return taken
        return self._steal(backend, cache)

    def _set_aside(self, backend: str, cache: BackendCache) -> BackendCache:
        """Leave those points to others that this backend cannot run."""
        mine, others = self._part(backend, cache.upcoming)
        if others:
            self._free.append(others)
        return self._assign(backend, mine, cache.kept)

    def _take_free(self, backend: str, cache: BackendCache) -> BackendCache | None:
        """Take over points that nobody has: the first lot of which the backend can run some."""
        for place, segment in enumerate(self._free):
            mine, rest = self._part(backend, segment)
            if not mine:
                continue
            if rest:
                self._free[place] = rest
            else:
                del self._free[place]
            return self._assign(backend, mine, cache.kept)
        return None

    def _steal(self, backend: str, cache: BackendCache) -> BackendCache | None:
        """Take the end of the longest row of points if both backends are done sooner then, or if
        the other is not there.

        A backend that has taken nothing is not: whatever it had came back to the queue, and it asks
        for no more.
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
            if cut == len(upcoming) and owner.is_absent:
                cut = 0
            mine, others = self._part(backend, upcoming[cut:])
            if mine:
                left = upcoming[:cut] + others
                self._assign(name, left, owner.cache.kept)
                return self._assign(backend, mine, cache.kept)
        return None

    def _measure_load(self, backend: str, cache: BackendCache) -> BackendLoad:
        """What a backend has before it; of what it has taken, it is in the middle of the first."""
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
        cache = self._caches.pop(backend, None)
        segment = more
        if cache is not None:
            segment = more + cache.upcoming
        if segment:
            self._free.append(segment)

    def _name_results(self, index: Index, made: Results) -> tuple[str, ...]:
        """A node of the point for each of these results; of nodes that share one, the first."""
        nodes = self._workload.node_ids(index)
        executed: dict[int, str] = {}
        for node_id, result in reversed(nodes.items()):
            if result in made:
                executed[result] = node_id
        return tuple(executed.values())

    def _build_pinned(self, result: int) -> Mapping[str, Any]:
        """The nodes that keep a result, built once."""
        nodes = self._pinned_nodes.get(result)
        if nodes is None:
            nodes = build_pinned_nodes(self._workload, result, self.plan.object_info)
            self._pinned_nodes[result] = nodes
        return nodes

    def _part(
        self, backend: str, points: Sequence[Index]
    ) -> tuple[tuple[Index, ...], tuple[Index, ...]]:
        """Points that a backend can run, and those that it cannot; both in their order."""
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

    def _assign(self, backend: str, points: tuple[Index, ...], kept: Results) -> BackendCache:
        """Make these the upcoming points of a backend, and return its new cache model."""
        cache = self._make_cache(points, kept)
        self._caches[backend] = cache
        return cache

    def _make_cache(self, upcoming: tuple[Index, ...], kept: Results) -> BackendCache:
        limits = self.plan.limits
        return BackendCache(self._workload, upcoming, limits, kept)

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
    """What a backend still has to do: the upcoming points of its cache model, and `busy` seconds of
    points that it has taken.

    `pace` is measured over planned seconds. A backend that has taken nothing `is_absent`.
    """

    cache: BackendCache
    busy: float
    pace: float = 1.0
    is_absent: bool = False

    @property
    def finish_seconds(self) -> float:
        """Seconds until everything is done."""
        upcoming = sum(self.cache.estimate())
        seconds = self.busy + upcoming
        return seconds * self.pace


def find_split(victim: BackendLoad, thief: BackendLoad) -> int:
    """Find the place from which the thief takes over the victim's points, so that both finish
    together.

    The number of points if nothing is gained. What the thief has to make again is counted, so
    that it takes fewer points, or none.
    """
    mine = victim.cache.estimate()
    theirs = thief.cache.estimate_remaining(victim.cache.upcoming)
    best = (victim.busy + sum(mine)) * victim.pace * MIN_GAIN
    place = len(mine)
    before = victim.busy
    for start, seconds in enumerate(mine):
        owner_end = before * victim.pace
        thief_end = (thief.busy + theirs[start]) * thief.pace
        end = max(owner_end, thief_end)
        if end < best:
            best = end
            place = start
        before += seconds
    return place
