"""Cache pinning: adds unconnected nodes to a prompt, so that ComfyUI keeps their results for later
points.

ComfyUI's cache keeps what belongs to a node of the present prompt, needed or not, and drops
everything else. The node's id does not matter (v0.3.64, v0.33.0), but all that feeds it has to be
pinned as well, since that is part of the key.

The estimates here tell how many seconds a backend takes for rows of points, by what it has. With
pinning they suppose that there is room for everything that is needed again.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from comfygradio.comfy.cache_control import PINNED_PREFIX
from comfygradio.comfy.nested_input import unwrap_list
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Link
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planner.workload import Results, Workload

MAX_PINNED = 100
"""Maximum number of pinned results. They are in the metadata of every picture until they are cut
off.
"""

DEFAULT_CACHE_GIGABYTES = 24.0
"""Gigabytes that cached results may take together, unless somebody knows better."""

NO_RESULTS: Results = frozenset()


@dataclass(frozen=True)
class PinningLimits:
    """Whether results are pinned, and the gigabytes of memory that they may take on a backend."""

    is_pinning: bool = True
    gigabytes: float = DEFAULT_CACHE_GIGABYTES


class BackendCache:
    """A model of one backend's cache while it runs its upcoming points, one after the other."""

    def __init__(
        self,
        workload: Workload,
        upcoming: Sequence[Index],
        limits: PinningLimits,
        cached: Results = NO_RESULTS,
    ) -> None:
        self.cached = cached
        self._workload = workload
        self._limits = limits
        self._upcoming = deque(upcoming)
        self._done = 0
        self._last_use: dict[int, int] = {}
        self._uses: dict[int, deque[int]] = {}
        if limits.is_pinning:
            for place, index in enumerate(upcoming):
                needed = workload.needed(index)
                # Later places overwrite earlier ones: the last use is what is left.
                uses = dict.fromkeys(needed, place)
                self._last_use.update(uses)

    @property
    def upcoming(self) -> tuple[Index, ...]:
        """The points that are still to come."""
        return tuple(self._upcoming)

    @property
    def next(self) -> Index | None:
        """The next point, or None at the end."""
        if not self._upcoming:
            return None
        return self._upcoming[0]

    def __len__(self) -> int:
        return len(self._upcoming)

    def estimate(self) -> list[float]:
        """Estimate the seconds that each of the upcoming points takes."""
        return estimate_points(
            self._workload,
            self.upcoming,
            self.cached,
            self._limits.is_pinning,
        )

    def estimate_remaining(self, order: Sequence[Index]) -> list[float]:
        """Estimate, for each of these points, the seconds that this backend would take from there
        to the last of them.
        """
        return estimate_ends(
            self._workload,
            order,
            self.cached,
            self._limits.is_pinning,
        )

    def forget(self) -> None:
        """Clear the model, because another prompt ran in between."""
        self.cached = NO_RESULTS

    def advance(self) -> tuple[Index, Results, Results]:
        """Run the next point.

        Returns the point, the results that are made for it, and those that are pinned meanwhile.
        """
        index = self._upcoming.popleft()
        self._done += 1
        made, pinned = self.simulate(index)
        return index, made, pinned

    def simulate(self, index: Index) -> tuple[Results, Results]:
        """Run any point.

        Returns the results that are made for it, and those that are pinned meanwhile.
        """
        needed = self._workload.needed(index)
        present = self._workload.present(index)
        made = needed - self.cached
        pinned = NO_RESULTS
        if self._limits.is_pinning:
            pinned = self._choose_pinned(present)
        # What is in the prompt stays in the cache, and what is needed comes into it.
        in_prompt = present | pinned
        self.cached = (self.cached & in_prompt) | needed
        return made, pinned

    def _choose_pinned(self, present: Results) -> Results:
        """Choose the cached results that ComfyUI would drop although a later point needs them,
        within the limits.
        """
        workload = self._workload
        last_use = self._last_use
        dropped = self.cached - present
        wanted = [result for result in dropped if last_use.get(result, -1) >= self._done]
        pinned = frozenset([result for result in wanted if workload.can_pin(result)])
        if len(pinned) <= MAX_PINNED:
            weight = self._weigh(present | pinned)
            if weight <= self._limits.gigabytes:
                return pinned
        return self._choose_soonest(present, wanted)

    def _choose_soonest(self, present: Results, wanted: list[int]) -> Results:
        """Choose as many as fit, beginning with those that are needed soonest."""
        workload = self._workload
        pinned: set[int] = set()
        room = self._limits.gigabytes - self._weigh(present)
        # The number decides among equals, so that the same sweep is planned in the same way.
        soonest_first = sorted(wanted, key=lambda one: (self._find_use(one), one))
        for result in soonest_first:
            more = workload.closure(result) - pinned
            if len(pinned) + len(more) > MAX_PINNED:
                continue
            weight = self._weigh(more - present)
            # A smaller one may still fit.
            if weight > room:
                continue
            if workload.can_pin(result):
                pinned |= more
                room -= weight
        return frozenset(pinned)

    def _weigh(self, results: Collection[int]) -> float:
        """Add up the gigabytes of these results."""
        gigabytes = self._workload.gigabytes
        weights = [gigabytes[result] for result in results]
        return sum(weights)

    def _find_use(self, result: int) -> int:
        """Find the place of the next point that needs a result, counted from the first point of
        all.
        """
        # Made when it is first asked for: few sweeps reach the limits.
        if not self._uses:
            for place, index in enumerate(self._upcoming, self._done):
                for needed in self._workload.needed(index):
                    places = self._uses.setdefault(needed, deque())
                    places.append(place)
        uses = self._uses[result]
        while uses[0] < self._done:
            uses.popleft()
        return uses[0]


