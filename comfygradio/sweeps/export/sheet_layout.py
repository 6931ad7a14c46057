"""Lays out a contact sheet, for a given size of its cells. Lengths are in pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from comfygradio.sweeps.export.grid import Combo, GridAxis, GridCell, Page
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

MIN_WIDTH = 26
"""Letters that a line holds at least, so that titles have room."""

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

    @property
    def corners(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom, the last pixels included."""
        right = self.x + self.width - 1
        bottom = self.y + self.height - 1
        return self.x, self.y, right, bottom

    def center(self, width: int, height: int) -> tuple[int, int]:
        """Return the upper left corner of something of this size in the middle of the box."""
        spare_width = self.width - width
        spare_height = self.height - height
        return self.x + spare_width // 2, self.y + spare_height // 2


@dataclass(frozen=True)
class Text:
    """Lines of text in a box, from its top."""

    box: Box
    lines: tuple[str, ...]
    face: Face
    color: Color = INK
    align: Align = "left"


@dataclass(frozen=True)
class CellSlot:
    """The place of a cell, which may be missing."""

    box: Box
    cell: GridCell | None


@dataclass(frozen=True)
class Sheet:
    """A laid out contact sheet. `cell` is the size of its cells, `face` that of their text."""

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
        self.inner = _make_face(size * 0.72, MIN_FONT_SIZE)
        label_size = size * self._measure_growth()
        self.face = _make_face(label_size, MIN_FONT_SIZE + 2)
        gap = round(shorter * 0.02)
        self.gap = max(3, gap)
        self.margin = round(self.face.size * 1.8)
        self.texts: list[Text] = []
        self.spots: list[CellSlot] = []
        self.rules: list[Box] = []
        self._small = _make_face(self.face.size * 0.8, MIN_FONT_SIZE)
        smallest = round(self.face.size * 0.6)
        self._smallest = max(MIN_FONT_SIZE, smallest)
        self._space = round(self.face.size * 0.8)

    def _measure_growth(self) -> float:
        """Measure how much larger labels are because there are many cells in a line."""
        page = self.page
        count = max(len(page.rows), len(page.columns))
        if page.flows:
            count = self._count_flow()
        growth = math.sqrt(count / CROWDED_CELLS)
        growth = max(1.0, growth)
        return min(MAX_LABEL_GROWTH, growth)

    def plan(self, subtitle: str, footer: str) -> Sheet:
        """Lay out the whole sheet, with a line below the title and one at the end."""
        inner = max(self._measure_cells(), self.face.size * MIN_WIDTH)
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
        page = self.page
        size = self.face.size
        large = Face(round(size * 1.5), is_bold=True)
        x = self.margin
        y = self.margin
        y = self._write(x, y, width, page.grid.title, large, INK, 2, size)
        y += size // 3
        y = self._write(x, y, width, subtitle, self._small, MUTED, 2)
        parts = []
        if page.place:
            parts.append(page.grid.name(page.place))
        if page.part:
            parts.append(f"part {page.part}")
        if parts:
            y += size // 2
            y = self._write(x, y, width, " · ".join(parts), self.face, INK, 4)
        return y + round(size * 1.1)

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
        """Place a text, and return where it ends."""
        if not text:
            return y
        smallest = smallest or face.size
        fitted, [lines] = fit_texts([text], face, width, most, smallest)
        height = len(lines) * fitted.line_height
        box = Box(x, y, width, height)
        return self._add(box, lines, fitted, color)

    def _add(
        self, box: Box, lines: Sequence[str], face: Face, color: Color = INK, align: Align = "left"
    ) -> int:
        text = Text(box, tuple(lines), face, color, align)
        self.texts.append(text)
        return box.y + box.height

    def _name(self, axes: Sequence[int]) -> str:
        grid = self.page.grid
        titles = [grid.axes[axis].title for axis in axes]
        return " / ".join(titles)

    def _measure_cells(self) -> int:
        """Measure the width of all cells and the labels beside them."""
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
        widths = [width for width, _ in self._plan_sides()]
        return sum(widths)

    def _plan_sides(self) -> list[tuple[int, Face]]:
        """Choose the width, with the space after it, and the face of each level of row labels."""
        grid = self.page.grid
        return [self._plan_side(number, grid.axes[number]) for number in grid.layout.rows]

    def _plan_side(self, number: int, axis: GridAxis) -> tuple[int, Face]:
        """Choose the width, with the space after it, and the face of one level of row labels."""
        size = self.face.size
        limit = max(round(self.cell[0] * 0.8), size * 8)
        title = min(size * 9, self._small.measure(axis.title))
        positions = _list_positions(self.page.rows, number)
        labels = [axis.labels[position] for position in positions]
        longest = max(self.face.measure(label) for label in labels)
        wanted = max(title, longest)
        room = min(limit, wanted)
        most = self._count_side_lines()
        face, wrapped = fit_texts(labels, self.face, room, most, self._smallest)
        widest = title
        for lines in wrapped:
            for line in lines:
                widest = max(widest, face.measure(line))
        width = math.ceil(widest)
        return width + self._space, face

    def _count_side_lines(self) -> int:
        _, height = self.cell
        fitting = height // self.face.line_height
        fitting = min(SIDE_LINES, fitting)
        return max(1, fitting)

    def _plan_table(self, top: int) -> int:
        page = self.page
        width, height = self.cell
        sides = self._plan_sides() if page.rows else []
        # The columns begin where the labels of the rows end.
        left = self.margin
        for side, _ in sides:
            left += side
        offsets = _list_offsets(page.columns, width, self.gap)
        xs = [left + offset for offset in offsets]
        # From the top down: the labels of the columns, in the corner the titles of the rows' axes.
        y = self._plan_heads(left, xs, top)
        self._plan_corner(sides, top, y)
        y += round(self.face.size * 0.4)
        # Below them the rows: their labels, and the cells.
        offsets = _list_offsets(page.rows, height, self.gap)
        ys = [y + offset for offset in offsets]
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
        """Place the titles of the rows' axes above their labels."""
        small = self._small
        fitting = (bottom - top) // small.line_height
        most = max(1, fitting)
        x = self.margin
        axes = self.page.grid.layout.rows
        # Without rows there are no sides, although the layout has axes for rows.
        for axis, (width, _) in zip(axes, sides, strict=False):
            room = width - self._space
            title = self._name([axis])
            lines, _ = small.wrap(title, room, most)
            height = len(lines) * small.line_height
            box = Box(x, bottom - height, room, height)
            align = self._align(axis)
            self._add(box, lines, small, MUTED, align)
            x += width

    def _align(self, axis: int) -> Align:
        """Align numbers to the right, and words to the left."""
        grid = self.page.grid
        if grid.axes[axis].is_numeric:
            return "right"
        return "left"

    def _plan_heads(self, left: int, xs: Sequence[int], top: int) -> int:
        """Place the labels of the columns, the outermost axis on top. Returns where they end."""
        axes = self.page.grid.layout.columns
        width = 0
        if xs:
            right = xs[-1] + self.cell[0]
            width = right - left
        room = max(width, self.face.size * 12)
        title = self._name(axes)
        y = self._write(left, top, room, title, self._small, MUTED, 2)
        for level, axis in enumerate(axes):
            is_inner = level == len(axes) - 1
            y = self._plan_head(level, axis, is_inner, xs, y)
        return y

    def _plan_head(self, level: int, axis: int, is_inner: bool, xs: Sequence[int], top: int) -> int:
        """Place the labels of one axis of the columns. Returns where they end."""
        columns = self.page.columns
        labels = self._list_labels(columns, level, axis)
        places = []
        for first, last in _list_groups(columns, level):
            left = xs[first]
            right = xs[last] + self.cell[0]
            places.append((left, right - left))
        narrowest = min([room for _, room in places], default=1)
        face, wrapped = fit_texts(labels, self.face, narrowest, HEAD_LINES, self._smallest)
        most = max([len(lines) for lines in wrapped], default=0)
        align: Align = "left"
        if is_inner and most <= 1:
            align = "center"
        height = most * face.line_height
        top += round(self.face.size * 0.35)
        bottom = top + height
        for (x, room), lines in zip(places, wrapped, strict=True):
            box = Box(x, top, room, height)
            self._add(box, lines, face, INK, align)
            if not is_inner:
                self._add_rule(x, bottom, room)
        return bottom if is_inner else bottom + self.gap

    def _add_rule(self, x: int, y: int, width: int) -> None:
        """Draw a line in the gap below the labels of an outer axis."""
        height = max(1, self.gap // 4)
        rule = Box(x, y + self.gap // 2, width, height)
        self.rules.append(rule)

    def _list_labels(self, combos: Sequence[Combo], level: int, axis: int) -> list[str]:
        """List the label of each group of neighbours that share all positions up to this level."""
        known = self.page.grid.axes[axis].labels
        labels = []
        for first, _ in _list_groups(combos, level):
            combo = combos[first]
            _, position = combo[level]
            labels.append(known[position])
        return labels

    def _plan_labels(self, sides: Sequence[tuple[int, Face]], ys: Sequence[int]) -> None:
        """Place the labels of the rows, the outermost axis on the left."""
        rows = self.page.rows
        most = self._count_side_lines()
        x = self.margin
        axes = zip(self.page.grid.layout.rows, sides, strict=False)
        for level, (axis, (width, face)) in enumerate(axes):
            room = width - self._space
            align = self._align(axis)
            wrapped = []
            for label in self._list_labels(rows, level, axis):
                lines, _ = face.wrap(label, room, most)
                wrapped.append(lines)
            # A single line stands in the middle of its cell; labels with several lines, or levels,
            # at the top.
            is_top = len(sides) > 1 or any(len(lines) > 1 for lines in wrapped)
            groups = _list_groups(rows, level)
            for (first, _), lines in zip(groups, wrapped, strict=True):
                height = len(lines) * face.line_height
                y = ys[first]
                if not is_top:
                    spare = self.cell[1] - height
                    y += spare // 2
                box = Box(x, y, room, height)
                self._add(box, lines, face, INK, align)
            x += width

    def _count_flow(self) -> int:
        """Count the cells in a line."""
        count = len(self.page.columns)
        # A few stand in one line. More are broken into lines that are full, so that all together
        # are a little wider than high.
        if count <= 5:
            return max(1, count)
        width, height = self.cell
        height_with_caption = height * 1.15
        ideal = math.sqrt(count * FLOW_RATIO * height_with_caption / width)

        def weigh(per_line: int) -> float:
            # The empty part of the last line, and how far the shape is from the ideal one.
            unfilled = -count % per_line / per_line
            distance = math.log(per_line / ideal)
            return unfilled + abs(distance)

        fewest = max(1, round(ideal * 0.75))
        most = min(count, round(ideal * 1.35))
        return min(range(fewest, most + 1), key=weigh, default=count)

    def _plan_flow(self, top: int) -> int:
        page = self.page
        width, height = self.cell
        per_line = self._count_flow()
        axes = []
        if page.columns:
            axes = [axis for axis, _ in page.columns[0]]
        room = self._measure_cells()
        title = self._name(axes)
        y = self._write(self.margin, top, room, title, self._small, MUTED, 2)
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
            caption_y = y + height + self.gap
            x = self.margin
            for place in range(start, end):
                box = Box(x, y, width, height)
                cell = page.find(0, place)
                self.spots.append(CellSlot(box, cell))
                caption_box = Box(x, caption_y, width, caption_height)
                self._add(caption_box, wrapped[place], face, INK, "center")
                x += width + self.gap
            y = caption_y + caption_height + between
        return y - between

    def _write_caption(self, combo: Combo) -> str:
        axes = self.page.grid.axes
        labels = [axes[axis].labels[position] for axis, position in combo]
        return " · ".join(labels)


def _make_face(size: float, least: int) -> Face:
    """Make a face of this size, rounded, but not below `least`."""
    rounded = round(size)
    return Face(max(least, rounded))


def _list_positions(combos: Sequence[Combo], axis: int) -> list[int]:
    """List the positions on an axis that occur, each once."""
    positions = []
    for combo in combos:
        for one, position in combo:
            if one == axis:
                positions.append(position)
    return list(dict.fromkeys(positions))


def _list_groups(combos: Sequence[Combo], level: int) -> list[tuple[int, int]]:
    """List the first and last of neighbours that share their positions on all axes up to this
    level.
    """
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
    """List where neighbouring cells begin. There is more space where an outer axis changes."""
    offsets = []
    offset = 0
    for at, combo in enumerate(combos):
        if at:
            offset += size + gap
            if combo[:-1] != combos[at - 1][:-1]:
                offset += gap * 2
        offsets.append(offset)
    return offsets
