"""Cells: which axes of a sweep decide what stands in an input, learnt from a few of its prompts."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from comfygradio.comfy.workflow import Link
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planning.readings import Cell, Readings

EXACT = 400
"""Sweeps of so many points are read whole."""

READS = 1200
"""About so many prompts are read to find out which axes matter where."""

CHECKS = 60
"""Points drawn at random that what was learnt has to agree with."""

FILLS = 2500
"""Where several axes decide one value together, so many of their combinations are read; of more,
none.
"""

LONG = 250
"""Of a longer axis only so many positions are read; the others count as different from each other.
"""


@dataclass
class Cells:
    """What stands in each cell at each point; `axes` are those that decide a cell, none where it is
    always the same.

    Of a node that a graph does not have nothing is known there, and nobody asks.
    """

    readings: Readings
    axes: dict[Cell, tuple[int, ...]] = field(default_factory=dict)
    tables: dict[Cell, dict[tuple[int, ...], int]] = field(default_factory=dict)

    def list_axes(self, cell: Cell) -> tuple[int, ...]:
        """The axes that decide a cell."""
        return self.axes.get(cell, ())

    def list_numbers(self, cell: Cell) -> set[int]:
        """The number of every value that was found in a cell."""
        return set(self.tables[cell].values()) if cell in self.axes else {self.readings.base(cell)}

    def get(self, cell: Cell, index: Index) -> int:
        """The number of the value in a cell at a point."""
        axes = self.axes.get(cell)
        if axes is None:
            return self.readings.base(cell)
        table, place = self.tables[cell], tuple([index[axis] for axis in axes])
        number = table.get(place)
        if number is None:
            number = table[place] = self._find(cell, index, axes)
        return number

    def count_places(self, axes: tuple[int, ...]) -> int:
        """Combinations of positions on these axes."""
        return math.prod(self.readings.sizes[axis] for axis in axes)

    def _find(self, cell: Cell, index: Index, axes: tuple[int, ...]) -> int:
        if self.count_places(axes) > FILLS:
            return self.readings.invent()
        self.readings.read(index)
        return self.readings.get(index, cell)


def learn_cells(readings: Readings) -> Cells:
    """Read prompts, and find for every cell the axes that explain all of them.

    Small sweeps are read whole. Of others, each axis is walked along from several points, and where
    two prompts differ in a cell although nothing that was known to matter does, the axis that
    matters there is looked for.
    """
    cells = Cells(readings)
    if math.prod(readings.sizes) <= EXACT:
        for index in itertools.product(*map(range, readings.sizes)):
            readings.read(index)
    else:
        for start, axis, index in _choose_walks(readings.sizes):
            _compare(cells, start, axis, index)
        for index in _draw_points(readings.sizes, CHECKS, random.Random(1)):
            readings.read(index)
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
    length = sum(min(size, LONG) for size in sizes)
    starts = [tuple(0 for _ in sizes), tuple(size - 1 for size in sizes)]
    starts += _draw_points(sizes, max(1, min(4, READS // length - 2)), chance)
    most = LONG
    for start in starts:
        for axis, size in enumerate(sizes):
            for position in range(size) if size <= most else chance.sample(range(size), most):
                yield start, axis, (*start[:axis], position, *start[axis + 1 :])
        most = max(8, (READS - length) // (len(starts) * len(sizes)))


def _draw_points(sizes: tuple[int, ...], count: int, chance: random.Random) -> list[Index]:
    return [tuple(chance.randrange(size) for size in sizes) for _ in range(count)]


def _compare(cells: Cells, start: Index, axis: int, index: Index) -> None:
    """Note which cells a step along an axis changed."""
    readings = cells.readings
    for cell, _ in readings.read(start).items() ^ readings.read(index).items():
        if not cell[1] or (readings.has_node(start, cell[0]) and readings.has_node(index, cell[0])):
            _add_axes(cells, cell, [axis])


def _add_axes(cells: Cells, cell: Cell, axes: list[int]) -> None:
    cells.axes[cell] = tuple(sorted({*cells.axes.get(cell, ()), *axes}))


def _explain(cells: Cells) -> None:
    """Add axes until every cell that differs somewhere is told by those that decide it."""
    for cell in cells.readings.list_varying():
        _add_axes(cells, cell, [])
        while not isinstance(table := _tabulate(cells, cell), dict):
            _add_axes(cells, cell, _find_axes(cells.readings, cell, *table, cells.axes[cell]))
        cells.tables[cell] = table


def _tabulate(cells: Cells, cell: Cell) -> dict[tuple[int, ...], int] | tuple[Index, Index]:
    """Place → number for everything that was read of a cell, or two points that contradict each
    other.
    """
    readings, axes = cells.readings, cells.axes[cell]
    found: dict[tuple[int, ...], int] = {}
    origins: dict[tuple[int, ...], Index] = {}
    for index in readings.list_points(cell):
        place, number = tuple([index[axis] for axis in axes]), readings.get(index, cell)
        if found.setdefault(place, number) != number:
            return origins[place], index
        origins.setdefault(place, index)
    return found


def _find_axes(
    readings: Readings, cell: Cell, start: Index, end: Index, known: tuple[int, ...]
) -> list[int]:
    """Walk from one point to another, axis by axis, until the cell changes: the axis, or axes, of
    that step.
    """
    number, index, pending = readings.get(start, cell), start, list[int]()
    for axis, position in enumerate(end):
        if axis in known or position == index[axis]:
            continue
        index = (*index[:axis], position, *index[axis + 1 :])
        pending.append(axis)
        readings.read(index)
        if cell[1] and not readings.has_node(index, cell[0]):
            continue
        if readings.get(index, cell) != number:
            return pending
        pending = []
    return pending


def _fill(cells: Cells) -> None:
    """Read what is missing where several axes decide a cell together, and whatever changes the
    structure.
    """
    for cell, axes in cells.axes.items():
        table, readings = cells.tables[cell], cells.readings
        is_structure = not cell[1] or any(
            isinstance(readings.value(number), Link) for number in table.values()
        )
        if len(table) == (count := cells.count_places(axes)) or (
            count > FILLS and not is_structure
        ):
            continue
        home = next(iter(readings.list_points(cell)))
        for place in itertools.product(*[range(readings.sizes[axis]) for axis in axes]):
            if place not in table:
                readings.read(_put(home, axes, place))


def _put(index: Index, axes: tuple[int, ...], place: tuple[int, ...]) -> Index:
    moved = dict(zip(axes, place, strict=True))
    return tuple(moved.get(axis, position) for axis, position in enumerate(index))
