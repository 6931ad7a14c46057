"""Carry-along: nodes that ride unconnected in a prompt, so that ComfyUI keeps their results for
later points.

ComfyUI's cache keeps what belongs to a node of the present prompt, needed or not, and drops
everything else. The node's id does not matter (v0.3.64, v0.33.0), but all that feeds it has to ride
along, since that is part of the key.

The estimates here tell how many seconds a backend takes for rows of points, by what it has. With
carry-along they suppose that there is room for everything that is needed again.
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
"""Results that are pinned at most; they stand in the metadata of every picture until they are cut
off.
"""

DEFAULT_CACHE_GIGABYTES = 24.0
"""Gigabytes that kept results may take together, unless somebody knows better."""

NO_RESULTS: Results = frozenset()


@dataclass(frozen=True)
class PinningLimits:
    """Whether nodes are carried along, and the gigabytes of memory that their results may take on a
    backend.
    """

    carry: bool = True
    gigabytes: float = DEFAULT_CACHE_GIGABYTES


class BackendCache:
    """What one backend keeps while it runs the points ahead, one after the other."""

    def __init__(
        self,
        workload: Workload,
        ahead: Sequence[Index],
        limits: PinningLimits,
        kept: Results = NO_RESULTS,
    ) -> None:
        self.kept = kept
        self._workload = workload
        self._limits = limits
        self._ahead = deque(ahead)
        self._done = 0
        self._last_use: dict[int, int] = {}
        self._uses: dict[int, deque[int]] = {}
        if limits.carry:
            for place, index in enumerate(ahead):
                uses = dict.fromkeys(workload.needed(index), place)
                self._last_use.update(uses)

    @property
    def ahead(self) -> tuple[Index, ...]:
        """The points that are still to come."""
        return tuple(self._ahead)

    @property
    def next(self) -> Index | None:
        """The next point, None at the end."""
        return self._ahead[0] if self._ahead else None

    def __len__(self) -> int:
        return len(self._ahead)

    def estimate(self) -> list[float]:
        """Seconds that each of the points ahead takes, about."""
        return estimate_points(self._workload, self.ahead, self.kept, self._limits.carry)

    def estimate_remaining(self, order: Sequence[Index]) -> list[float]:
        """Seconds that this backend would take for other points: from each of them to the end,
        about.
        """
        return estimate_ends(self._workload, order, self.kept, self._limits.carry)

    def forget(self) -> None:
        """Clear the cache model: another prompt ran in between."""
        self.kept = NO_RESULTS

    def advance(self) -> tuple[Index, Results, Results]:
        """Take the next point: the point, the results that are made for it, and those that ride
        along meanwhile.
        """
        index = self._ahead.popleft()
        self._done += 1
        made, riding = self.simulate(index)
        return index, made, riding

    def simulate(self, index: Index) -> tuple[Results, Results]:
        """Run a point, whether or not it was ahead: the results that are made for it, and those
        that are pinned.
        """
        needed = self._workload.needed(index)
        present = self._workload.present(index)
        made = needed - self.kept
        riding = self._choose(present) if self._limits.carry else NO_RESULTS
        # What is in the prompt stays in the cache, and what is needed comes into it.
        self.kept = (self.kept & (present | riding)) | needed
        return made, riding

    def _choose(self, present: Results) -> Results:
        """The kept results that would be dropped although a later point needs them, within the
        limits.
        """
        workload = self._workload
        last_use = self._last_use
        dropped = self.kept - present
        wanted = [result for result in dropped if last_use.get(result, -1) >= self._done]
        riding = frozenset([result for result in wanted if workload.can_pin(result)])
        if len(riding) <= MAX_PINNED:
            weight = self._weigh(present | riding)
            if weight <= self._limits.gigabytes:
                return riding
        return self._squeeze(present, wanted)

    def _squeeze(self, present: Results, wanted: list[int]) -> Results:
        """As many as there is room for, those that are needed soonest first."""
        workload = self._workload
        riding: set[int] = set()
        room = self._limits.gigabytes - self._weigh(present)
        for result in sorted(wanted, key=lambda one: (self._find_use(one), one)):
            more = workload.closure(result) - riding
            weight = self._weigh(more - present)
            if len(riding) + len(more) > MAX_PINNED or weight > room:
                continue
            if workload.can_pin(result):
                riding |= more
                room -= weight
        return frozenset(riding)

    def _weigh(self, results: Collection[int]) -> float:
        """Gigabytes of these results."""
        gigabytes = self._workload.gigabytes
        return sum([gigabytes[result] for result in results])

    def _find_use(self, result: int) -> int:
        """The place of the next point that needs a result, counted from the first
        that was ahead.
        """
        if not self._uses:
            for place, index in enumerate(self._ahead, self._done):
                for needed in self._workload.needed(index):
                    places = self._uses.setdefault(needed, deque())
                    places.append(place)
        uses = self._uses[result]
        while uses[0] < self._done:
            uses.popleft()
        return uses[0]


def build_pinned_nodes(workload: Workload, result: int, known: ObjectInfo) -> dict[str, Any]:
    """The nodes in API format that keep a result: one that has it, and all that feeds it.

    ComfyUI converts the values of connected nodes before it computes keys, and leaves those of
    others as they are; so they are converted here.
    """
    index, node_id = workload.origins[result]
    graph = workload.space.prompt(index).graph
    ids: dict[str, str] = {}
    for source, number in workload.list_sources(index, node_id).items():
        ids[source] = f"{PINNED_PREFIX}{source}-{number}"
    nodes = {}
    for source, carried_id in ids.items():
        nodes[carried_id] = _build_node(graph[source], ids, known)
    return nodes


def _build_node(
    node: Mapping[str, Any], ids: Mapping[str, str], known: ObjectInfo
) -> dict[str, Any]:
    inputs = copy.deepcopy(dict(node["inputs"]))
    class_type = node["class_type"]
    for name, value in inputs.items():
        link = Link.parse(value)
        if link is None:
            inputs[name] = _convert_value(known, class_type, name, unwrap_list(value), inputs)
        elif link.node_id in ids:
            inputs[name] = [ids[link.node_id], link.slot]
    return {"class_type": class_type, "inputs": inputs}


def _convert_value(
    known: ObjectInfo, class_type: str, name: str, value: Any, inputs: Mapping[str, Any]
) -> Any:
    spec = known.spec(class_type, name, inputs)
    if spec is None or spec.choices is not None:
        return value
    kinds = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}
    try:
        if spec.type not in kinds:
            return value
        return kinds[spec.type](value)
    except (TypeError, ValueError, OverflowError):
        return value


def simulate_points(cache: BackendCache) -> Iterator[tuple[Index, Results]]:
    """Run everything that is ahead: each point, and the results that are made for it."""
    while cache:
        index, made, _ = cache.advance()
        yield index, made


def estimate_points(
    workload: Workload, order: Sequence[Index], kept: Results, carry: bool
) -> list[float]:
    """Seconds that each point takes for a backend that has `kept`."""
    seconds = workload.seconds
    have: Set[int] = kept
    everything = set(kept)
    found: list[float] = []
    for index in order:
        now = workload.needed(index)
        missing = [seconds[result] for result in now if result not in have]
        found.append(sum(missing))
        have = now
        if carry:
            everything |= now
            have = everything
    return found


def estimate_ends(
    workload: Workload, order: Sequence[Index], kept: Results, carry: bool
) -> list[float]:
    """For each point, the seconds that a backend that has `kept` takes for it and everything after
    it.
    """
    if carry:
        found = _add_up_carried(workload, order, kept)
    else:
        found = _add_up_plain(workload, order, kept)
    found.reverse()
    return found


def _add_up_carried(workload: Workload, order: Sequence[Index], kept: Results) -> list[float]:
    """The seconds from each point to the end, the last point first, where nothing is made twice."""
    seconds = workload.seconds
    found: list[float] = []
    everything = set(kept)
    total = 0.0
    for index in reversed(order):
        now = workload.needed(index)
        missing = [seconds[result] for result in now if result not in everything]
        total += sum(missing)
        everything |= now
        found.append(total)
    return found


def _add_up_plain(workload: Workload, order: Sequence[Index], kept: Results) -> list[float]:
    """The same where each point finds what the one before needed, and the first one `kept`."""
    found: list[float] = []
    after: Results = frozenset()
    total = 0.0
    for index in reversed(order):
        now = workload.needed(index)
        total += workload.sum_seconds(after - now)
        found.append(total + workload.sum_seconds(now - kept))
        after = now
    return found
