"""Infers from sampled prompts which axes determine the value of each node input."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from comfygradio.comfy.workflow import Link, Prompt
from comfygradio.sweeps.axes.axis import Index, move_point

InputKey = tuple[str, str]
"""Where a value stands in a graph: node id and name of the input; the name "" stands for the class
of the node.
"""

ABSENT = 0
"""The number of no value: the graph has no such node, or the node no such input."""

MAX_EXHAUSTIVE_POINTS = 400
"""Up to this many points, every prompt is built instead of a sample."""

MAX_SAMPLED_PROMPTS = 1200
"""About so many prompts are read to find out which axes matter where."""

CHECKED_POINTS = 60
"""Points drawn at random that what was learnt has to agree with."""

MAX_COMBINATIONS = 2500
"""Where several axes decide one value together, so many of their combinations are read; of more,
none.
"""

MAX_SAMPLED_POSITIONS = 250
"""Of a longer axis only so many positions are read; the others count as different from each other.
"""


class PromptSource(Protocol):
    """What the planner knows of a sweep: the lengths of its axes, and the prompt of each point."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Positions on each axis."""
        ...

    def prompt(self, index: Index) -> Prompt:
        """Build the prompt of a point. It is the same every time."""
        ...


class PromptDifferences:
    """Compares the prompts of points. Values are numbered: equal numbers have equal keys in
    ComfyUI's cache.

    `inputs` maps node id → input name → key. `rows` maps each point that was read to the inputs
    that differ from the first point's.
    """

    def __init__(self, space: PromptSource) -> None:
        self.space = space
        self.sizes = space.sizes
        self.first: Index = tuple(0 for _ in self.sizes)
        self.rows: dict[Index, dict[InputKey, int]] = {}
        self.inputs: dict[str, dict[str, InputKey]] = {}
        self._values: list[Any] = [None]
        self._numbers: dict[Any, int] = {}
        self._first_graph: dict[str, tuple[str, dict[str, Any]]] = {}
        self._base: dict[InputKey, int] = {}
        prompt = space.prompt(self.first)
        for node_id, node in prompt.graph.items():
            inputs = dict(node["inputs"])
            self._first_graph[node_id] = (node["class_type"], inputs)
            numbers = self._read_node(node_id, node)
            self._base.update(numbers)
        self.rows[self.first] = {}

    def load_point(self, index: Index) -> Mapping[InputKey, int]:
        """Build the prompt of a point, once, and return the inputs that differ from the first
        point's.
        """
        row = self.rows.get(index)
        if row is None:
            prompt = self.space.prompt(index)
            row = self._compare(prompt.graph)
            self.rows[index] = row
        return row

    def get(self, index: Index, key: InputKey) -> int:
        """Return the number of an input's value at a point that was read."""
        number = self.rows[index].get(key)
        if number is None:
            return self.first_number(key)
        return number

    def first_number(self, key: InputKey) -> int:
        """Return the number of an input's value at the first point."""
        return self._base.get(key, ABSENT)

    def has_node(self, index: Index, node_id: str) -> bool:
        """Whether the graph of a point that was read has a node."""
        presence = (node_id, "")
        return self.get(index, presence) != ABSENT

    def list_varying(self) -> set[InputKey]:
        """List the inputs that differ between the points that were read."""
        varying: set[InputKey] = set()
        for row in self.rows.values():
            varying.update(row)
        return varying

    def list_points(self, key: InputKey) -> list[Index]:
        """List the points that were read and have the input's node.

        The class of a node (its input "") has a value at every point: where the node is missing, it
        is ABSENT.
        """
        node_id, name = key
        if not name:
            return list(self.rows)
        presence = (node_id, "")
        if not any(presence in row for row in self.rows.values()):
            return list(self.rows)
        return [index for index in self.rows if self.has_node(index, node_id)]

    def value(self, number: int) -> Any:
        """Return the value with this number: a Link, a plain value, or None if it is absent or was
        never read.
        """
        return self._values[number]

    def allocate_unknown(self) -> int:
        """Return an unused number for a value that is not read. It counts as different from all
        others.
        """
        self._values.append(None)
        return len(self._values) - 1

    def _compare(self, graph: Mapping[str, Any]) -> dict[InputKey, int]:
        row: dict[InputKey, int] = {}
        for node_id in self._first_graph:
            if node_id not in graph:
                row[(node_id, "")] = ABSENT
        for node_id, node in graph.items():
            # Most nodes are the same at every point, which is seen fastest by comparing them whole.
            own = (node["class_type"], node["inputs"])
            if self._first_graph.get(node_id) != own:
                row.update(self._compare_node(node_id, node))
        return row

    def _compare_node(
        self, node_id: str, node: Mapping[str, Any]
    ) -> Iterator[tuple[InputKey, int]]:
        found = dict(self._read_node(node_id, node))
        # All inputs that the node was ever seen with: one that is missing here differs too.
        for key in self.inputs[node_id].values():
            number = found.get(key, ABSENT)
            if number != self.first_number(key):
                yield key, number

    def _read_node(self, node_id: str, node: Mapping[str, Any]) -> Iterator[tuple[InputKey, int]]:
        class_key = (node_id, "")
        inputs = self.inputs.setdefault(node_id, {"": class_key})
        number = self._number(node["class_type"])
        yield class_key, number
        for name, value in node["inputs"].items():
            # The same tuple again and again, since there are many of them.
            key = inputs.setdefault(name, (node_id, name))
            number = self._number(value)
            yield key, number

    def _number(self, value: Any) -> int:
        link = Link.parse(value)
        identity: Any
        if link is not None:
            identity = link
        elif isinstance(value, str | int | float):
            # 1, 1.0 and True are the same key here, as they are in ComfyUI's cache (v0.33.0).
            identity = value
        else:
            # Lists and objects cannot be hashed; in a tuple their text equals no other value.
            text = json.dumps(value, default=str)
            identity = (text,)
        unused = len(self._values)
        number = self._numbers.setdefault(identity, unused)
        if number == unused:
            kept = value if link is None else link
            self._values.append(kept)
        return number


