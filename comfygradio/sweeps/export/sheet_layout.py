"""Measures: where everything stands on a contact sheet, for a given size of its cells.

Lengths are in pixels.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from comfygradio.sweeps.export.grid import Combo, GridCell, Page
from comfygradio.sweeps.export.text_layout import Color, Face, fit_texts

INK: Color = (31, 41, 55)
MUTED: Color = (107, 114, 128)

MIN_FONT_SIZE = 9
"""Minimum font size, in pixels."""

FONT_RATIO = 0.062
"""Size of letters in a cell, by its shorter side."""

CROWDED_CELLS = 5
"""With more cells in a line than this, labels grow to stay legible when zoomed out."""

MAX_LABEL_GROWTH = 1.7
"""So many times labels grow at most."""

FLOW_RATIO = 1.45
"""Width by height that cells which flow in lines should have together."""

HEAD_LINES = 4
SIDE_LINES = 6
CAPTION_LINES = 3

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
class CellSlot:
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
    spots: tuple[CellSlot, ...]
    rules: tuple[Box, ...]


class SheetPlanner:
    """Lays out one page with cells of one size."""

    def __init__(self, page: Page, cell: Size) -> None:
        self.page = page
        self.cell = cell
        shorter = min(cell)
        size = shorter * FONT_RATIO
        inner_size = round(size * 0.72)
        self.inner = Face(max(MIN_FONT_SIZE, inner_size))
        longer = max(len(page.rows), len(page.columns))
        count = self._count_flow() if page.flows else longer
        growth = max(1.0, math.sqrt(count / CROWDED_CELLS))
        label_size = round(size * min(MAX_LABEL_GROWTH, growth))
        self.face = Face(max(MIN_FONT_SIZE + 2, label_size))
        self.gap = max(3, round(shorter * 0.02))
        self.margin = round(self.face.size * 1.8)
        self.texts: list[Text] = []
        self.spots: list[CellSlot] = []
        self.rules: list[Box] = []
        small_size = round(self.face.size * 0.8)
        self._small = Face(max(MIN_FONT_SIZE, small_size))
        self._smallest = max(MIN_FONT_SIZE, round(self.face.size * 0.6))
        self._space = round(self.face.size * 0.8)

    def plan(self, subtitle: str, footer: str) -> Sheet:
        """The whole sheet, with a line below the title and one at the end."""
        inner = max(self._measure_cells(), self.face.size * 26)
        y = self._plan_title(subtitle, inner)
        y = self._plan_flow(y) if self.page.flows else self._plan_table(y)
        y += self.face.size
        bottom = self._write(self.margin, y, inner, footer, self._small, MUTED, 3)
        return Sheet(
            width=inner + 2 * self.margin,
            height=bottom + round(self.margin * 0.7),
            cell=self.cell,
            face=self.inner,
            texts=tuple(self.texts),
            spots=tuple(self.spots),
            rules=tuple(self.rules),
        )

    def _plan_title(self, subtitle: str, width: int) -> int:
        grid = self.page.grid
        face = self.face
        large = Face(round(face.size * 1.5), is_bold=True)
        y = self._write(self.margin, self.margin, width, grid.title, large, INK, 2, face.size)
        y += face.size // 3
        y = self._write(self.margin, y, width, subtitle, self._small, MUTED, 2)
        place = grid.name(self.page.place)
        if self.page.part:
            place += f" · part {self.page.part}"
        if place:
            y += face.size // 2
            y = self._write(self.margin, y, width, place.removeprefix(" · "), face, INK, 4)
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
        if not text:
            return y
        fitted, [lines] = fit_texts([text], face, width, most, smallest or face.size)
        box = Box(x, y, width, len(lines) * fitted.line_height)
        return self._add(box, lines, fitted, color)

    def _add(
        self, box: Box, lines: Sequence[str], face: Face, color: Color = INK, align: Align = "left"
    ) -> int:
        text = Text(box, tuple(lines), face, color, align)
        self.texts.append(text)
        return box.y + box.height

    def _name(self, axes: Sequence[int]) -> str:
        titles = [self.page.grid.axes[axis].title for axis in axes]
        return " / ".join(titles)

    def _measure_cells(self) -> int:
        """Width of all cells, with what stands beside them."""
        width = self.cell[0]
        if self.page.flows:
            return self._count_flow() * (width + self.gap) - self.gap
        offsets = _list_offsets(self.page.columns, width, self.gap)
        if not offsets:
            return 0
        return self._measure_side() + offsets[-1] + width

    def _measure_side(self) -> int:
        if not self.page.rows:
            return 0
        return sum(width for width, _ in self._plan_sides())

    def _plan_sides(self) -> list[tuple[int, Face]]:
        """The width of each level of row labels, with the space after it, and its face."""
        limit = max(round(self.cell[0] * 0.8), self.face.size * 8)
        most = self._count_side_lines()
        sides = []
        for number in self.page.grid.layout.rows:
            axis = self.page.grid.axes[number]
            title = min(self.face.size * 9, self._small.measure(axis.title))
            labels = [axis.labels[at] for at in _list_positions(self.page.rows, number)]
            longest = max(self.face.measure(label) for label in labels)
            room = min(limit, max(title, longest))
            face, wrapped = fit_texts(labels, self.face, room, most, self._smallest)
            lines = itertools.chain.from_iterable(wrapped)
            widest = max(face.measure(line) for line in lines)
            width = math.ceil(max(title, widest))
            sides.append((width + self._space, face))
        return sides

    def _count_side_lines(self) -> int:
        fitting = self.cell[1] // self.face.line_height
        return max(1, min(SIDE_LINES, fitting))

    def _plan_table(self, top: int) -> int:
        page = self.page
        width, height = self.cell
        sides = self._plan_sides() if page.rows else []
        left = self.margin + sum(side for side, _ in sides)
        xs = [left + offset for offset in _list_offsets(page.columns, width, self.gap)]
        y = self._plan_heads(left, xs, top)
        self._plan_corner(sides, top, y)
        y += round(self.face.size * 0.4)
        ys = [y + offset for offset in _list_offsets(page.rows, height, self.gap)]
        self._plan_labels(sides, ys)
        for row, cell_y in enumerate(ys):
            for column, cell_x in enumerate(xs):
                box = Box(cell_x, cell_y, width, height)
                cell = page.find(row, column)
                self.spots.append(CellSlot(box, cell))
        if not ys:
            return y
        return ys[-1] + height

    def _plan_corner(self, sides: Sequence[tuple[int, Face]], top: int, bottom: int) -> None:
        """What the row labels are, above them."""
        small = self._small
        most = max(1, (bottom - top) // small.line_height)
        x = self.margin
        for axis, (width, _) in zip(self.page.grid.layout.rows, sides, strict=False):
            room = width - self._space
            lines, _ = small.wrap(self._name([axis]), room, most)
            height = len(lines) * small.line_height
            box = Box(x, bottom - height, room, height)
            self._add(box, lines, small, MUTED, self._align(axis))
            x += width

    def _align(self, axis: int) -> Align:
        return "right" if self.page.grid.axes[axis].is_numeric else "left"

    def _plan_heads(self, left: int, xs: Sequence[int], top: int) -> int:
        """The labels of the columns, the outermost axis above; returns where they end."""
        axes = self.page.grid.layout.columns
        width = 0
        if xs:
            width = xs[-1] + self.cell[0] - left
        room = max(width, self.face.size * 12)
        y = self._write(left, top, room, self._name(axes), self._small, MUTED, 2)
        for level, axis in enumerate(axes):
            is_inner = level == len(axes) - 1
            y = self._plan_head(level, axis, is_inner, xs, y)
        return y

    def _plan_head(self, level: int, axis: int, is_inner: bool, xs: Sequence[int], top: int) -> int:
        """The labels of one axis of the columns; returns where they end."""
        columns = self.page.columns
        groups = _list_groups(columns, level)
        labels = self._list_labels(columns, level, axis)
        rooms = [xs[last] + self.cell[0] - xs[first] for first, last in groups]
        narrowest = min(rooms, default=1)
        face, wrapped = fit_texts(labels, self.face, narrowest, HEAD_LINES, self._smallest)
        are_short = all(len(lines) == 1 for lines in wrapped)
        align: Align = "center" if is_inner and are_short else "left"
        most = max(map(len, wrapped), default=0)
        height = most * face.line_height
        top += round(self.face.size * 0.35)
        bottom = top + height
        for (first, _), room, lines in zip(groups, rooms, wrapped, strict=True):
            x = xs[first]
            self._add(Box(x, top, room, height), lines, face, INK, align)
            if not is_inner:
                rule = Box(x, bottom + self.gap // 2, room, max(1, self.gap // 4))
                self.rules.append(rule)
        return bottom if is_inner else bottom + self.gap

    def _list_labels(self, combos: Sequence[Combo], level: int, axis: int) -> list[str]:
        """The label of each group of neighbours that are the same up to this level."""
        labels = []
        for first, _ in _list_groups(combos, level):
            _, at = combos[first][level]
            labels.append(self.page.grid.axes[axis].labels[at])
        return labels

    def _plan_labels(self, sides: Sequence[tuple[int, Face]], ys: Sequence[int]) -> None:
        """The labels of the rows, the outermost axis on the left."""
        rows = self.page.rows
        most = self._count_side_lines()
        x = self.margin
        axes = zip(self.page.grid.layout.rows, sides, strict=False)
        for level, (axis, (width, face)) in enumerate(axes):
            room = width - self._space
            wrapped = []
            for label in self._list_labels(rows, level, axis):
                lines, _ = face.wrap(label, room, most)
                wrapped.append(lines)
            is_top = len(sides) > 1 or any(len(lines) > 1 for lines in wrapped)
            groups = _list_groups(rows, level)
            for (first, _), lines in zip(groups, wrapped, strict=True):
                height = len(lines) * face.line_height
                y = ys[first]
                if not is_top:
                    y += (self.cell[1] - height) // 2
                self._add(Box(x, y, room, height), lines, face, INK, self._align(axis))
            x += width

    def _count_flow(self) -> int:
        """Cells in a line: all of a few, else so many that the whole is a little wider than high
        and lines are full.
        """
        count = len(self.page.columns)
        if count <= 5:
            return max(1, count)
        height = self.cell[1] * 1.15
        ideal = math.sqrt(count * FLOW_RATIO * height / self.cell[0])

        def weigh(per_line: int) -> float:
            unfilled = -count % per_line / per_line
            return unfilled + abs(math.log(per_line / ideal))

        fewest = max(1, round(ideal * 0.75))
        most = min(count, round(ideal * 1.35))
        return min(range(fewest, most + 1), key=weigh, default=count)

    def _plan_flow(self, top: int) -> int:
        page = self.page
        width, height = self.cell
        per_line = self._count_flow()
        axes = [axis for axis, _ in page.columns[0]] if page.columns else []
        room = self._measure_cells()
        y = self._write(self.margin, top, room, self._name(axes), self._small, MUTED, 2)
        if axes:
            y += round(self.face.size * 0.5)
        captions = [self._write_caption(combo) for combo in page.columns]
        face, wrapped = fit_texts(captions, self.face, width, CAPTION_LINES, self._smallest)
        if not axes:
            # All axes are pages, so that the one cell of this page needs no caption.
            wrapped = [[] for _ in captions]
        between = round(self.face.size * 0.7)
        for start in range(0, len(captions), per_line):
            end = min(start + per_line, len(captions))
            most = max(len(lines) for lines in wrapped[start:end])
            caption_height = most * face.line_height
            x = self.margin
            for place in range(start, end):
                cell = page.find(0, place)
                self.spots.append(CellSlot(Box(x, y, width, height), cell))
                box = Box(x, y + height + self.gap, width, caption_height)
                self._add(box, wrapped[place], face, INK, "center")
                x += width + self.gap
            y += height + caption_height + self.gap + between
        return y - between

    def _write_caption(self, combo: Combo) -> str:
        labels = [self.page.grid.axes[axis].labels[at] for axis, at in combo]
        return " · ".join(labels)


def _list_positions(combos: Sequence[Combo], axis: int) -> list[int]:
    """The positions on an axis that occur, each once."""
    positions = []
    for combo in combos:
        positions += [at for one, at in combo if one == axis]
    return list(dict.fromkeys(positions))


def _list_groups(combos: Sequence[Combo], level: int) -> list[tuple[int, int]]:
    """First and last of the neighbours that are the same on all axes up to this level."""
    groups: list[tuple[int, int]] = []
    before = None
    for at, combo in enumerate(combos):
        outer = combo[: level + 1]
        if groups and outer == before:
            first, _ = groups.pop()
            groups.append((first, at))
        else:
            groups.append((at, at))
        before = outer
    return groups


def _list_offsets(combos: Sequence[Combo], size: int, gap: int) -> list[int]:
    """Where cells begin that stand side by side; a little apart where an outer axis changes."""
    offsets = []
    offset = 0
    for at, combo in enumerate(combos):
        if at:
            offset += size + gap
            if combo[:-1] != combos[at - 1][:-1]:
                offset += gap * 2
        offsets.append(offset)
    return offsets
