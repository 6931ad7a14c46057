"""Infers from sampled prompts which axes determine the value of each node input."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from comfygradio.comfy.workflow import Link
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planner.prompt_differences import InputKey, PromptDifferences

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


@dataclass
class InputAxes:
    """What stands in each cell at each point; `axes` are those that decide a cell, none where it is
    always the same.

    Of a node that a graph does not have nothing is known there, and nobody asks.
    """

    readings: PromptDifferences
    axes: dict[InputKey, tuple[int, ...]] = field(default_factory=dict)
    tables: dict[InputKey, dict[tuple[int, ...], int]] = field(default_factory=dict)

    def list_axes(self, cell: InputKey) -> tuple[int, ...]:
        """The axes that decide a cell."""
        return self.axes.get(cell, ())

    def list_numbers(self, cell: InputKey) -> set[int]:
        """The number of every value that was found in a cell."""
        if cell not in self.axes:
            return {self.readings.first_number(cell)}
        return set(self.tables[cell].values())

    def get(self, cell: InputKey, index: Index) -> int:
        """The number of the value in a cell at a point."""
        axes = self.axes.get(cell)
        if axes is None:
            return self.readings.first_number(cell)
        table = self.tables[cell]
        place = tuple([index[axis] for axis in axes])
        number = table.get(place)
        if number is None:
            number = self._find(cell, index, axes)
            table[place] = number
        return number

    def count_places(self, axes: tuple[int, ...]) -> int:
        """Combinations of positions on these axes."""
        sizes = [self.readings.sizes[axis] for axis in axes]
        return math.prod(sizes)

    def _find(self, cell: InputKey, index: Index, axes: tuple[int, ...]) -> int:
        if self.count_places(axes) > MAX_COMBINATIONS:
            return self.readings.allocate_unknown()
        self.readings.load_point(index)
        return self.readings.get(index, cell)


def infer_input_axes(readings: PromptDifferences) -> InputAxes:
    """Read prompts, and find for every cell the axes that explain all of them.

    Small sweeps are read whole. Of others, each axis is walked along from several points, and where
    two prompts differ in a cell although nothing that was known to matter does, the axis that
    matters there is looked for.
    """
    cells = InputAxes(readings)
    sizes = readings.sizes
    if math.prod(sizes) <= MAX_EXHAUSTIVE_POINTS:
        positions = [range(size) for size in sizes]
        for index in itertools.product(*positions):
            readings.load_point(index)
    else:
        for start, axis, index in _choose_walks(sizes):
            _compare(cells, start, axis, index)
        for index in _draw_points(sizes, CHECKED_POINTS, random.Random(1)):
            readings.load_point(index)
    # What is read to fill a gap may show another axis that matters, and so on.
    known = 0
    while known < len(readings.rows):
        known = len(readings.rows)
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
    readings = cells.readings
    before = readings.load_point(start)
    after = readings.load_point(index)
    for cell, _ in before.items() ^ after.items():
        node_id, name = cell
        if name and not (readings.has_node(start, node_id) and readings.has_node(index, node_id)):
            continue  # of an input nothing is known where its node is not there
        _add_axes(cells, cell, [axis])


def _add_axes(cells: InputAxes, cell: InputKey, axes: list[int]) -> None:
    known = cells.axes.get(cell, ())
    cells.axes[cell] = tuple(sorted({*known, *axes}))


def _explain(cells: InputAxes) -> None:
    """Add axes until every cell that differs somewhere is told by those that decide it."""
    for cell in cells.readings.list_varying():
        _add_axes(cells, cell, [])
        table = _tabulate(cells, cell)
        while not isinstance(table, dict):
            start, end = table
            found = _find_axes(cells.readings, cell, start, end, cells.axes[cell])
            _add_axes(cells, cell, found)
            table = _tabulate(cells, cell)
        cells.tables[cell] = table


def _tabulate(cells: InputAxes, cell: InputKey) -> dict[tuple[int, ...], int] | tuple[Index, Index]:
    """Place → number for everything that was read of a cell, or two points that contradict each
    other.
    """
    readings = cells.readings
    axes = cells.axes[cell]
    found: dict[tuple[int, ...], int] = {}
    origins: dict[tuple[int, ...], Index] = {}
    for index in readings.list_points(cell):
        place = tuple([index[axis] for axis in axes])
        number = readings.get(index, cell)
        if found.setdefault(place, number) != number:
            return origins[place], index
        origins.setdefault(place, index)
    return found


def _find_axes(
    readings: PromptDifferences, cell: InputKey, start: Index, end: Index, known: tuple[int, ...]
) -> list[int]:
    """Walk from one point to another, axis by axis, until the cell changes: the axis, or axes, of
    that step.
    """
    node_id, name = cell
    number = readings.get(start, cell)
    index = start
    pending: list[int] = []
    for axis, position in enumerate(end):
        if axis in known or position == index[axis]:
            continue
        index = _move(index, axis, position)
        pending.append(axis)
        readings.load_point(index)
        if name and not readings.has_node(index, node_id):
            # Nothing can be said of an input whose node is gone; the next step may bring it back.
            continue
        if readings.get(index, cell) != number:
            return pending
        pending = []
    return pending


def _fill(cells: InputAxes) -> None:
    """Read what is missing where several axes decide a cell together, and whatever changes the
    structure.
    """
    readings = cells.readings
    for cell, axes in cells.axes.items():
        table = cells.tables[cell]
        count = cells.count_places(axes)
        if len(table) == count:
            continue
        if count > MAX_COMBINATIONS and not _is_structure(cells, cell):
            continue
        home = next(iter(readings.list_points(cell)))
        positions = [range(readings.sizes[axis]) for axis in axes]
        for place in itertools.product(*positions):
            if place not in table:
                readings.load_point(_put(home, axes, place))


def _is_structure(cells: InputAxes, cell: InputKey) -> bool:
    """Whether a cell decides what nodes there are, or how they are linked."""
    _, name = cell
    if not name:
        return True
    values = [cells.readings.value(number) for number in cells.tables[cell].values()]
    return any(isinstance(value, Link) for value in values)


def _put(index: Index, axes: tuple[int, ...], place: tuple[int, ...]) -> Index:
    moved = dict(zip(axes, place, strict=True))
    positions = [moved.get(axis, position) for axis, position in enumerate(index)]
    return tuple(positions)