@dataclass
class InputAxes:
    """The value of each input at each point. `axes` are the axes that determine an input; an input
    that never changes is not in there.

    The value of an input whose node is missing at a point is unknown; nobody asks for it.
    """

    differences: PromptDifferences
    axes: dict[InputKey, tuple[int, ...]] = field(default_factory=dict)
    tables: dict[InputKey, dict[tuple[int, ...], int]] = field(default_factory=dict)

    def list_axes(self, key: InputKey) -> tuple[int, ...]:
        """List the axes that determine an input."""
        return self.axes.get(key, ())

    def list_numbers(self, key: InputKey) -> set[int]:
        """List the number of every value that an input was found to have."""
        if key not in self.axes:
            return {self.differences.first_number(key)}
        table = self.tables[key]
        return set(table.values())

    def get(self, key: InputKey, index: Index) -> int:
        """Return the number of an input's value at a point. May build the point's prompt."""
        axes = self.axes.get(key)
        if axes is None:
            return self.differences.first_number(key)
        table = self.tables[key]
        # A list is faster than a generator, and this runs for every input of every point.
        place = tuple([index[axis] for axis in axes])
        number = table.get(place)
        if number is None:
            number = self._find(key, index, axes)
            table[place] = number
        return number

    def count_places(self, axes: tuple[int, ...]) -> int:
        """Count the combinations of positions on these axes."""
        count = 1
        for axis in axes:
            count *= self.differences.sizes[axis]
        return count

    def _find(self, key: InputKey, index: Index, axes: tuple[int, ...]) -> int:
        if self.count_places(axes) > MAX_COMBINATIONS:
            return self.differences.allocate_unknown()
        self.differences.load_point(index)
        return self.differences.get(index, key)


def infer_input_axes(differences: PromptDifferences) -> InputAxes:
    """Read prompts, and find for every input the axes that determine it.

    All points of a small sweep are read. In a larger one, the prompts along each axis are read from
    several starting points. If two prompts differ in an input although all axes that are known to
    matter agree, the missing axis is searched for.
    """
    input_axes = InputAxes(differences)
    sizes = differences.sizes
    if math.prod(sizes) <= MAX_EXHAUSTIVE_POINTS:
        positions = [range(size) for size in sizes]
        for index in itertools.product(*positions):
            differences.load_point(index)
    else:
        for start, axis, index in _choose_walks(sizes):
            _compare(input_axes, start, axis, index)
        # Always the same points, so that a sweep is planned in the same way every time.
        chance = random.Random(1)
        for index in _draw_points(sizes, CHECKED_POINTS, chance):
            differences.load_point(index)
    # What is read to fill a gap may show another axis that matters, and so on.
    known = 0
    while known < len(differences.rows):
        known = len(differences.rows)
        _explain(input_axes)
        _fill(input_axes)
    return input_axes


