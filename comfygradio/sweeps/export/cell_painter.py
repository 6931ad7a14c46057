"""Draws the cells of a contact sheet: a picture, a text, an error, or nothing yet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw

from comfygradio.jobs.results import Result
from comfygradio.sweeps.export.grid import GridCell
from comfygradio.sweeps.export.sheet_layout import INK, MUTED, Box
from comfygradio.sweeps.export.text_layout import Color, Face
from comfygradio.sweeps.export.thumbnail import PICTURES, choose_result

PAPER: Color = (255, 255, 255)
EMPTY: Color = (229, 231, 235)
FILL: Color = (243, 244, 246)
ERROR_COLOR: Color = (185, 28, 28)
ERROR_FILL: Color = (254, 242, 242)
ERROR_EDGE: Color = (252, 165, 165)
DARK: Color = (17, 24, 39)
GOLD: Color = (252, 211, 77)

TEXT_SHARE = 0.86
"""The part of a cell's width that words may take."""

REJECTED_OPACITY = 0.74
"""How much of the paper lies over a rejected picture."""

SUPERSAMPLING = 4
"""Shapes are drawn so many times larger, and scaled down."""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class CellPainter:
    """Draws cells on a canvas, with text in this face."""

    canvas: Image.Image
    face: Face

    def paint(self, box: Box, cell: GridCell | None, thumbnail: Image.Image | None) -> None:
        """Draw a cell. `thumbnail` is that of `choose_result`, or None if there is none."""
        if cell is None:
            self._frame(box, PAPER, EMPTY)
            return
        result = choose_result(cell.results)
        self._paint_content(box, cell, result, thumbnail)
        self._mark(box, cell, result, thumbnail is not None)

    def _paint_content(
        self,
        box: Box,
        cell: GridCell,
        result: Result | None,
        thumbnail: Image.Image | None,
    ) -> None:
        is_pending = cell.phase in ("waiting", "running")
        if is_pending and not thumbnail:
            self._frame(box, PAPER, EMPTY)
        elif cell.phase == "failed":
            error = cell.error or "Nothing says why."
            self._explain(box, "Failed", error, ERROR_COLOR, ERROR_FILL, ERROR_EDGE)
        elif thumbnail:
            is_rejected = cell.rating < 0
            self._paste(box, thumbnail, is_rejected)
        elif result and result.text:
            self._explain(box, "", result.text, INK, FILL, FILL)
        elif result and result.kind == "audio" and result.path:
            self._draw_sound(box, result.path.name)
        else:
            text, edge = describe_absence(cell, result)
            self._say(box, text, edge)

    def _frame(self, box: Box, fill: Color, edge: Color) -> None:
        pen = max(1, self.face.size // 10)
        draw = ImageDraw.Draw(self.canvas)
        draw.rectangle(box.corners, fill, edge, pen)

    def _paste(self, box: Box, picture: Image.Image, is_rejected: bool) -> None:
        """Draw a picture in the middle of its cell, as large as fits, in its own proportions."""
        scale = min(box.width / picture.width, box.height / picture.height)
        width = round(picture.width * scale)
        height = round(picture.height * scale)
        size = (max(1, width), max(1, height))
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        is_transparent = picture.mode == "RGBA"
        mask = None
        if is_rejected:
            picture = _fade(picture)
        elif is_transparent:
            mask = picture
        is_filled = size == (box.width, box.height)
        # What shows beside the picture, or through it.
        if mask or not is_filled:
            self._frame(box, FILL, FILL)
        place = box.center(*size)
        self.canvas.paste(picture, place, mask)

    def _explain(
        self, box: Box, title: str, text: str, color: Color, fill: Color, edge: Color
    ) -> None:
        """Draw a text from the top of a cell, as much of it as fits."""
        self._frame(box, fill, edge)
        small = self.face
        pad = round(small.size * 0.75)
        x = box.x + pad
        y = box.y + pad
        width = box.width - 2 * pad
        # Too small for any text.
        if width < small.size * 2 or box.height < small.line_height + pad:
            return
        if title:
            bold = Face(small.size, is_bold=True)
            bold.draw(self.canvas, x, y, title, color)
            y += round(small.line_height * 1.15)
        room = box.y + box.height - pad - y
        most = room // small.line_height
        if most <= 0:
            return
        lines, _ = small.wrap(text, width, most)
        for line in lines:
            small.draw(self.canvas, x, y, line, INK)
            y += small.line_height

    def _say(self, box: Box, text: str, edge: Color) -> None:
        """Draw a few muted words in the middle of a cell."""
        fill = FILL if edge == FILL else PAPER
        self._frame(box, fill, edge)
        line_height = self.face.line_height
        if box.height <= line_height:
            return
        most = box.height // line_height
        lines, _ = self.face.wrap(text, box.width * TEXT_SHARE, most)
        height = len(lines) * line_height
        _, y = box.center(0, height)
        for line in lines:
            self._write_line(box, y, line)
            y += line_height

    def _write_line(self, box: Box, y: int, line: str) -> None:
        """Draw a muted line in the middle of a box."""
        face = self.face
        room = box.width - face.measure(line)
        x = box.x + room / 2
        face.draw(self.canvas, x, y, line, MUTED)

    def _draw_sound(self, box: Box, name: str) -> None:
        self._frame(box, FILL, FILL)
        side = min(box.width, box.height) // 3
        mask = _draw_bars(side)
        place = box.center(side, side)
        self.canvas.paste(MUTED, place, mask)
        line_height = self.face.line_height
        if side <= line_height:
            return
        text = self.face.shorten(name, box.width * TEXT_SHARE)
        bottom = box.y + box.height
        y = bottom - round(line_height * 1.5)
        self._write_line(box, y, text)

    def _mark(self, box: Box, cell: GridCell, result: Result | None, is_picture: bool) -> None:
        """Draw signs on top: for a video, for the rating, and for the number of results."""
        if is_picture and result and result.kind == "video":
            shorter = min(box.width, box.height)
            side = max(8, shorter // 6)
            place = box.center(side, side)
            self._stamp(place, _draw_disc(side), DARK, 0.62)
            self._stamp(place, _draw_triangle(side), PAPER, 1)
        if cell.rating < 0:
            self._tag(box, "Rejected", is_low=True)
        elif cell.rating:
            self._draw_stars(box, cell.rating)
        count = _count_pictures(cell)
        if is_picture and count > 1:
            self._tag(box, f"1 of {count}", is_low=False)

    def _stamp(
        self, place: tuple[int, int], mask: Image.Image, color: Color, strength: float
    ) -> None:
        """Draw a shape; a strength below 1 lets through what is behind it."""

        def weaken(value: int) -> int:
            return round(value * strength)

        weakened = mask.point(weaken)
        self.canvas.paste(color, place, weakened)

    def _tag(self, box: Box, text: str, is_low: bool) -> None:
        """Draw a few words on a pill, in the lower left corner or the upper right one."""
        small = self.face
        pad = small.size * 0.45
        width = round(small.measure(text) + small.size * 0.9)
        height = round(small.line_height * 1.05)
        place = self._find_corner(box, width, height, is_low)
        if place is None:
            return
        pill = _draw_pill(width, height)
        self._stamp(place, pill, DARK, 0.72)
        x, y = place
        spare = height - small.line_height
        small.draw(self.canvas, x + pad, y + spare / 2, text, PAPER)

    def _find_corner(
        self, box: Box, width: int, height: int, is_low: bool
    ) -> tuple[int, int] | None:
        """Find the place of a sign, in the lower left corner or the upper right one.

        Returns None if it does not fit.
        """
        inset = round(self.face.size * 0.4)
        if width + 2 * inset > box.width:
            return None
        if height + 2 * inset > box.height:
            return None
        if is_low:
            bottom = box.y + box.height - inset
            return box.x + inset, bottom - height
        right = box.x + box.width - inset
        return right - width, box.y + inset

    def _draw_stars(self, box: Box, count: int) -> None:
        side = round(self.face.size * 0.9)
        side = max(6, side)
        pad = round(side * 0.4)
        width = count * side + 2 * pad
        height = side + pad
        place = self._find_corner(box, width, height, is_low=True)
        if place is None:
            return
        pill = _draw_pill(width, height)
        self._stamp(place, pill, DARK, 0.72)
        star = _draw_star(side)
        x, y = place
        x += pad
        y += pad // 2
        for _ in range(count):
            self._stamp((x, y), star, GOLD, 1)
            x += side


def describe_absence(cell: GridCell, result: Result | None) -> tuple[str, Color]:
    """Explain in a few words why a cell that is over has no picture. Returns also the color of its
    edge.
    """
    if result and result.path and result.kind in (*PICTURES, "video"):
        if result.path.is_file():
            return "This file cannot be read", EMPTY
        return "This file has gone", EMPTY
    if result and result.path:
        return result.path.name, FILL
    for one in cell.results:
        if one.problem:
            return one.problem, EMPTY
    if cell.phase == "stopped":
        return "Stopped", EMPTY
    return "Nothing was made", EMPTY


def _count_pictures(cell: GridCell) -> int:
    count = 0
    for result in cell.results:
        if result.kind in (*PICTURES, "video") and result.path is not None:
            count += 1
    return count


def _fade(picture: Image.Image) -> Image.Image:
    """Make a gray picture that is covered with white, for a rejected cell."""
    flat = Image.new("RGB", picture.size, FILL)
    is_transparent = picture.mode == "RGBA"
    flat.paste(picture, mask=picture if is_transparent else None)
    gray = flat.convert("L")
    paper = Image.new("RGB", picture.size, PAPER)
    return Image.blend(gray.convert("RGB"), paper, REJECTED_OPACITY)


def _draw_shape(width: int, height: int, points: Points) -> Image.Image:
    mask = _make_mask(width, height)
    draw = ImageDraw.Draw(mask)
    corners = [(x * SUPERSAMPLING, y * SUPERSAMPLING) for x, y in points]
    draw.polygon(corners, 255)
    return _scale_down(mask)


def _make_mask(width: int, height: int) -> Image.Image:
    """Make a canvas for a shape, several times larger than the shape."""
    large_width = width * SUPERSAMPLING
    large_height = height * SUPERSAMPLING
    return Image.new("L", (large_width, large_height))


def _scale_down(mask: Image.Image) -> Image.Image:
    width = mask.width // SUPERSAMPLING
    height = mask.height // SUPERSAMPLING
    return mask.resize((width, height), Image.Resampling.LANCZOS)


@lru_cache(maxsize=100)
def _draw_pill(width: int, height: int) -> Image.Image:
    mask = _make_mask(width, height)
    draw = ImageDraw.Draw(mask)
    corners = (0, 0, mask.width - 1, mask.height - 1)
    radius = mask.height // 2
    draw.rounded_rectangle(corners, radius, 255)
    return _scale_down(mask)


def _draw_disc(side: int) -> Image.Image:
    return _draw_pill(side, side)


@lru_cache(maxsize=10)
def _draw_triangle(side: int) -> Image.Image:
    left = side * 0.39
    points = (
        (left, side * 0.29),
        (left, side * 0.71),
        (side * 0.74, side * 0.5),
    )
    return _draw_shape(side, side, points)


@lru_cache(maxsize=10)
def _draw_star(side: int) -> Image.Image:
    points = []
    # Ten corners from the top on, far from the middle and near by turns.
    for at in range(10):
        turn = math.pi * (at / 5 - 0.5)
        far = 0.5 if at % 2 == 0 else 0.21
        x = side * (0.5 + far * math.cos(turn))
        y = side * (0.53 + far * math.sin(turn))
        points.append((x, y))
    return _draw_shape(side, side, points)


@lru_cache(maxsize=10)
def _draw_bars(side: int) -> Image.Image:
    """Draw bars of different heights, the sign of a sound."""
    mask = _make_mask(side, side)
    draw = ImageDraw.Draw(mask)
    whole = side * SUPERSAMPLING
    width = whole * 0.08
    for at, part in enumerate((0.3, 0.65, 1.0, 0.5, 0.8, 0.4)):
        height = whole * part
        left = whole * (0.05 + at * 0.16)
        right = left + width
        top = (whole - height) / 2
        bottom = (whole + height) / 2
        draw.rounded_rectangle((left, top, right, bottom), whole * 0.04, 255)
    return _scale_down(mask)