def build_pinned_nodes(workload: Workload, result: int, known: ObjectInfo) -> dict[str, Any]:
    """Build the nodes, in API format, that keep a result: the one that makes it, and all that feeds
    it.

    ComfyUI converts the values of connected nodes before it computes their keys, but not those of
    unconnected ones, so they are converted here.
    """
    index, node_id = workload.origins[result]
    prompt = workload.space.prompt(index)
    sources = workload.list_sources(index, node_id)
    ids: dict[str, str] = {}
    for source, number in sources.items():
        ids[source] = f"{PINNED_PREFIX}{source}-{number}"
    nodes = {}
    for source, pinned_id in ids.items():
        node = prompt.graph[source]
        nodes[pinned_id] = _build_node(node, ids, known)
    return nodes


def _build_node(
    node: Mapping[str, Any], ids: Mapping[str, str], known: ObjectInfo
) -> dict[str, Any]:
    class_type = node["class_type"]
    given = dict(node["inputs"])
    inputs = copy.deepcopy(given)
    for name, value in inputs.items():
        link = Link.parse(value)
        if link is None:
            plain = unwrap_list(value)
            inputs[name] = _convert_value(known, class_type, name, plain, inputs)
        elif link.node_id in ids:
            inputs[name] = [ids[link.node_id], link.slot]
    return {"class_type": class_type, "inputs": inputs}


def _convert_value(
    known: ObjectInfo, class_type: str, name: str, value: Any, inputs: Mapping[str, Any]
) -> Any:
    spec = known.spec(class_type, name, inputs)
    if spec is None or spec.choices is not None:
        return value
    # As in ComfyUI's validation (v0.33.0), which converts the values in the graph itself.
    kinds = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}
    try:
        if spec.type not in kinds:
            return value
        return kinds[spec.type](value)
    except (TypeError, ValueError, OverflowError):
        return value


def simulate_points(cache: BackendCache) -> Iterator[tuple[Index, Results]]:
    """Run all upcoming points, and yield each with the results that are made for it."""
    while cache:
        index, made, _ = cache.advance()
        yield index, made


def estimate_points(
    workload: Workload, order: Sequence[Index], cached: Results, is_pinning: bool
) -> list[float]:
    """Estimate the seconds that each point takes on a backend that has the results `cached`."""
    seconds = workload.seconds
    have: Set[int] = cached
    everything = set(cached)
    found: list[float] = []
    for index in order:
        now = workload.needed(index)
        missing = [seconds[result] for result in now if result not in have]
        found.append(sum(missing))
        have = now
        if is_pinning:
            everything |= now
            have = everything
    return found


def estimate_ends(
    workload: Workload, order: Sequence[Index], cached: Results, is_pinning: bool
) -> list[float]:
    """Estimate, for each point, the seconds from there to the end on a backend that has the results
    `cached`.
    """
    add_up = _add_up_pinned if is_pinning else _add_up_plain
    found = add_up(workload, order, cached)
    found.reverse()
    return found


def _add_up_pinned(workload: Workload, order: Sequence[Index], cached: Results) -> list[float]:
    """Add up the seconds from each point to the end, the last point first, if nothing is made
    twice.
    """
    seconds = workload.seconds
    found: list[float] = []
    everything = set(cached)
    total = 0.0
    # From the end on, each point adds what no later one makes anyway.
    for index in reversed(order):
        now = workload.needed(index)
        missing = [seconds[result] for result in now if result not in everything]
        total += sum(missing)
        everything |= now
        found.append(total)
    return found


def _add_up_plain(workload: Workload, order: Sequence[Index], cached: Results) -> list[float]:
    """Add them up if each point finds only the results of the one before, and the first point those
    in `cached`.
    """
    found: list[float] = []
    after: Results = frozenset()
    total = 0.0
    for index in reversed(order):
        now = workload.needed(index)
        # Of the point behind it, only what this one does not leave there.
        total += workload.sum_seconds(after - now)
        found.append(total + workload.sum_seconds(now - cached))
        after = now
    return found
