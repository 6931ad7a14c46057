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
from comfygradio.sweeps.axes.axis import Index

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
    """What planning needs to know of a sweep: how long its axes are, and the prompt of a point."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Positions on each axis."""
        ...

    def prompt(self, index: Index) -> Prompt:
        """The prompt of a point; the same whenever it is asked for."""
        ...


class PromptDifferences:
    """Graphs as numbers: equal values have equal numbers, as they have equal keys in ComfyUI's
    cache.
    """

    def __init__(self, space: PromptSource) -> None:
        self.space = space
        self.sizes = space.sizes
        self.first: Index = tuple(0 for _ in self.sizes)
        self.rows: dict[Index, dict[InputKey, int]] = {}
        self.cells: dict[str, dict[str, InputKey]] = {}
        self._values: list[Any] = [None]
        self._numbers: dict[Any, int] = {}
        self._first_graph: dict[str, tuple[str, dict[str, Any]]] = {}
        self._base: dict[InputKey, int] = {}
        graph = space.prompt(self.first).graph
        for node_id, node in graph.items():
            inputs = dict(node["inputs"])
            self._first_graph[node_id] = (node["class_type"], inputs)
            self._base.update(self._read_node(node_id, node))
        self.rows[self.first] = {}

    def load_point(self, index: Index) -> Mapping[InputKey, int]:
        """The cells of a point that differ from those of the first point; builds its
        prompt, once.
        """
        row = self.rows.get(index)
        if row is None:
            graph = self.space.prompt(index).graph
            row = self._compare(graph)
            self.rows[index] = row
        return row

    def get(self, index: Index, cell: InputKey) -> int:
        """The number of the value in a cell, of a point that was read."""
        number = self.rows[index].get(cell)
        return self._base.get(cell, ABSENT) if number is None else number

    def first_number(self, cell: InputKey) -> int:
        """The number of the value in a cell of the first point."""
        return self._base.get(cell, ABSENT)

    def has_node(self, index: Index, node_id: str) -> bool:
        """Whether the graph of a point that was read has a node."""
        return self.get(index, (node_id, "")) != ABSENT

    def list_varying(self) -> set[InputKey]:
        """The cells that differ between points that were read."""
        return set(itertools.chain.from_iterable(self.rows.values()))

    def list_points(self, cell: InputKey) -> list[Index]:
        """The points that were read and have the cell's node; every one of them has its class, if
        only as absent.
        """
        node_id, name = cell
        if not name:
            return list(self.rows)
        presence = (node_id, "")
        if not any(presence in row for row in self.rows.values()):
            return list(self.rows)
        return [index for index in self.rows if self.has_node(index, node_id)]

    def value(self, number: int) -> Any:
        """What has this number: a Link, a plain value, or None for what is absent or was never
        read.
        """
        return self._values[number]

    def allocate_unknown(self) -> int:
        """A number of its own, for a value that was never read and counts as different from all
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
            own = (node["class_type"], node["inputs"])
            if self._first_graph.get(node_id) != own:
                row.update(self._differ(node_id, node))
        return row

    def _differ(self, node_id: str, node: Mapping[str, Any]) -> Iterator[tuple[InputKey, int]]:
        found = dict(self._read_node(node_id, node))
        for cell in self.cells[node_id].values():
            number = found.get(cell, ABSENT)
            if number != self._base.get(cell, ABSENT):
                yield cell, number

    def _read_node(self, node_id: str, node: Mapping[str, Any]) -> Iterator[tuple[InputKey, int]]:
        cells = self.cells.setdefault(node_id, {"": (node_id, "")})
        yield cells[""], self._number(node["class_type"])
        for name, value in node["inputs"].items():
            cell = cells.setdefault(name, (node_id, name))
            yield cell, self._number(value)

    def _number(self, value: Any) -> int:
        link = Link.parse(value)
        key: Any
        if link is not None:
            key = link
        elif isinstance(value, str | int | float):
            key = value
        else:
            # Lists and objects cannot be keys; in a tuple their text is no other value's key.
            key = (json.dumps(value, default=str),)
        number = self._numbers.setdefault(key, len(self._values))
        if number == len(self._values):
            self._values.append(value if link is None else link)
        return number


@dataclass
class InputAxes:
    """What stands in each cell at each point; `axes` are those that decide a cell, none where it is
    always the same.

    Of a node that a graph does not have nothing is known there, and nobody asks.
    """

    differences: PromptDifferences
    axes: dict[InputKey, tuple[int, ...]] = field(default_factory=dict)
    tables: dict[InputKey, dict[tuple[int, ...], int]] = field(default_factory=dict)

    def list_axes(self, cell: InputKey) -> tuple[int, ...]:
        """The axes that decide a cell."""
        return self.axes.get(cell, ())

    def list_numbers(self, cell: InputKey) -> set[int]:
        """The number of every value that was found in a cell."""
        if cell not in self.axes:
            return {self.differences.first_number(cell)}
        return set(self.tables[cell].values())

    def get(self, cell: InputKey, index: Index) -> int:
        """The number of the value in a cell at a point."""
        axes = self.axes.get(cell)
        if axes is None:
            return self.differences.first_number(cell)
        table = self.tables[cell]
        place = tuple([index[axis] for axis in axes])
        number = table.get(place)
        if number is None:
            number = self._find(cell, index, axes)
            table[place] = number
        return number

    def count_places(self, axes: tuple[int, ...]) -> int:
        """Combinations of positions on these axes."""
        sizes = [self.differences.sizes[axis] for axis in axes]
        return math.prod(sizes)

    def _find(self, cell: InputKey, index: Index, axes: tuple[int, ...]) -> int:
        if self.count_places(axes) > MAX_COMBINATIONS:
            return self.differences.allocate_unknown()
        self.differences.load_point(index)
        return self.differences.get(index, cell)


def infer_input_axes(differences: PromptDifferences) -> InputAxes:
    """Read prompts, and find for every cell the axes that explain all of them.

    Small sweeps are read whole. Of others, each axis is walked along from several points, and where
    two prompts differ in a cell although nothing that was known to matter does, the axis that
    matters there is looked for.
    """
    cells = InputAxes(differences)
    sizes = differences.sizes
    if math.prod(sizes) <= MAX_EXHAUSTIVE_POINTS:
        positions = [range(size) for size in sizes]
        for index in itertools.product(*positions):
            differences.load_point(index)
    else:
        for start, axis, index in _choose_walks(sizes):
            _compare(cells, start, axis, index)
        for index in _draw_points(sizes, CHECKED_POINTS, random.Random(1)):
            differences.load_point(index)
    # What is read to fill a gap may show another axis that matters, and so on.
    known = 0
    while known < len(differences.rows):
        known = len(differences.rows)
        _explain(cells)
        _fill(cells)
    return cells


def _choose_walks(sizes: tuple[int, ...]) -> Iterator[tuple[Index, int, Index]]:
    """Steps away from the first point, the last and some others, along each axis: start, axis,
    where it leads.
    """
    chance = random.Random(0)
    length = sum(min(size, MAX_SAMPLED_POSITIONS) for size in sizes)
    first = tuple(0 for _ in sizes)
    last = tuple(size - 1 for size in sizes)
    others = max(1, min(4, MAX_SAMPLED_PROMPTS // length - 2))
    starts = [first, last, *_draw_points(sizes, others, chance)]
    most = MAX_SAMPLED_POSITIONS
    for start in starts:
        for axis, size in enumerate(sizes):
            positions: Sequence[int] = range(size)
            if size > most:
                positions = chance.sample(positions, most)
            for position in positions:
                yield start, axis, _move(start, axis, position)
        # From the second start on, what is left of the reads is shared out.
        most = max(8, (MAX_SAMPLED_PROMPTS - length) // (len(starts) * len(sizes)))


def _move(index: Index, axis: int, position: int) -> Index:
    """The point with another position on one axis."""
    return (*index[:axis], position, *index[axis + 1 :])


def _draw_points(sizes: tuple[int, ...], count: int, chance: random.Random) -> list[Index]:
    points = []
    for _ in range(count):
        point = tuple(chance.randrange(size) for size in sizes)
        points.append(point)
    return points


def _compare(cells: InputAxes, start: Index, axis: int, index: Index) -> None:
    """Note which cells a step along an axis changed."""
    differences = cells.differences
    before = differences.load_point(start)
    after = differences.load_point(index)
    for cell, _ in before.items() ^ after.items():
        node_id, name = cell
        if name and not (
            differences.has_node(start, node_id) and differences.has_node(index, node_id)
        ):
            continue  # of an input nothing is known where its node is not there
        _add_axes(cells, cell, [axis])


def _add_axes(cells: InputAxes, cell: InputKey, axes: list[int]) -> None:
    known = cells.axes.get(cell, ())
    cells.axes[cell] = tuple(sorted({*known, *axes}))


def _explain(cells: InputAxes) -> None:
    """Add axes until every cell that differs somewhere is told by those that decide it."""
    for cell in cells.differences.list_varying():
        _add_axes(cells, cell, [])
        table = _tabulate(cells, cell)
        while not isinstance(table, dict):
            start, end = table
            found = _find_axes(cells.differences, cell, start, end, cells.axes[cell])
            _add_axes(cells, cell, found)
            table = _tabulate(cells, cell)
        cells.tables[cell] = table


def _tabulate(cells: InputAxes, cell: InputKey) -> dict[tuple[int, ...], int] | tuple[Index, Index]:
    """Place → number for everything that was read of a cell, or two points that contradict each
    other.
    """
    differences = cells.differences
    axes = cells.axes[cell]
    found: dict[tuple[int, ...], int] = {}
    origins: dict[tuple[int, ...], Index] = {}
    for index in differences.list_points(cell):
        place = tuple([index[axis] for axis in axes])
        number = differences.get(index, cell)
        if found.setdefault(place, number) != number:
            return origins[place], index
        origins.setdefault(place, index)
    return found


def _find_axes(
    differences: PromptDifferences, cell: InputKey, start: Index, end: Index, known: tuple[int, ...]
) -> list[int]:
    """Walk from one point to another, axis by axis, until the cell changes: the axis, or axes, of
    that step.
    """
    node_id, name = cell
    number = differences.get(start, cell)
    index = start
    pending: list[int] = []
    for axis, position in enumerate(end):
        if axis in known or position == index[axis]:
            continue
        index = _move(index, axis, position)
        pending.append(axis)
        differences.load_point(index)
        if name and not differences.has_node(index, node_id):
            # Nothing can be said of an input whose node is gone; the next step may bring it back.
            continue
        if differences.get(index, cell) != number:
            return pending
        pending = []
    return pending


def _fill(cells: InputAxes) -> None:
    """Read what is missing where several axes decide a cell together, and whatever changes the
    structure.
    """
    differences = cells.differences
    for cell, axes in cells.axes.items():
        table = cells.tables[cell]
        count = cells.count_places(axes)
        if len(table) == count:
            continue
        if count > MAX_COMBINATIONS and not _is_structure(cells, cell):
            continue
        home = next(iter(differences.list_points(cell)))
        positions = [range(differences.sizes[axis]) for axis in axes]
        for place in itertools.product(*positions):
            if place not in table:
                differences.load_point(_put(home, axes, place))


def _is_structure(cells: InputAxes, cell: InputKey) -> bool:
    """Whether a cell decides what nodes there are, or how they are linked."""
    _, name = cell
    if not name:
        return True
    values = [cells.differences.value(number) for number in cells.tables[cell].values()]
    return any(isinstance(value, Link) for value in values)


def _put(index: Index, axes: tuple[int, ...], place: tuple[int, ...]) -> Index:
    moved = dict(zip(axes, place, strict=True))
    positions = [moved.get(axis, position) for axis, position in enumerate(index)]
    return tuple(positions)
