"""Measures: where everything stands on a contact sheet, for a given size of its cells.

Lengths are in pixels.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from comfygradio.sweeps.showing.drawing.lettering import Color, Face, fit
from comfygradio.sweeps.showing.grid import Combo, GridCell, Page

INK: Color = (31, 41, 55)
QUIET: Color = (107, 114, 128)
RULE: Color = (209, 213, 219)

SMALLEST = 9
"""Letters are never smaller."""

LETTERS = 0.062
"""Size of letters in a cell, by its shorter side."""

CROWD, LARGER = 5, 1.7
"""With more cells in a line than this, labels grow, up to so many times, as one then looks at them
from afar.
"""

FLOW_RATIO = 1.45
"""Width by height that cells which flow in lines should have together."""

HEAD_LINES, SIDE_LINES, CAPTION_LINES = 4, 6, 3

Align = Literal["left", "center", "right"]
Size = tuple[int, int]


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Text:
    """Lines of one face in a box, from its top."""

    box: Box
    lines: tuple[str, ...]
    face: Face
    color: Color = INK
    align: Align = "left"


@dataclass(frozen=True)
class Spot:
    """Where a cell is drawn; None is one that is not there."""

    box: Box
    cell: GridCell | None


@dataclass(frozen=True)
class Sheet:
    """A contact sheet before it is drawn; `cell` is the size of its cells, `face` the letters in
    them.
    """

    width: int
    height: int
    cell: Size
    face: Face
    texts: tuple[Text, ...]
    spots: tuple[Spot, ...]
    rules: tuple[Box, ...]


class SheetPlanner:
    """Lays out one page with cells of one size."""

    def __init__(self, page: Page, cell: Size) -> None:
        self.page = page
        self.cell = cell
        size = min(cell) * LETTERS
        self.inner = Face(max(SMALLEST, round(size * 0.72)))
        count = self._count_flow() if page.flows else max(len(page.rows), len(page.columns))
        self.face = Face(
            max(SMALLEST + 2, round(size * min(LARGER, max(1.0, math.sqrt(count / CROWD)))))
        )
        self.gap = max(3, round(min(cell) * 0.02))
        self.margin = round(self.face.size * 1.8)
        self.texts: list[Text] = []
        self.spots: list[Spot] = []
        self.rules: list[Box] = []
        self._small = Face(max(SMALLEST, round(self.face.size * 0.8)))
        self._smallest = max(SMALLEST, round(self.face.size * 0.6))
        self._space = round(self.face.size * 0.8)

    def plan(self, subtitle: str, footer: str) -> Sheet:
        """The whole sheet, with a line below the title and one at the end."""
        place = self._plan_flow if self.page.flows else self._plan_table
        inner = max(self._measure_cells(), self.face.size * 26)
        top = self._plan_title(subtitle, inner)
        bottom = place(top)
        bottom = self._write(
            self.margin, bottom + self.face.size, inner, footer, self._small, QUIET, 3
        )
        size = inner + 2 * self.margin, bottom + round(self.margin * 0.7)
        return Sheet(
            *size, self.cell, self.inner, tuple(self.texts), tuple(self.spots), tuple(self.rules)
        )

    def _plan_title(self, subtitle: str, width: int) -> int:
        grid, face = self.page.grid, self.face
        large = Face(round(face.size * 1.5), is_bold=True)
        y = self._write(self.margin, self.margin, width, grid.title, large, INK, 2, face.size)
        y = self._write(self.margin, y + face.size // 3, width, subtitle, self._small, QUIET, 2)
        part = f" · part {self.page.part}" if self.page.part else ""
        if place := grid.name(self.page.place) + part:
            y = self._write(
                self.margin, y + face.size // 2, width, place.removeprefix(" · "), face, INK, 4
            )
        return y + round(face.size * 1.1)

    def _write(
        self,
        x: int,
        y: int,
        width: int,
        text: str,
        face: Face,
        color: Color,
        most: int,
        smallest: int = 0,
    ) -> int:
        """Put a text there, and return where it ends."""
        fitted, (lines,) = fit([text], face, width, most, smallest or face.size)
        return (
            self._add(Box(x, y, width, len(lines) * fitted.line), lines, fitted, color)
            if text
            else y
        )

    def _add(
        self, box: Box, lines: Sequence[str], face: Face, color: Color = INK, align: Align = "left"
    ) -> int:
        self.texts.append(Text(box, tuple(lines), face, color, align))
        return box.y + box.height

    def _name(self, axes: Sequence[int]) -> str:
        return " / ".join(self.page.grid.axes[axis].title for axis in axes)

    def _measure_cells(self) -> int:
        """Width of all cells, with what stands beside them."""
        if self.page.flows:
            return self._count_flow() * (self.cell[0] + self.gap) - self.gap
        offsets = _list_offsets(self.page.columns, self.cell[0], self.gap)
        return self._measure_side() + offsets[-1] + self.cell[0] if offsets else 0

    def _measure_side(self) -> int:
        return sum(width for width, _ in self._plan_sides()) if self.page.rows else 0

    def _plan_sides(self) -> list[tuple[int, Face]]:
        """The width of each level of row labels, with the space after it, and its face."""
        limit = max(round(self.cell[0] * 0.8), self.face.size * 8)
        sides = []
        for axis in self.page.grid.layout.rows:
            title = min(self.face.size * 9, self._small.measure(self._name([axis])))
            labels = [
                self.page.grid.axes[axis].labels[at] for at in _list_positions(self.page.rows, axis)
            ]
            room = min(limit, max(title, *map(self.face.measure, labels)))
            face, lines = fit(labels, self.face, room, self._count_side_lines(), self._smallest)
            widest = max(face.measure(line) for line in itertools.chain(*lines))
            sides.append((math.ceil(max(title, widest)) + self._space, face))
        return sides

    def _count_side_lines(self) -> int:
        return max(1, min(SIDE_LINES, self.cell[1] // self.face.line))

    def _plan_table(self, top: int) -> int:
        page = self.page
        sides = self._plan_sides() if page.rows else []
        left = self.margin + sum(width for width, _ in sides)
        xs = [left + offset for offset in _list_offsets(page.columns, self.cell[0], self.gap)]
        y = self._plan_heads(left, xs, top)
        self._plan_corner(sides, top, y)
        y += round(self.face.size * 0.4)
        ys = [y + offset for offset in _list_offsets(page.rows, self.cell[1], self.gap)]
        self._plan_labels(sides, ys)
        for (row, line), (column, x) in itertools.product(enumerate(ys), enumerate(xs)):
            self.spots.append(Spot(Box(x, line, *self.cell), page.find(row, column)))
        return ys[-1] + self.cell[1] if ys else y

    def _plan_corner(self, sides: Sequence[tuple[int, Face]], top: int, bottom: int) -> None:
        """What the row labels are, above them."""
        x = self.margin
        for axis, (width, _) in zip(self.page.grid.layout.rows, sides, strict=False):
            room, most = width - self._space, max(1, (bottom - top) // self._small.line)
            lines, _ = self._small.wrap(self._name([axis]), room, most)
            high = len(lines) * self._small.line
            self._add(
                Box(x, bottom - high, room, high), lines, self._small, QUIET, self._align(axis)
            )
            x += width

    def _align(self, axis: int) -> Align:
        return "right" if self.page.grid.axes[axis].is_numeric else "left"

    def _plan_heads(self, left: int, xs: Sequence[int], top: int) -> int:
        """The labels of the columns, the outermost axis above; returns where they end."""
        page, axes = self.page, self.page.grid.layout.columns
        width = (xs[-1] + self.cell[0] if xs else left) - left
        y = self._write(
            left, top, max(width, self.face.size * 12), self._name(axes), self._small, QUIET, 2
        )
        for level, axis in enumerate(axes):
            groups = _list_groups(page.columns, level)
            labels = [
                page.grid.axes[axis].labels[page.columns[first][level][1]] for first, _ in groups
            ]
            rooms = [xs[last] + self.cell[0] - xs[first] for first, last in groups]
            face, wrapped = fit(
                labels, self.face, min(rooms, default=1), HEAD_LINES, self._smallest
            )
            is_inner = level == len(axes) - 1
            align: Align = (
                "center" if is_inner and all(len(lines) == 1 for lines in wrapped) else "left"
            )
            y += round(self.face.size * 0.35)
            high = max(map(len, wrapped), default=0) * face.line
            for (first, _), room, lines in zip(groups, rooms, wrapped, strict=True):
                self._add(Box(xs[first], y, room, high), lines, face, INK, align)
                if not is_inner:
                    self.rules.append(
                        Box(xs[first], y + high + self.gap // 2, room, max(1, self.gap // 4))
                    )
            y += high + (0 if is_inner else self.gap)
        return y

    def _plan_labels(self, sides: Sequence[tuple[int, Face]], ys: Sequence[int]) -> None:
        """The labels of the rows, the outermost axis on the left."""
        page, x = self.page, self.margin
        for level, (axis, (width, face)) in enumerate(
            zip(page.grid.layout.rows, sides, strict=False)
        ):
            groups = _list_groups(page.rows, level)
            room = width - self._space
            labels = [
                page.grid.axes[axis].labels[page.rows[first][level][1]] for first, _ in groups
            ]
            wrapped = [face.wrap(label, room, self._count_side_lines())[0] for label in labels]
            is_top = len(sides) > 1 or any(len(lines) > 1 for lines in wrapped)
            for (first, _), lines in zip(groups, wrapped, strict=True):
                high = len(lines) * face.line
                y = ys[first] if is_top else ys[first] + (self.cell[1] - high) // 2
                self._add(Box(x, y, room, high), lines, face, INK, self._align(axis))
            x += width

    def _count_flow(self) -> int:
        """Cells in a line: all of a few, else so many that the whole is a little wider than high
        and lines are full.
        """
        count = len(self.page.columns)
        if count <= 5:
            return max(1, count)
        high = self.cell[1] * 1.15
        ideal = math.sqrt(count * FLOW_RATIO * high / self.cell[0])
        tries = range(max(1, round(ideal * 0.75)), min(count, round(ideal * 1.35)) + 1)
        return min(tries, key=lambda n: -count % n / n + abs(math.log(n / ideal)), default=count)

    def _plan_flow(self, top: int) -> int:
        page, per_line = self.page, self._count_flow()
        axes = [axis for axis, _ in page.columns[0]] if page.columns else []
        y = self._write(
            self.margin, top, self._measure_cells(), self._name(axes), self._small, QUIET, 2
        )
        y += round(self.face.size * 0.5) if axes else 0
        captions = [
            " · ".join(page.grid.axes[axis].labels[at] for axis, at in combo)
            for combo in page.columns
        ]
        face, wrapped = fit(captions, self.face, self.cell[0], CAPTION_LINES, self._smallest)
        for start in range(0, len(captions), per_line):
            places = range(start, min(start + per_line, len(captions)))
            high = max(len(wrapped[place]) for place in places) * face.line if axes else 0
            for place in places:
                x = self.margin + (place - start) * (self.cell[0] + self.gap)
                self.spots.append(Spot(Box(x, y, *self.cell), page.find(0, place)))
                box = Box(x, y + self.cell[1] + self.gap, self.cell[0], high)
                self._add(box, wrapped[place] if axes else [], face, INK, "center")
            y += self.cell[1] + high + self.gap + round(self.face.size * 0.7)
        return y - round(self.face.size * 0.7)


def _list_positions(combos: Sequence[Combo], axis: int) -> list[int]:
    """The positions on an axis that occur, each once."""
    return list(dict.fromkeys(at for combo in combos for one, at in combo if one == axis))


def _list_groups(combos: Sequence[Combo], level: int) -> list[tuple[int, int]]:
    """First and last of the neighbours that are the same on all axes up to this level."""
    groups = [
        list(group)
        for _, group in itertools.groupby(range(len(combos)), lambda at: combos[at][: level + 1])
    ]
    return [(group[0], group[-1]) for group in groups]


def _list_offsets(combos: Sequence[Combo], size: int, gap: int) -> list[int]:
    """Where cells begin that stand side by side; a little apart where an outer axis changes."""
    offsets, offset = [], 0
    for at, combo in enumerate(combos):
        if at:
            offset += size + gap + (gap * 2 if combo[:-1] != combos[at - 1][:-1] else 0)
        offsets.append(offset)
    return offsets