def _choose_walks(sizes: tuple[int, ...]) -> Iterator[tuple[Index, int, Index]]:
    """Choose the points to read along each axis, starting at the first point, the last one and some
    others.

    Yields starting point, axis, and the point there.
    """
    chance = random.Random(0)
    length = 0
    for size in sizes:
        length += min(size, MAX_SAMPLED_POSITIONS)
    first = tuple(0 for _ in sizes)
    last = tuple(size - 1 for size in sizes)
    # The first point and the last one are starting points, too.
    affordable = MAX_SAMPLED_PROMPTS // length - 2
    count = max(1, min(4, affordable))
    others = _draw_points(sizes, count, chance)
    starts = [first, last, *others]
    most = MAX_SAMPLED_POSITIONS
    for start in starts:
        for axis, size in enumerate(sizes):
            positions: Sequence[int] = range(size)
            if size > most:
                positions = chance.sample(positions, most)
            for position in positions:
                index = move_point(start, axis, position)
                yield start, axis, index
        # From the second start on, what is left of the reads is shared out.
        left = MAX_SAMPLED_PROMPTS - length
        most = max(8, left // (len(starts) * len(sizes)))


def _draw_points(sizes: tuple[int, ...], count: int, chance: random.Random) -> list[Index]:
    points = []
    for _ in range(count):
        point = tuple(chance.randrange(size) for size in sizes)
        points.append(point)
    return points


def _compare(input_axes: InputAxes, start: Index, axis: int, index: Index) -> None:
    """Note the inputs that a step along an axis changed."""
    differences = input_axes.differences
    before = differences.load_point(start)
    after = differences.load_point(index)
    for key, _ in before.items() ^ after.items():
        node_id, name = key
        if name:
            was_there = differences.has_node(start, node_id)
            is_there = differences.has_node(index, node_id)
            if not (was_there and is_there):
                continue  # of an input nothing is known where its node is not there
        _add_axes(input_axes, key, [axis])


def _add_axes(input_axes: InputAxes, key: InputKey, axes: Sequence[int]) -> None:
    found = set(axes)
    found.update(input_axes.list_axes(key))
    input_axes.axes[key] = tuple(sorted(found))


def _explain(input_axes: InputAxes) -> None:
    """Add axes until they determine every input that differs somewhere."""
    differences = input_axes.differences
    for key in differences.list_varying():
        _add_axes(input_axes, key, [])
        table = _tabulate(input_axes, key)
        while not isinstance(table, dict):
            start, end = table
            known = input_axes.axes[key]
            found = _find_axes(differences, key, start, end, known)
            _add_axes(input_axes, key, found)
            table = _tabulate(input_axes, key)
        input_axes.tables[key] = table


def _tabulate(
    input_axes: InputAxes, key: InputKey
) -> dict[tuple[int, ...], int] | tuple[Index, Index]:
    """Tabulate place → number from all points that were read.

    Returns two points that contradict each other instead, if the known axes do not determine the
    input.
    """
    differences = input_axes.differences
    axes = input_axes.axes[key]
    found: dict[tuple[int, ...], int] = {}
    origins: dict[tuple[int, ...], Index] = {}
    for index in differences.list_points(key):
        place = tuple([index[axis] for axis in axes])
        number = differences.get(index, key)
        known = found.setdefault(place, number)
        if known != number:
            return origins[place], index
        origins.setdefault(place, index)
    return found


def _find_axes(
    differences: PromptDifferences, key: InputKey, start: Index, end: Index, known: tuple[int, ...]
) -> list[int]:
    """Walk from one point to another, axis by axis, until the input changes.

    Returns the axis of that step, or several if the input's node was missing in between.
    """
    node_id, name = key
    number = differences.get(start, key)
    index = start
    pending: list[int] = []
    for axis, position in enumerate(end):
        if axis in known or position == index[axis]:
            continue
        index = move_point(index, axis, position)
        pending.append(axis)
        differences.load_point(index)
        if name and not differences.has_node(index, node_id):
            # Nothing can be said of an input whose node is gone; the next step may bring it back.
            continue
        if differences.get(index, key) != number:
            return pending
        pending = []
    return pending


def _fill(input_axes: InputAxes) -> None:
    """Read the missing combinations where several axes determine an input together, and all that
    change the structure of the graph.
    """
    differences = input_axes.differences
    for key, axes in input_axes.axes.items():
        table = input_axes.tables[key]
        count = input_axes.count_places(axes)
        if len(table) == count:
            continue
        if count > MAX_COMBINATIONS and not _is_structure(input_axes, key):
            continue
        points = differences.list_points(key)
        start = points[0]
        positions = [range(differences.sizes[axis]) for axis in axes]
        for place in itertools.product(*positions):
            if place not in table:
                index = _put(start, axes, place)
                differences.load_point(index)


def _is_structure(input_axes: InputAxes, key: InputKey) -> bool:
    """Whether an input determines which nodes there are, or how they are linked."""
    _, name = key
    if not name:
        return True
    table = input_axes.tables[key]
    for number in table.values():
        value = input_axes.differences.value(number)
        if isinstance(value, Link):
            return True
    return False


def _put(index: Index, axes: tuple[int, ...], place: tuple[int, ...]) -> Index:
    """Return the point with these positions on these axes."""
    positions = list(index)
    for axis, position in zip(axes, place, strict=True):
        positions[axis] = position
    return tuple(positions)
